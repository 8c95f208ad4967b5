//! The lines of the control socket: requests in, answers out. docs/control-socket.md is the reference.
//!
//! Pure. A request that is no kill is strict: unknown fields, missing fields and other versions are
//! refused, so that a mistyped `seq` is not a reset of something else. A kill is lenient: `"verb":
//! "kill"` in any object and the bare word `kill` do.
//!
//! **Invariant:** whatever the bytes, the result is a request or an error that says what to send.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::telemetry::history::Entry;
use crate::telemetry::status::{ConditionStatus, SelfTestPart, Status};
use crate::verbs::Ask;

/// The version of these lines. A changed meaning gets another number.
pub const VERSION: u64 = 1;
/// The longest line, its end not counted.
pub const LINE_BYTES: usize = 4096;
/// The longest `operator` or `reason` that is kept; more is cut off.
pub const TEXT_BYTES: usize = crate::attribution::TEXT_BYTES;
/// The longest `id` that is sent back, as JSON.
const ID_BYTES: usize = 64;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The state.
    Status,
    /// The last events.
    History,
    /// Who the node takes the caller for.
    Whoami,
    /// Stop.
    Kill,
    /// A verb that may be refused.
    Asks(Ask),
}

impl Verb {
    /// Whether motion can follow from it: these need more than an open socket.
    #[must_use]
    pub const fn releases(&self) -> bool {
        match self {
            Self::Asks(ask) => ask.releases(),
            Self::Status | Self::History | Self::Whoami | Self::Kill => false,
        }
    }

    /// Whether there is a limit on how often it is asked.
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        match self {
            Self::Asks(ask) => ask.is_limited(),
            Self::Status | Self::History | Self::Whoami | Self::Kill => false,
        }
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Comes back in the answer.
    pub id: Option<Value>,
    /// What.
    pub verb: Verb,
    /// The name that the caller gives.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// The program that asks, as it calls itself.
    pub client: String,
}

/// The error words. The list here is the list of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// Not one JSON object.
    BadJson,
    /// Another `v`, or none.
    BadVersion,
    /// No such verb.
    UnknownVerb,
    /// A field is missing, unknown, or of another type.
    BadField,
    /// Over [`LINE_BYTES`].
    LineTooLong,
    /// Nothing, or no end of a line, for too long.
    TooSlow,
    /// As many clients as there may be.
    TooManyClients,
    /// Who asks may not.
    NotAuthorised,
    /// Too many attempts.
    RateLimited,
    /// The node refuses: the state or a condition, see `message` and `unmet`.
    Refused,
    /// The kill is latched and stopped nothing: every lane only watches.
    NotGated,
    /// The self test ran and found something wrong, see `self_test`.
    Failed,
    /// Other requests fill the queue.
    Busy,
    /// The node is shutting down.
    Ended,
    /// No answer from the node's own threads in time.
    NoAnswer,
}

impl ErrorCode {
    /// Every one, for the reference.
    pub const ALL: [Self; 15] = [
        Self::BadJson,
        Self::BadVersion,
        Self::UnknownVerb,
        Self::BadField,
        Self::LineTooLong,
        Self::TooSlow,
        Self::TooManyClients,
        Self::NotAuthorised,
        Self::RateLimited,
        Self::Refused,
        Self::NotGated,
        Self::Failed,
        Self::Busy,
        Self::Ended,
        Self::NoAnswer,
    ];

    /// As `error` says it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::BadVersion => "bad_version",
            Self::UnknownVerb => "unknown_verb",
            Self::BadField => "bad_field",
            Self::LineTooLong => "line_too_long",
            Self::TooSlow => "too_slow",
            Self::TooManyClients => "too_many_clients",
            Self::NotAuthorised => "not_authorised",
            Self::RateLimited => "rate_limited",
            Self::Refused => "refused",
            Self::NotGated => "not_gated",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::Ended => "ended",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// Who the node takes the caller for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whoami {
    /// The caller's user.
    pub uid: u32,
    /// Whether reset, arm and select_source are open to it.
    pub may_release: bool,
    /// The node's own user.
    pub node_uid: u32,
    /// The node's process.
    pub node_pid: u32,
    /// The group whose members may release.
    pub group: String,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// [`VERSION`].
    pub v: u64,
    /// The request's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Value>,
    /// Done.
    pub ok: bool,
    /// Why not, one of [`ErrorCode`]; absent when done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// For people: what is now, or why not and what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The state after a verb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `seq` after a verb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What stood in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<ConditionStatus>,
    /// Source in charge of the lane asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// To `self_test`, one entry a part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub self_test: Vec<SelfTestPart>,
    /// To `status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Box<Status>>,
    /// To `history`, the oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<Entry>>,
    /// To `whoami`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whoami: Option<Whoami>,
}

impl Answer {
    /// A good answer.
    #[must_use]
    pub fn good(message: impl Into<String>) -> Self {
        Self { v: VERSION, ok: true, message: message.into(), ..Self::default() }
    }

    /// An error.
    #[must_use]
    pub fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        let error = Some(code.label().to_owned());
        Self { v: VERSION, error, message: message.into(), ..Self::default() }
    }

    /// The line, ended.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        // Only a map with keys that are no strings fails, and there is none.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// The fields of a request as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "v")]
    _v: u64,
    #[serde(rename = "id")]
    _id: Option<Value>,
    verb: String,
    operator: Option<String>,
    reason: Option<String>,
    client: Option<String>,
    seq: Option<u64>,
    profile: Option<String>,
    lane: Option<String>,
    source: Option<String>,
}

/// Reads a line, its end removed.
///
/// # Errors
/// The answer to send.
pub fn parse(line: &[u8]) -> Result<Request, Box<Answer>> {
    let text = String::from_utf8_lossy(line);
    let text = text.trim();
    if text == "kill" {
        return Ok(bare_kill(None));
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| refuse(None, ErrorCode::BadJson, &format!("not JSON: {error}")))?;
    let Some(object) = value.as_object() else {
        return Err(refuse(None, ErrorCode::BadJson, "not a JSON object"));
    };
    let id = object.get("id").filter(|id| id.to_string().len() <= ID_BYTES).cloned();
    let text_of = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    if text_of("verb") == "kill" {
        return Ok(Request {
            operator: text_of("operator"),
            reason: text_of("reason"),
            client: text_of("client"),
            ..bare_kill(id)
        });
    }
    if object.get("v").and_then(Value::as_u64) != Some(VERSION) {
        let what = format!("this node speaks version {VERSION}: send \"v\":{VERSION}");
        return Err(refuse(id, ErrorCode::BadVersion, &what));
    }
    let fields = Fields::deserialize(&value)
        .map_err(|error| refuse(id.clone(), ErrorCode::BadField, &error.to_string()))?;
    let verb = verb(&fields).map_err(|(code, what)| refuse(id.clone(), code, &what))?;
    Ok(Request {
        id,
        verb,
        operator: fields.operator.unwrap_or_default(),
        reason: fields.reason.unwrap_or_default(),
        client: fields.client.unwrap_or_default(),
    })
}

/// Whether a line that cannot be read, or a part of one, asks for a kill: it has a `verb` that is `kill`.
/// A request of another verb has none, and quotes within its texts are escaped.
#[must_use]
pub fn kills(part: &[u8]) -> bool {
    const KEY: &[u8] = b"\"verb\"";
    let at_key = |at: &usize| part.get(*at..).is_some_and(|rest| rest.starts_with(KEY));
    (0..part.len()).filter(at_key).any(|at| {
        let is_text = at.checked_sub(1).and_then(|before| part.get(before)) == Some(&b'\\');
        let rest = part.get(at.saturating_add(KEY.len())..).unwrap_or_default().trim_ascii_start();
        let value = rest.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
        !is_text && value.starts_with(b"\"kill\"")
    })
}

/// Whether a line that is no JSON, and was answered so, asks for a kill.
#[must_use]
pub fn kills_broken(line: &[u8], answer: &Answer) -> bool {
    answer.error.as_deref() == Some(ErrorCode::BadJson.label()) && kills(line)
}

/// The kill that a line asks for which cannot be read, and why it cannot.
#[must_use]
pub fn unread_kill(line: &str) -> Request {
    Request { reason: format!("in a line {line}"), ..bare_kill(None) }
}

fn bare_kill(id: Option<Value>) -> Request {
    let empty = String::new;
    Request { id, verb: Verb::Kill, operator: empty(), reason: empty(), client: empty() }
}

fn refuse(id: Option<Value>, code: ErrorCode, what: &str) -> Box<Answer> {
    Box::new(Answer { id, ..Answer::error(code, what) })
}

fn verb(fields: &Fields) -> Result<Verb, (ErrorCode, String)> {
    let seq = |verb: &str| {
        let missing = || {
            (ErrorCode::BadField, format!("{verb} needs `seq`, as status shows it, and no other"))
        };
        fields.seq.ok_or_else(missing)
    };
    let verb = match fields.verb.as_str() {
        "status" => Verb::Status,
        "history" => Verb::History,
        "whoami" => Verb::Whoami,
        "reset" => Verb::Asks(Ask::Reset { seq: seq("reset")? }),
        "arm" => {
            let profile = fields.profile.clone().unwrap_or_default();
            Verb::Asks(Ask::Arm { seq: seq("arm")?, profile })
        }
        "disarm" => Verb::Asks(Ask::Disarm),
        "self_test" => Verb::Asks(Ask::SelfTest),
        "select_source" => {
            let lane = fields
                .lane
                .clone()
                .ok_or_else(|| (ErrorCode::BadField, "select_source needs `lane`".to_owned()))?;
            let source = fields.source.clone().unwrap_or_default();
            Verb::Asks(Ask::SelectSource { lane, source })
        }
        other => {
            let known = "kill, status, history, whoami, reset, arm, disarm, select_source, \
                         self_test";
            let what = format!("there is no verb {other:?}; there are {known}");
            return Err((ErrorCode::UnknownVerb, what));
        }
    };
    refuse_unused(fields, &verb)?;
    Ok(verb)
}

/// A field that the verb does not have would be believed in.
fn refuse_unused(fields: &Fields, verb: &Verb) -> Result<(), (ErrorCode, String)> {
    let (has_seq, has_profile, has_lane) = match verb {
        Verb::Asks(Ask::Reset { .. }) => (true, false, false),
        Verb::Asks(Ask::Arm { .. }) => (true, true, false),
        Verb::Asks(Ask::SelectSource { .. }) => (false, false, true),
        Verb::Asks(Ask::Disarm | Ask::SelfTest)
        | Verb::Status
        | Verb::History
        | Verb::Whoami
        | Verb::Kill => (false, false, false),
    };
    let unused = [
        ("seq", fields.seq.is_some() && !has_seq),
        ("profile", fields.profile.is_some() && !has_profile),
        ("lane", fields.lane.is_some() && !has_lane),
        ("source", fields.source.is_some() && !has_lane),
    ];
    match unused.iter().find(|(_, is_unused)| *is_unused) {
        Some((name, _)) => {
            Err((ErrorCode::BadField, format!("{} has no field `{name}`", fields.verb)))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
