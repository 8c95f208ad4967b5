//! Where the control socket is: one rule for the node that makes it and the tool that looks for it.
//!
//! Pure: the environment is an argument.

use std::path::PathBuf;

/// The socket's name in the runtime directory.
pub const NAME: &str = "control.sock";

/// Where each person's session has its runtime directory, `$XDG_RUNTIME_DIR`; mode 0700.
const SESSIONS: &str = "/run/user";

/// What the rule looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `$RUNTIME_DIRECTORY`, which systemd sets for the node; several are separated by colons.
    pub runtime_directory: Option<String>,
    /// `$XDG_RUNTIME_DIR` of a person's session.
    pub xdg_runtime_dir: Option<String>,
    /// The effective user.
    pub uid: u32,
    /// The runtime directories of everybody's sessions, which only root can look into: a node that a
    /// person launched has its socket there. Empty for everybody else.
    pub sessions: Vec<PathBuf>,
}

impl Surroundings {
    /// Reads the process's own with `read`, which gives a variable that is set.
    #[must_use]
    pub fn read(read: impl Fn(&str) -> Option<String>, uid: u32) -> Self {
        let set = |name| read(name).filter(|value| !value.is_empty());
        Self {
            runtime_directory: set("RUNTIME_DIRECTORY"),
            xdg_runtime_dir: set("XDG_RUNTIME_DIR"),
            uid,
            sessions: Vec::new(),
        }
    }

    /// The same with the sessions' directories, for the tool: `list` gives what is in a folder.
    #[must_use]
    pub fn with_sessions(self, list: impl Fn(&str) -> Vec<PathBuf>) -> Self {
        if self.uid != 0 {
            return self;
        }
        let mut sessions = list(SESSIONS);
        sessions.sort();
        Self { sessions, ..self }
    }

    /// Where a node makes its socket: systemd's folder, else the session's, else root's, else one in
    /// `/tmp`.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let systemd = self.runtime_directory.as_deref().and_then(|all| all.split(':').next());
        match (systemd, self.xdg_runtime_dir.as_deref()) {
            (Some(first), _) => PathBuf::from(first),
            (None, Some(xdg)) => PathBuf::from(xdg).join("interlock"),
            (None, None) if self.uid == 0 => PathBuf::from("/run/interlock"),
            (None, None) => PathBuf::from(format!("/tmp/interlock-{}", self.uid)),
        }
    }

    /// Where a node may have made it, the user's own folder first: that of this session, the system's,
    /// that of a node that this user started without a session, and for root those of everybody's
    /// sessions. More than one may be there; the tool then kills all of them and does nothing else to
    /// any.
    #[must_use]
    pub fn candidates(&self) -> Vec<PathBuf> {
        let own_tmp = PathBuf::from(format!("/tmp/interlock-{}", self.uid));
        let mut found: Vec<PathBuf> = Vec::new();
        let usual = [self.folder(), PathBuf::from("/run/interlock"), own_tmp];
        let sessions = self.sessions.iter().map(|session| session.join("interlock"));
        for folder in usual.into_iter().chain(sessions) {
            let path = folder.join(NAME);
            if !found.contains(&path) {
                found.push(path);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(systemd: Option<&str>, xdg: Option<&str>, uid: u32) -> Surroundings {
        let read = |name: &str| match name {
            "RUNTIME_DIRECTORY" => systemd.map(str::to_owned),
            "XDG_RUNTIME_DIR" => xdg.map(str::to_owned),
            other => panic!("{other} is not looked at"),
        };
        Surroundings::read(read, uid)
    }

    #[test]
    fn when_the_folder_is_chosen_expect_the_first_that_is_given() {
        for (systemd, xdg, uid, folder) in [
            (Some("/run/interlock:/run/other"), Some("/run/user/7"), 0, "/run/interlock"),
            (Some(""), Some("/run/user/7"), 7, "/run/user/7/interlock"),
            (None, Some("/run/user/0"), 0, "/run/user/0/interlock"),
            (None, None, 0, "/run/interlock"),
            (None, Some(""), 7, "/tmp/interlock-7"),
        ] {
            assert_eq!(surroundings(systemd, xdg, uid).folder(), PathBuf::from(folder));
        }
    }

    #[test]
    fn when_the_tool_looks_expect_its_own_folder_first_and_each_once() {
        let found = surroundings(None, Some("/run/user/7"), 7).candidates();
        let expected = [
            "/run/user/7/interlock/control.sock",
            "/run/interlock/control.sock",
            "/tmp/interlock-7/control.sock",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
        assert_eq!(surroundings(None, None, 0).candidates().len(), 2);
    }

    #[test]
    fn when_root_looks_expect_everybody_s_sessions_and_each_once() {
        let list =
            |folder: &str| ["1000", "7", "0"].map(|uid| PathBuf::from(folder).join(uid)).into();
        let found = surroundings(None, Some("/run/user/0"), 0).with_sessions(list).candidates();
        let expected = [
            "/run/user/0/interlock/control.sock",
            "/run/interlock/control.sock",
            "/tmp/interlock-0/control.sock",
            "/run/user/1000/interlock/control.sock",
            "/run/user/7/interlock/control.sock",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
        // Nobody else can look into them.
        let own = surroundings(None, None, 7);
        assert_eq!(own.clone().with_sessions(list), own);
    }
}
