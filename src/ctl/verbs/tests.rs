//! More than one node at the usual places: all are killed, and nothing else is done to any.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::*;
use crate::ctl::tests::{Said, killed as status_of_killed, on_console, serve};
use crate::ctl::{doctor, look};
use crate::socket::fixture::{FakeNode, Folder, Rig};
use crate::socket::place::Surroundings;
use crate::telemetry::status::LaneStatus;

/// Nobody.
const NO_HTTP: &str = "http://127.0.0.1:1";

fn node(state: &str) -> Rig {
    Rig::new(FakeNode::in_state(state, 40))
}

fn at(rigs: &[&Rig]) -> Client {
    Client::of_usual(rigs.iter().map(|rig| rig.path.clone()).collect(), NO_HTTP)
}

fn killed(client: &Client) -> Said {
    on_console(None, None, |console| kill(client, &Because::default(), console))
}

#[test]
fn when_two_nodes_are_there_expect_both_killed_and_each_said() {
    let (one, other) = (node("active"), node("active"));
    let said = killed(&at(&[&one, &other]));
    assert_eq!((said.code, said.err.as_str()), (GOOD, ""));
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", said.out);
    for (line, rig) in lines.iter().zip([&one, &other]) {
        let expected = format!("{}: killed, seq 41", rig.path.display());
        assert!(line.starts_with(&expected), "{}", said.out);
        assert_eq!(rig.node.kills.load(Ordering::SeqCst), 1);
    }
}

/// A node whose only lane is not gated.
fn watching() -> Rig {
    let node = FakeNode::in_state("active", 40);
    let (name, mode) = (String::from("base"), String::from("watch"));
    node.status.lock().lanes = vec![LaneStatus { name, mode, ..LaneStatus::default() }];
    Rig::new(node)
}

#[test]
fn when_every_lane_only_watches_expect_a_kill_that_says_it_stopped_nothing() {
    let rig = watching();
    let said = killed(&at(&[&rig]));
    assert_eq!((said.code, said.out.as_str()), (REFUSED, ""));
    let expected = "killed, seq 41, but NOTHING WAS STOPPED: every lane only watches (base): ";
    assert!(said.err.starts_with(expected), "{}", said.err);
    assert!(said.err.contains("hardware emergency stop"), "{}", said.err);
    // No other way to kill stops more.
    assert!(!said.err.contains("USR1"), "{}", said.err);
    // It is latched all the same.
    assert_eq!(rig.node.kills.load(Ordering::SeqCst), 1);
    // Beside a node that was stopped, it is no success either.
    let said = killed(&at(&[&node("active"), &watching()]));
    assert!(said.code == REFUSED && said.out.contains(": killed, seq 41: "), "{}", said.out);
}

#[test]
fn when_a_lane_only_watches_expect_no_reset_that_says_nothing_moves() {
    let rig = watching();
    killed(&at(&[&rig]));
    let reset = |it: &mut Console<'_>| reset(&at(&[&rig]), true, &Because::default(), it);
    let said = on_console(None, None, reset);
    let asked =
        "reset lets go of seq 41: nothing that passes here moves until arm; base only watches.\n";
    assert!(said.err.ends_with(asked), "{}", said.err);
}

#[test]
fn when_one_of_two_does_not_confirm_expect_which_and_no_success() {
    let (one, other) = (node("active"), node("active"));
    one.node.is_stuck.store(true, Ordering::SeqCst);
    let said = killed(&at(&[&one, &other]));
    assert_eq!(said.code, REFUSED);
    let expected = format!("{}: NOT CONFIRMED: the kill is raised", one.path.display());
    assert!(said.err.starts_with(&expected) && said.err.ends_with(OTHER_WAYS), "{}", said.err);
    assert!(said.out.starts_with(&other.path.display().to_string()), "{}", said.out);
}

#[test]
fn when_a_place_is_not_open_to_us_expect_it_said_as_not_killed() {
    let rig = node("active");
    let open = || Place {
        path: String::from("/open"),
        found: Found::Open(UnixStream::connect(&rig.path).unwrap()),
    };
    let closed = || Place { path: String::from("/closed"), found: Found::Closed };
    let at = |places| on_console(None, None, |it| kill_at(places, &Because::default(), it));
    let said = at(vec![open(), closed()]);
    assert_eq!(said.code, REFUSED);
    assert!(said.out.starts_with("/open: killed"), "{}", said.out);
    assert!(
        said.err.starts_with("/closed: NOT KILLED: /closed is not open to you"),
        "{}",
        said.err
    );
    let said = at(vec![closed()]);
    assert_eq!(said.code, REFUSED);
    assert!(said.err.starts_with("NOT KILLED: /closed is not open to you"), "{}", said.err);
}

/// A listener that hangs takes nobody once its queue is full; whoever connects would wait for ever.
#[test]
fn when_a_place_takes_nobody_expect_the_others_killed_and_that_one_told() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let (rig, folder) = (node("active"), Folder::new());
    let path = folder.path().join("control.sock");
    let hung = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&hung, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    listen(&hung, 0).unwrap();
    let _queued = UnixStream::connect(&path).unwrap();
    let said = killed(&Client::of_usual(vec![path.clone(), rig.path.clone()], NO_HTTP));
    let path = path.display().to_string();
    assert_eq!(said.code, REFUSED);
    let expected = format!("{path}: NOT KILLED: {path} takes no more connections");
    assert!(said.err.starts_with(&expected), "{}", said.err);
    assert!(said.out.contains("killed, seq 41"), "{}", said.out);
}

#[test]
fn when_one_of_two_is_no_node_expect_no_success() {
    let (rig, folder) = (node("active"), Folder::new());
    let path = folder.path().join("control.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let stranger = std::thread::spawn(move || drop(listener.accept()));
    let said = killed(&Client::of_usual(vec![path.clone(), rig.path.clone()], NO_HTTP));
    stranger.join().unwrap();
    assert_eq!(said.code, REFUSED);
    let expected = format!("{}: NOT KILLED: what answers at", path.display());
    assert!(said.err.starts_with(&expected), "{}", said.err);
    assert!(said.out.contains("killed, seq 41"), "{}", said.out);
}

#[test]
fn when_two_nodes_are_there_expect_every_other_verb_to_do_nothing() {
    let (one, other) = (node("active"), node("killed"));
    let client = at(&[&one, &other]);
    let because = Because::default();
    let paths = format!("{} and {}", one.path.display(), other.path.display());
    let verbs: [&dyn Fn(&mut Console<'_>) -> u8; 7] = [
        &|it| disarm(&client, &because, it),
        &|it| reset(&client, true, &because, it),
        &|it| arm(&client, (None, true), &because, it),
        &|it| select(&client, (String::from("base"), None), &because, it),
        &|it| look::status(&client, None, it),
        &|it| look::json(&client, None, it),
        &|it| look::wait(&client, "killed", 60.0, it),
    ];
    for verb in verbs {
        let said = on_console(None, None, verb);
        assert_eq!((said.code, said.out.as_str()), (UNREACHABLE, ""));
        let expected = format!("several nodes answer, at {paths}: nothing was done.");
        assert!(said.err.starts_with(&expected) && said.err.contains("--socket"), "{}", said.err);
    }
    for rig in [&one, &other] {
        assert!(rig.node.wishes.lock().is_empty());
        assert_eq!(rig.node.kills.load(Ordering::SeqCst), 0);
    }
    let said = on_console(None, None, |it| doctor::doctor(&client, it));
    assert_eq!(said.code, REFUSED);
    assert!(said.out.starts_with("BAD          socket"), "{}", said.out);
    assert!(said.out.contains("cannot tell  node"), "{}", said.out);
}

#[test]
fn when_two_names_lead_to_one_node_expect_one() {
    let (rig, folder) = (node("active"), Folder::new());
    let link: PathBuf = folder.path().join("control.sock");
    std::os::unix::fs::symlink(&rig.path, &link).unwrap();
    let client = Client::of_usual(vec![rig.path.clone(), link], NO_HTTP);
    assert!(client.status().is_ok());
    let said = killed(&client);
    assert!(said.code == GOOD && said.out.starts_with("killed, seq 41"), "{}", said.out);
}

#[test]
fn when_a_node_answers_over_http_only_expect_how_verbs_reach_it() {
    let mut status = status_of_killed();
    status.control_socket = String::from("/run/user/1000/interlock/control.sock");
    let server = serve(status);
    let url = format!("http://{}", server.address());
    let nowhere = PathBuf::from("/nonexistent/control.sock");
    let client = Client::of_usual(vec![nowhere.clone()], &url);
    let how = "--socket /run/user/1000/interlock/control.sock";
    // What is to be done now comes first.
    let said = killed(&client);
    let or = format!("{OTHER_WAYS}  or:   interlockctl kill {how}   (a node answers at {url})\n");
    assert_eq!(said.code, UNREACHABLE);
    assert!(said.err.starts_with("NOT KILLED: no node") && said.err.ends_with(&or), "{}", said.err);
    // The latch file that this user finds is another node's.
    let said = on_console(None, None, |it| disarm(&client, &Because::default(), it));
    let why = format!("but one does at {url}: verbs do not reach it from here: {how}\n");
    assert!(said.code == UNREACHABLE && said.err.ends_with(&why), "{}", said.err);
    let said = on_console(None, None, |it| look::status(&client, None, it));
    let last = said.out.split("  NO VERBS    ").nth(1).unwrap_or_default();
    assert!(said.out.starts_with("KILLED") && last.contains("control.sock"), "{}", said.out);
    let said = on_console(None, None, |it| look::json(&client, None, it));
    assert!(said.out.starts_with('{') && said.err.contains("NO VERBS"), "{}", said.err);
    let said = on_console(None, None, |it| doctor::doctor(&client, it));
    assert!(said.out.starts_with("BAD          socket"), "{}", said.out);
    assert!(!said.out.contains("state_dir"), "{}", said.out);
    // Asked for by its address, nothing is said of verbs.
    let said = on_console(None, None, |it| look::status(&client, Some(&url), it));
    assert!(!said.out.contains("NO VERBS"), "{}", said.out);
    // An older node does not say where.
    let older = serve(status_of_killed());
    let client = Client::of_usual(vec![nowhere], &format!("http://{}", older.address()));
    let said = on_console(None, None, |it| disarm(&client, &Because::default(), it));
    assert!(said.err.ends_with("from here: --socket PATH\n"), "{}", said.err);
}

#[test]
fn when_the_node_is_named_expect_no_other_one_s_status() {
    let server = serve(status_of_killed());
    let url = format!("http://{}", server.address());
    let nowhere = PathBuf::from("/nonexistent/control.sock");
    // Not named, and nobody at the usual places: the usual address is a place, too.
    let usual = Client::of_usual(vec![nowhere.clone()], &url);
    assert!(usual.look(None).is_ok());
    let named = Client::new(Some(nowhere), &Surroundings::default());
    assert!(matches!(named.look(None), Err(NoAnswer::NotRunning(_))));
    // Several: whose HTTP it is nobody knows.
    let (one, other) = (node("active"), node("active"));
    let paths = vec![one.path.clone(), other.path.clone()];
    let several = Client::of_usual(paths, &url);
    assert!(matches!(several.look(None), Err(NoAnswer::Several(_))));
    // What is asked for by its address is that.
    assert!(several.look(Some(&url)).is_ok());
}
