//! One client: lines in, lines out, each wait bounded.

use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::protocol::{self, Answer, ErrorCode, LINE_BYTES, Verb};
use super::rights::Peer;
use super::service::{Caller, Service};

/// What a client sent.
enum Line {
    /// A line without its end, or what came before the client closed its side.
    Whole(Vec<u8>),
    /// The client has gone, or closed its side.
    End,
    /// A bound was passed.
    Bound(ErrorCode),
}

/// Serves a client until it goes or passes a bound.
pub(super) async fn serve(stream: UnixStream, service: &Service) {
    let Some(caller) = caller(&stream) else { return };
    let mut reader = Reader::default();
    let bounds = service.bounds;
    loop {
        let line = match reader.line(&stream, bounds.idle, bounds.line).await {
            Line::Whole(line) => line,
            Line::End => return,
            Line::Bound(code) => return over(&stream, code, service).await,
        };
        let (answer, ends) = match protocol::parse(&line) {
            Ok(request) => {
                let answer = service.answer(request, caller).await;
                let ends = answer.error.as_deref() == Some(ErrorCode::RateLimited.label());
                (answer, ends)
            }
            Err(answer) => (*answer, false),
        };
        if !send(&stream, &answer, bounds.write).await || ends {
            return;
        }
    }
}

/// Serves a client beyond the bound: it may kill, quickly.
pub(super) async fn serve_kill_only(stream: UnixStream, service: &Service) {
    let Some(caller) = caller(&stream) else { return };
    let wait = service.bounds.reserve_line;
    let line = Reader::default().line(&stream, wait, wait).await;
    if let Line::Whole(line) = line
        && let Ok(request) = protocol::parse(&line)
        && request.verb == Verb::Kill
    {
        let answer = service.answer(request, caller).await;
        send(&stream, &answer, service.bounds.write).await;
        return;
    }
    over(&stream, ErrorCode::TooManyClients, service).await;
}

/// `None` where the kernel does not say who it is, which is nobody to talk to.
fn caller(stream: &UnixStream) -> Option<Caller> {
    match stream.peer_cred() {
        Ok(peer) => Some(Caller { peer: Peer { uid: peer.uid(), gid: peer.gid() } }),
        Err(error) => {
            tracing::debug!(%error, "socket: no peer credentials: {error}");
            None
        }
    }
}

async fn over(stream: &UnixStream, code: ErrorCode, service: &Service) {
    let bounds = service.bounds;
    let message = match code {
        ErrorCode::LineTooLong => format!("a line has at most {LINE_BYTES} bytes"),
        ErrorCode::TooManyClients => format!(
            "{} clients are connected, as many as may be: close one and try again (a kill is \
             always served)",
            bounds.clients
        ),
        ErrorCode::TooSlow => {
            format!("no request for {:?}, or no end of a line for {:?}", bounds.idle, bounds.line)
        }
        ErrorCode::BadJson
        | ErrorCode::BadVersion
        | ErrorCode::UnknownVerb
        | ErrorCode::BadField
        | ErrorCode::NotAuthorised
        | ErrorCode::RateLimited
        | ErrorCode::Refused
        | ErrorCode::Busy
        | ErrorCode::Ended
        | ErrorCode::NotGated
        | ErrorCode::Failed
        | ErrorCode::NoAnswer => String::new(),
    };
    send(stream, &Answer::error(code, message), bounds.write).await;
}

/// Sends an answer. Returns whether the client took it in time.
async fn send(stream: &UnixStream, answer: &Answer, within: Duration) -> bool {
    let line = answer.line();
    let write = async {
        let mut rest = line.as_slice();
        while !rest.is_empty() {
            stream.writable().await.ok()?;
            match stream.try_write(rest) {
                Ok(0) => return None,
                Ok(count) => rest = rest.get(count..)?,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
        Some(())
    };
    matches!(timeout(within, write).await, Ok(Some(())))
}

/// Bytes that have come and not yet been a line.
#[derive(Default)]
struct Reader {
    bytes: Vec<u8>,
    has_ended: bool,
}

impl Reader {
    /// The next line: its first byte within `idle`, its end within `whole` from then.
    async fn line(&mut self, stream: &UnixStream, idle: Duration, whole: Duration) -> Line {
        if self.bytes.is_empty() {
            match timeout(idle, self.more(stream)).await {
                Ok(true) => {}
                Ok(false) => return Line::End,
                Err(_) => return Line::Bound(ErrorCode::TooSlow),
            }
        }
        timeout(whole, self.end_of_line(stream)).await.unwrap_or(Line::Bound(ErrorCode::TooSlow))
    }

    async fn end_of_line(&mut self, stream: &UnixStream) -> Line {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let rest = self.bytes.split_off(end.saturating_add(1));
                let mut line = std::mem::replace(&mut self.bytes, rest);
                line.pop();
                return if line.len() > LINE_BYTES {
                    Line::Bound(ErrorCode::LineTooLong)
                } else {
                    Line::Whole(line)
                };
            }
            if self.bytes.len() > LINE_BYTES {
                return Line::Bound(ErrorCode::LineTooLong);
            }
            if self.has_ended || !self.more(stream).await {
                // `printf kill` has no end of a line, and is meant.
                let line = std::mem::take(&mut self.bytes);
                return if line.is_empty() { Line::End } else { Line::Whole(line) };
            }
        }
    }

    /// Takes what has come. False: the client has gone.
    async fn more(&mut self, stream: &UnixStream) -> bool {
        let mut buffer = [0_u8; LINE_BYTES];
        loop {
            if stream.readable().await.is_err() {
                self.has_ended = true;
                return false;
            }
            match stream.try_read(&mut buffer) {
                Ok(0) => {
                    self.has_ended = true;
                    return false;
                }
                Ok(count) => {
                    self.bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    return true;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    self.has_ended = true;
                    return false;
                }
            }
        }
    }
}
