//! The node at the other end: over the control socket, and for looking also over HTTP.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::socket::place::Surroundings;
use crate::socket::protocol::{Answer, VERSION};
use crate::telemetry::status::Status;

/// Where a node's HTTP listens by default.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:9615";
/// Longer than any answer takes by the node's own bounds: five seconds for who asks, five for what
/// becomes of it.
const WISH: Duration = Duration::from_secs(12);
/// The same of a kill, which the node answers within 1.2 s: who gets no answer needs to know it.
const KILL: Duration = Duration::from_secs(3);
/// The same of a look, which waits for nothing: an old picture must not stand for the present one.
const LOOK: Duration = Duration::from_secs(3);
/// Of an answer. A status of 29 joints has 20 KB.
const ANSWER_BYTES: u64 = 8 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// No socket, or nobody behind it.
    #[error(
        "no node answers at {0}: it is not running, or has another control_socket.path (--socket)"
    )]
    NotRunning(String),
    /// The usual places have none, and a node answers over HTTP.
    #[error(
        "no node answers at {places}, but one does at {url}: verbs do not reach it from here: {how}"
    )]
    Elsewhere { places: String, url: String, how: String },
    /// More than one node answers, and which is meant is not ours to guess.
    #[error(
        "several nodes answer, at {0}: nothing was done. Say which is meant with --socket PATH"
    )]
    Several(String),
    /// Somebody listens and takes nobody.
    #[error("{0} takes no more connections: what listens there hangs, or is not Interlock")]
    Full(String),
    /// The socket is not for this user.
    #[error(
        "{0} is not open to you: become a member of its group (as root: usermod -aG interlock NAME, \
         then log in again), or use sudo"
    )]
    NoPermission(String),
    /// Nobody answers over HTTP.
    #[error(
        "cannot reach a node at {url}: {reason}\n  is it running?  is http.listen another address? (--url)"
    )]
    Unreachable { url: String, reason: Box<ureq::Error> },
    /// Somebody took the request and is silent.
    #[error(
        "{at} took the request and has not answered for {} s: what listens there hangs, and may still do it \
         when it goes on", after.as_secs()
    )]
    Silent { at: String, after: Duration },
    /// Somebody answers who is not Interlock.
    #[error("what answers at {at} is not Interlock: {reason}")]
    NotInterlock { at: String, reason: String },
}

/// How the node is reached.
pub(super) struct Client {
    paths: Vec<PathBuf>,
    /// Where to look over HTTP when no place answers; `None`: the command line says which node.
    fallback: Option<String>,
}

/// What a look found.
pub(super) struct Looked {
    pub(super) status: Status,
    /// Its JSON, as it came.
    pub(super) raw: String,
    /// Why verbs do not reach the node that was looked at; `None`: they do, or nobody knows.
    pub(super) unreached: Option<String>,
}

/// One place that somebody may listen at.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) found: Found,
}

/// What a place turned out to be.
#[derive(Debug)]
pub(super) enum Found {
    /// Somebody listens.
    Open(UnixStream),
    /// It is there, and not for this user.
    Closed,
    /// It is there, and its queue of connections is full.
    Full,
}

impl Found {
    /// Why nobody can be asked there.
    pub(super) fn without_answer(&self, path: String) -> NoAnswer {
        match self {
            Self::Full => NoAnswer::Full(path),
            Self::Open(_) | Self::Closed => NoAnswer::NoPermission(path),
        }
    }
}

/// Connects without waiting: where many hang before a node that takes nobody, a kill of the others must
/// not hang with them.
fn connect_at_once(path: &Path) -> io::Result<UnixStream> {
    use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

impl Client {
    /// `socket`: as the command line says; else the usual places.
    pub(super) fn new(socket: Option<PathBuf>, surroundings: &Surroundings) -> Self {
        match socket {
            Some(path) => Self { paths: vec![path], fallback: None },
            None => {
                Self { paths: surroundings.candidates(), fallback: Some(DEFAULT_URL.to_owned()) }
            }
        }
    }

    /// With other usual places: those of this machine may be a real robot's.
    #[cfg(test)]
    pub(super) fn of_usual(paths: Vec<PathBuf>, fallback: &str) -> Self {
        Self { paths, fallback: Some(fallback.to_owned()) }
    }

    /// The paths, for people.
    pub(super) fn places(&self) -> String {
        let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        paths.join(" or ")
    }

    /// Every place that is there, each once, whatever name it is reached by.
    pub(super) fn reach(&self) -> Vec<Place> {
        let mut seen = Vec::new();
        let mut found = Vec::new();
        for path in &self.paths {
            // A link to a place that was looked at already is no second node.
            let file = std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
            if file.is_some_and(|file| seen.contains(&file)) {
                continue;
            }
            seen.extend(file);
            let is = match connect_at_once(path) {
                Ok(stream) => Found::Open(stream),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Found::Closed,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Found::Full,
                Err(_) => continue,
            };
            found.push(Place { path: path.display().to_string(), found: is });
        }
        found
    }

    /// Connects to the one node that there is, and says where.
    pub(super) fn connect(&self) -> Result<(UnixStream, String), NoAnswer> {
        let (mut open, mut closed) = (Vec::new(), None);
        for Place { path, found } in self.reach() {
            match found {
                Found::Open(stream) => open.push((stream, path)),
                Found::Closed | Found::Full => {
                    closed.get_or_insert_with(|| found.without_answer(path));
                }
            }
        }
        if open.len() > 1 {
            let paths: Vec<String> = open.into_iter().map(|(_, path)| path).collect();
            return Err(NoAnswer::Several(paths.join(" and ")));
        }
        open.pop().ok_or_else(|| closed.unwrap_or_else(|| self.absent()))
    }

    /// Why no place answers. A node of another session, or with another path, may still answer over
    /// HTTP and say where its socket is; never tried where the command line names the node.
    pub(super) fn absent(&self) -> NoAnswer {
        let places = self.places();
        let Some(url) = &self.fallback else { return NoAnswer::NotRunning(places) };
        let Ok((status, _)) = fetch(url) else { return NoAnswer::NotRunning(places) };
        let how = match status.control_socket.as_str() {
            "" => "--socket PATH".to_owned(),
            path => format!("--socket {}", super::text::plain(path)),
        };
        NoAnswer::Elsewhere { places, url: url.clone(), how }
    }

    /// Asks one thing. `fields` are the verb's own.
    pub(super) fn ask(&self, verb: &str, fields: Value) -> Result<Answer, NoAnswer> {
        self.ask_raw(verb, fields).map(|(answer, _)| answer)
    }

    /// The same with the line as it came.
    pub(super) fn ask_raw(&self, verb: &str, fields: Value) -> Result<(Answer, String), NoAnswer> {
        let (stream, at) = self.connect()?;
        Asked::send(stream, at, verb, fields).answer()
    }

    /// The status over the socket.
    pub(super) fn status(&self) -> Result<Status, NoAnswer> {
        let answer = self.ask("status", Value::Null)?;
        let reason = answer.message;
        let at = self.places();
        answer.status.map(|status| *status).ok_or(NoAnswer::NotInterlock { at, reason })
    }

    /// The status and its JSON: over `url` where it is given, else over the socket. Where the socket is
    /// not named and no usual place answers, over HTTP's usual address: whoever names a node, or has
    /// several, would be told another's.
    pub(super) fn look(&self, url: Option<&str>) -> Result<Looked, NoAnswer> {
        if let Some(url) = url {
            let (status, raw) = fetch(url)?;
            return Ok(Looked { status, raw, unreached: None });
        }
        match self.status() {
            Ok(status) => {
                let raw = serde_json::to_string(&status).unwrap_or_default();
                Ok(Looked { status, raw, unreached: None })
            }
            Err(error @ NoAnswer::Several(_)) => Err(error),
            // What the socket says is what there is to correct.
            Err(error) => match self.fallback.as_deref().map(fetch) {
                Some(Ok((status, raw))) => {
                    Ok(Looked { status, raw, unreached: Some(error.to_string()) })
                }
                Some(Err(_)) | None => Err(error),
            },
        }
    }
}

/// A request on its way.
pub(super) struct Asked {
    stream: UnixStream,
    at: String,
    patience: Duration,
    /// An error line may be waiting although the request was not taken.
    sent: io::Result<()>,
}

impl Asked {
    /// Sends and does not wait: a kill of several nodes waits for none before all are asked.
    pub(super) fn send(mut stream: UnixStream, at: String, verb: &str, fields: Value) -> Self {
        let patience = patience(verb);
        for set in [UnixStream::set_read_timeout, UnixStream::set_write_timeout] {
            // Refused only for a time of zero.
            set(&stream, Some(patience)).ok();
        }
        let mut request = json!({"v": VERSION, "verb": verb, "client": "interlockctl"});
        if let (Some(request), Value::Object(fields)) = (request.as_object_mut(), fields) {
            request.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        let sent = stream.write_all(format!("{request}\n").as_bytes());
        Self { stream, at, patience, sent }
    }

    /// The answer, and the line as it came.
    pub(super) fn answer(self) -> Result<(Answer, String), NoAnswer> {
        let Self { stream, at, patience, sent } = self;
        let stranger = |reason: String| NoAnswer::NotInterlock { at: at.clone(), reason };
        let mut line = String::new();
        let mut reader = BufReader::new(stream).take(ANSWER_BYTES);
        let read = reader.read_line(&mut line);
        if line.is_empty() {
            let is_silent = read.as_ref().is_err_and(|error| {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
            });
            if is_silent && sent.is_ok() {
                return Err(NoAnswer::Silent { at, after: patience });
            }
            let failed = read.err().or(sent.err());
            return Err(stranger(failed.map_or_else(|| "it closed".to_owned(), |e| e.to_string())));
        }
        let answer = serde_json::from_str(&line).map_err(|error| stranger(error.to_string()))?;
        Ok((answer, line))
    }
}

fn patience(verb: &str) -> Duration {
    match verb {
        "kill" => KILL,
        "status" | "history" => LOOK,
        _ => WISH,
    }
}

/// The status over HTTP.
fn fetch(url: &str) -> Result<(Status, String), NoAnswer> {
    let url = format!("{}/status", url.trim_end_matches('/'));
    let unreachable = |reason| NoAnswer::Unreachable { url: url.clone(), reason: Box::new(reason) };
    let stranger = |reason| NoAnswer::NotInterlock { at: url.clone(), reason };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(LOOK))
        .http_status_as_error(false)
        // A proxy of the environment is for the web, not for the robot.
        .proxy(None)
        .max_redirects(0)
        .build()
        .into();
    let mut response = agent.get(&url).call().map_err(unreachable)?;
    if response.status().as_u16() != 200 {
        return Err(stranger(format!("it says {}", response.status())));
    }
    let raw = response.body_mut().read_to_string().map_err(unreachable)?;
    match serde_json::from_str(&raw) {
        Ok(status) => Ok((status, raw)),
        Err(error) => Err(stranger(error.to_string())),
    }
}
