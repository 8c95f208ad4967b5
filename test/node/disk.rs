//! A disk that fails: removed, full, read-only. The node says which, and what to do; a stop needs no disk.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use interlock::gate::state::State;
use interlock::latch::{Found, record};
use serde_json::{Value, json};

use crate::held_disk::HeldDisk;
use crate::monitor::wait_series;
use crate::operators::{ctl, said};
use crate::rig::{BASE, Rig, TWIST};
use crate::support::{DomainLease, wait_for};

/// The text of the condition `latch_not_writable`; empty: it is not there.
fn trouble(state: &Value) -> String {
    let unmet = state["unmet"].as_array().expect("a list").iter();
    let found = unmet.filter(|one| one["code"] == "latch_not_writable");
    found.map(|one| one["text"].as_str().expect("a text")).collect()
}

fn wait_trouble(rig: &mut Rig, part: &str) -> String {
    trouble(&rig.wait_state(part, |state| trouble(state).contains(part)))
}

fn wait_no_trouble(rig: &mut Rig) {
    rig.wait_state("the latch file writable", |state| trouble(state).is_empty());
}

fn refused(rig: &mut Rig, verb: &str) -> String {
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    let answer = rig.verb(verb, seq);
    assert_eq!(answer["success"], false, "{answer}");
    answer["message"].as_str().expect("a text").to_owned()
}

#[test]
fn when_the_state_directory_is_removed_expect_the_condition_its_way_out_and_kills_served() {
    let mut rig = Rig::persisted(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.reset();
    wait_no_trouble(&mut rig);
    let dir = rig.lease.state_dir();
    std::fs::remove_dir_all(&dir).expect("remove it");
    let text = wait_trouble(&mut rig, "mkdir -m 700 -p");
    assert!(text.contains(dir.join("latch").to_str().expect("plain")), "{text}");
    assert!(refused(&mut rig, "arm").contains("mkdir"));
    let killed = rig.trigger("kill");
    assert_eq!(killed["success"], true);
    let text = killed["message"].as_str().expect("a text");
    assert!(text.contains("NOT on disk") && text.contains("mkdir"), "{text}");
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert!(refused(&mut rig, "reset").contains("mkdir"));
    // As it says: the record of the kill is written then.
    std::fs::create_dir(&dir).expect("make it again");
    wait_no_trouble(&mut rig);
    let after = rig.run_again("second");
    assert_eq!(after["first_trip"], state["first_trip"], "{after}");
    rig.reset();
    rig.arm();
    // While active nothing is in the way, and it shows all the same: a kill would be forgotten.
    std::fs::remove_dir_all(&dir).expect("remove it once more");
    let state = rig.wait_state("the trouble told", |state| {
        let extra = state["extra"].as_array().expect("a list").iter();
        extra
            .filter(|one| one["key"] == "latch")
            .any(|one| one["value"].to_string().contains("mkdir"))
    });
    assert_eq!((&state["label"], trouble(&state).as_str()), (&Value::from("active"), ""));
    let doctor = said(&ctl(&rig, &["doctor"]));
    assert!(doctor.contains("BAD          latch "), "{doctor}");
    let status = said(&ctl(&rig, &["status"]));
    assert!(
        status.starts_with("ACTIVE") && status.contains("  latch       latch file "),
        "{status}"
    );
}

/// The node in a mount namespace of its own, where a script has made the disk it keeps its latch on.
struct OnDisk {
    rig: Rig,
    dir: PathBuf,
}

impl OnDisk {
    /// `None`: this machine permits no mounts; said aloud.
    fn new(script: &str) -> Option<Self> {
        let probe = ["-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"];
        let may = Command::new("unshare").args(probe).output();
        if !may.is_ok_and(|may| may.status.success()) {
            println!("skipped: unshare -m and mount are not permitted here");
            return None;
        }
        let words = |lease: &DomainLease| {
            let dir = lease.state_dir();
            let dir = dir.to_str().expect("plain");
            let script = format!("set -e; mkdir -p {dir}; D={dir}; {script}; exec \"$@\"");
            let node = env!("CARGO_BIN_EXE_interlock");
            ["unshare", "-m", "sh", "-c", &script, "sh", node].map(str::to_owned).into()
        };
        let mut rig = Rig::persisted_through(BASE, &words);
        rig.peer.subscribe("/cmd_vel", TWIST);
        let dir = rig.lease.state_dir();
        Some(Self { rig, dir })
    }

    /// Runs a script where the node sees its disk.
    fn inside(&self, script: &str) {
        let pid = self.rig.node.pid().as_raw_nonzero().to_string();
        let script = format!("D={}; {script}", self.dir.display());
        let done = Command::new("nsenter").args(["-t", &pid, "-m", "sh", "-c", &script]).output();
        let done = done.expect("nsenter");
        assert!(done.status.success(), "{script}: {done:?}");
    }
}

#[test]
fn when_the_disk_is_full_expect_reset_refused_until_there_is_space_and_none_needed_after() {
    let fill = "dd if=/dev/zero of=$D/filler bs=4k 2>/dev/null || true";
    let Some(mut disk) = OnDisk::new(&format!("mount -t tmpfs -o size=128k tmpfs $D; {fill}"))
    else {
        return;
    };
    let rig = &mut disk.rig;
    assert_eq!(rig.state()["first_trip"]["cause"], "first_run");
    let text = wait_trouble(rig, "No space left on device");
    assert!(text.contains("make space") && text.contains("/latch"), "{text}");
    assert!(refused(rig, "reset").contains("No space left"), "a reset needs the disk");
    assert_eq!(rig.trigger("kill")["success"], true, "a kill does not");
    disk.inside("rm $D/filler");
    wait_no_trouble(&mut disk.rig);
    disk.rig.reset();
    // What is there is written in place.
    disk.inside(fill);
    let rig = &mut disk.rig;
    rig.arm();
    let killed = rig.trigger("kill");
    assert!(killed["message"].as_str().expect("a text").contains("Latch: on disk"), "{killed}");
    rig.reset();
}

#[test]
fn when_the_directory_is_read_only_expect_killed_and_the_reason_until_it_is_not() {
    let script = "mount -t tmpfs tmpfs $D; mount -o remount,ro $D";
    let Some(mut disk) = OnDisk::new(script) else { return };
    let rig = &mut disk.rig;
    assert_eq!(rig.state()["label"], "killed");
    let text = wait_trouble(rig, "Read-only file system");
    assert!(text.contains("mount the disk writable") && text.contains("state_dir"), "{text}");
    assert!(refused(rig, "reset").contains("Read-only"));
    disk.inside("mount -o remount,rw $D");
    let rig = &mut disk.rig;
    wait_no_trouble(rig);
    rig.reset();
    rig.arm();
}

#[test]
fn hazard_04_reset_with_cause_present() {
    let button = "    kill_inputs: {button: {type: std_msgs/msg/Bool, topic: button, \
         field: data, asserted_when: true, timeout_s: 30.0}}\n";
    let mut rig = Rig::persisted(&format!("{BASE}{button}"));
    rig.peer.publisher("/button", "std_msgs/msg/Bool");
    let pressed = |down: bool| json!({"data": down});
    crate::support::wait_for("the button to be heard", || {
        rig.peer.publish("/button", pressed(true));
        rig.state()["kill_inputs"][0]["asserted"] == true
    });
    rig.wait_state("the button in the way", |state| {
        state["unmet"][0]["code"] == "kill_input_asserted"
    });
    let text = refused(&mut rig, "reset");
    assert!(text.contains("'button' asserts"), "{text}");
    assert_eq!(rig.state()["label"], "killed");
    rig.peer.publish("/button", pressed(false));
    rig.wait_state("the release", |state| state["unmet"].as_array().is_some_and(Vec::is_empty));
    rig.reset();
}

#[test]
fn when_the_disk_hangs_expect_it_in_the_scrape_in_every_state() {
    let disk = HeldDisk::new();
    let mut rig = disk.rig(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.reset();
    rig.arm();
    let writable = "interlock_latch_writable";
    wait_series(&mut rig, writable, |one| one == 1.0);
    disk.hold();
    assert_eq!(rig.trigger("kill")["success"], true, "a stop needs no disk");
    // Killed: no condition of an arm says it there.
    wait_series(&mut rig, writable, |one| one == 0.0);
    wait_series(&mut rig, "interlock_latched", |one| one == 1.0);
    disk.let_go();
    wait_series(&mut rig, writable, |one| one == 1.0);
}

/// What the latch file says now, on disk or still on its way.
fn latched(rig: &Rig) -> Option<State> {
    match record::found(&std::fs::read(rig.lease.state_dir().join("latch")).expect("the file")) {
        Found::Valid(latch) => Some(latch.state),
        Found::Missing | Found::Damaged { .. } | Found::Newer { .. } => None,
    }
}

#[test]
fn when_who_asked_for_an_arm_goes_while_it_is_written_expect_it_withdrawn() {
    let disk = HeldDisk::new();
    let mut rig = disk.rig(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.reset();
    rig.arm();
    assert_eq!(rig.trigger("disarm")["success"], true);
    let state = rig.wait_state("ready for the next arm", |state| {
        state["label"] == "disarmed" && state["unmet"].as_array().is_some_and(Vec::is_empty)
    });
    wait_for("the disarm on disk", || latched(&rig) == Some(State::Disarmed));

    disk.hold();
    let mut client = UnixStream::connect(rig.lease.socket()).expect("the socket");
    writeln!(client, r#"{{"v":1,"verb":"arm","seq":{}}}"#, state["seq"]).expect("send");
    wait_for("the arm on its way to the disk", || latched(&rig) == Some(State::Active));
    drop(client);
    let says = |rig: &Rig, part: &str| rig.node.log().contains(part);
    wait_for("the withdrawal", || says(&rig, " refused: withdrawn"));
    disk.let_go();
    wait_for("the refusal", || says(&rig, "arm refused: withdrawn"));
    assert_eq!(rig.state()["label"], "disarmed");
    wait_for("the record put right", || latched(&rig) == Some(State::Disarmed));
    // Nothing is in the way of one who waits.
    rig.arm();
}

#[test]
fn when_a_disarm_only_takes_an_arm_back_expect_the_trip_before_it_to_be_nobodys() {
    let disk = HeldDisk::new();
    let mut rig = disk.rig(&format!(
        "{BASE}    temperatures: {{knee: {{type: sensor_msgs/msg/Temperature, topic: knee, field: temperature, \
         timeout_s: 60.0, trip_celsius: 90.0, hysteresis_celsius: 5.0}}}}\n"
    ));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/knee", "sensor_msgs/msg/Temperature");
    let heat = |rig: &mut Rig, celsius: f64| {
        let message = json!({"temperature": celsius});
        rig.peer.ask("stream", json!({"topic": "/knee", "msg": message, "hz": 50.0}));
    };
    rig.reset();
    heat(&mut rig, 40.0);
    rig.arm();
    rig.peer.ask("stop", json!({"topic": "/knee"}));
    heat(&mut rig, 95.0);
    rig.wait_state("the trip", |state| state["last_trip"]["cause"] == "temperature_trip");
    rig.peer.ask("stop", json!({"topic": "/knee"}));
    heat(&mut rig, 40.0);
    let state = rig.wait_state("ready for the next arm", |state| {
        state["label"] == "disarmed" && state["unmet"].as_array().is_some_and(Vec::is_empty)
    });
    wait_for("the disarm on disk", || latched(&rig) == Some(State::Disarmed));

    disk.hold();
    let mut client = UnixStream::connect(rig.lease.socket()).expect("the socket");
    let seq = &state["seq"];
    writeln!(client, r#"{{"v":1,"verb":"arm","seq":{seq},"operator":"maria"}}"#).expect("send");
    wait_for("the arm on its way to the disk", || latched(&rig) == Some(State::Active));
    let disarm = ctl(&rig, &["disarm", "--operator", "bob", "--reason", "not now"]);
    assert!(disarm.status.success(), "{}", said(&disarm));
    disk.let_go();
    wait_for("the record put right", || latched(&rig) == Some(State::Disarmed));
    let after = rig.state();
    assert_eq!((&after["label"], &after["seq"]), (&Value::from("disarmed"), seq), "nothing moved");
    assert_eq!(after["last_trip"]["operator_name"], "", "{after}");
    let history = said(&ctl(&rig, &["history"]));
    let named =
        history.lines().any(|line| line.contains("temperature_trip") && line.contains("bob"));
    assert!(history.contains("temperature_trip") && !named, "{history}");
    rig.arm();
}
