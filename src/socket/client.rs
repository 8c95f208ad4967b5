//! One client: lines in, lines out, each wait bounded.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::inbox::{Inbox, Line, WAITING_BYTES};
use super::protocol::{self, Answer, ErrorCode, LINE_BYTES, Verb};
use super::rights::Peer;
use super::service::{Caller, Service};

/// Serves a client until it goes or passes a bound.
pub(super) async fn serve(stream: UnixStream, service: &Arc<Service>) {
    let Some(caller) = caller(&stream) else { return };
    let mut inbox = Inbox::new(&stream, service, caller);
    talk(&stream, service, caller, &mut inbox).await;
    inbox.leave();
}

async fn talk(stream: &UnixStream, service: &Arc<Service>, caller: Caller, inbox: &mut Inbox<'_>) {
    let bounds = service.bounds;
    loop {
        let line = match inbox.next(bounds.idle, bounds.line).await {
            Line::Whole(line) => line,
            Line::End => return,
            Line::Bound(code) => return over(stream, code, service).await,
        };
        let answer = match protocol::parse(&line) {
            Ok(request) if request.verb == Verb::Kill => inbox.answer_kill(request).await,
            Ok(request) => inbox.during(service.answer(request, caller)).await,
            Err(answer) => Some(*answer),
        };
        // What the client waited for is withdrawn with it, where motion could follow from it.
        let Some(answer) = answer else { return };
        let ends = answer.error.as_deref() == Some(ErrorCode::RateLimited.label());
        let sent = inbox.during(send(stream, &answer, bounds.write)).await;
        if sent != Some(true) || ends {
            return;
        }
    }
}

/// Serves a client beyond the bound: it may kill, quickly.
pub(super) async fn serve_kill_only(stream: UnixStream, service: &Arc<Service>) {
    let Some(caller) = caller(&stream) else { return };
    let mut inbox = Inbox::new(&stream, service, caller);
    let wait = service.bounds.reserve_line;
    if let Line::Whole(line) = inbox.next(wait, wait).await
        && let Ok(request) = protocol::parse(&line)
        && request.verb == Verb::Kill
    {
        if let Some(answer) = inbox.answer_kill(request).await {
            send(&stream, &answer, service.bounds.write).await;
        }
    } else {
        over(&stream, ErrorCode::TooManyClients, service).await;
    }
    inbox.leave();
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
        ErrorCode::Busy => format!(
            "over {} KiB of requests wait on this connection: read the answers before you ask \
             more",
            WAITING_BYTES / 1024
        ),
        ErrorCode::BadJson
        | ErrorCode::BadVersion
        | ErrorCode::UnknownVerb
        | ErrorCode::BadField
        | ErrorCode::NotAuthorised
        | ErrorCode::RateLimited
        | ErrorCode::Refused
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
