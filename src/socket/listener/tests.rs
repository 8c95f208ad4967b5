//! The socket file, in folders of the test's own.

use super::*;
use crate::socket::fixture::Folder;

fn at(path: &Path) -> ControlSocket {
    let path = path.to_str().expect("a plain path").to_owned();
    ControlSocket { path: Some(path), group: "no-such-group".to_owned() }
}

fn here(folder: &Path) -> Surroundings {
    Surroundings {
        runtime_directory: None,
        xdg_runtime_dir: Some(folder.to_str().expect("a plain path").to_owned()),
        uid: fs::metadata(folder).expect("the folder").uid(),
        ..Surroundings::default()
    }
}

fn bound(config: &ControlSocket) -> Result<Bound, SocketError> {
    bind(config, &Surroundings::default(), &Accounts::default())
}

#[test]
fn when_a_socket_is_made_expect_its_mode_and_its_end() {
    let folder = Folder::new();
    let path = folder.path().join("control.sock");
    let socket = bound(&at(&path)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, MODE);
    assert!(socket.without_group.as_deref().is_some_and(|why| why.contains("groupadd")));
    UnixStream::connect(&path).unwrap();
    drop(socket);
    assert!(!path.exists());
}

#[test]
fn when_no_path_is_written_expect_the_folder_made_and_ours() {
    let folder = Folder::new();
    let config = ControlSocket { path: None, group: String::new() };
    let surroundings = here(folder.path());
    let socket = bind(&config, &surroundings, &Accounts::default()).unwrap();
    let made = folder.path().join("interlock");
    assert_eq!(socket.path, made.join("control.sock"));
    drop(socket);
    // Others could change it: it is not taken.
    fs::set_permissions(&made, Permissions::from_mode(0o777)).unwrap();
    let refused = bind(&config, &surroundings, &Accounts::default());
    assert!(matches!(refused, Err(SocketError::NotOurs { .. })), "{refused:?}");
    // Nor a link to somewhere else.
    fs::remove_dir_all(&made).unwrap();
    std::os::unix::fs::symlink("/", &made).unwrap();
    let refused = bind(&config, &surroundings, &Accounts::default());
    assert!(matches!(refused, Err(SocketError::NotOurs { .. })), "{refused:?}");
}

#[test]
fn when_a_second_node_starts_expect_it_refused_and_the_first_left_alone() {
    let folder = Folder::new();
    let path = folder.path().join("control.sock");
    let first = bound(&at(&path)).unwrap();
    let second = bound(&at(&path));
    assert!(matches!(second, Err(SocketError::Held { .. })), "{second:?}");
    assert!(second.unwrap_err().to_string().contains("to fix:"));
    UnixStream::connect(&path).unwrap();
    drop(first);
}

#[test]
fn when_a_socket_is_left_over_expect_it_replaced_only_if_nobody_answers() {
    let folder = Folder::new();
    let path = folder.path().join("control.sock");
    // A program without our lock that listens.
    let other = UnixListener::bind(&path).unwrap();
    assert!(matches!(bound(&at(&path)), Err(SocketError::Held { .. })));
    // It dies: the file stays.
    drop(other);
    assert!(path.exists());
    drop(bound(&at(&path)).unwrap());
    // A file that is no socket is somebody's.
    fs::write(&path, "mine").unwrap();
    assert!(matches!(bound(&at(&path)), Err(SocketError::NotASocket { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn when_the_path_cannot_be_expect_a_clear_reason() {
    let folder = Folder::new();
    let long = folder.path().join("x".repeat(120));
    let refused = bound(&at(&long)).unwrap_err().to_string();
    assert!(refused.contains("the system takes 107"), "{refused}");
    let refused = bound(&at(&folder.path().join("none/control.sock"))).unwrap_err().to_string();
    assert!(refused.contains("to fix:"), "{refused}");
}
