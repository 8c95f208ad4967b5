//! What a client sends: read as it comes, also while an answer is made or sent.
//!
//! A line has its answer in its turn; what stops motion does not wait for it.
//!
//! **Invariant:** a kill is raised when its line is read, whatever waits before it, and also where
//! the connection ends before its turn; a disarm that never has its turn is left for thread
//! `control`. **Invariant:** bounded: of what waits for its turn [`WAITING_BYTES`] are kept; what
//! comes beyond is looked at and not kept. A line too long to be read is refused, and if it says kill
//! anywhere, it kills.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use super::protocol::{self, Answer, ErrorCode, LINE_BYTES, Request, Verb};
use super::service::{Caller, Raised, Service};
use crate::verbs::Ask;

/// Kept of the lines that wait for their turn: more than any program asks before it reads.
pub(super) const WAITING_BYTES: usize = 256 * 1024;
/// Read before a line has its turn. Less than is kept, so that many requests in one go are fine.
const AHEAD_BYTES: usize = WAITING_BYTES / 4;
/// Looks at what is still to be read when the connection ends: more than the kernel keeps of it, and
/// an end for one who never stops sending.
const LAST_READS: usize = 128;

/// Of a line too long to be read, what of a piece is looked at again with the next one.
const OVERLAP_BYTES: usize = 256;

/// Between two looks whether a client that sends no more still reads.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a client sent.
pub(super) enum Line {
    /// A line without its end, or what came before the client closed its side.
    Whole(Vec<u8>),
    /// The client has gone, or closed its side.
    End,
    /// A bound was passed.
    Bound(ErrorCode),
}

/// What one attempt to read found.
enum Read {
    Some,
    Nothing,
    End,
}

/// A kill that waits for its turn.
struct Kill {
    raised: Raised,
    /// Who waits for what becomes of it; `None`: nobody yet, because an earlier one is waited for.
    told: Option<JoinHandle<Answer>>,
}

/// A line too long to be read, so far.
#[derive(Default)]
struct Long {
    /// The end of what came, to be looked at again with what comes next.
    end: Vec<u8>,
    /// It said kill.
    kills: bool,
}

/// The lines of one client.
pub(super) struct Inbox<'a> {
    stream: &'a UnixStream,
    service: &'a Arc<Service>,
    caller: Caller,
    /// Whole lines that wait for their turn, then the beginning of the next one.
    bytes: Vec<u8>,
    /// How many of these bytes are whole lines. All of them have been looked at.
    whole: usize,
    /// The kills among these lines, in their order.
    kills: VecDeque<Kill>,
    /// Of the newest kill that is waited for.
    waits: Option<AbortHandle>,
    /// The first disarm that will have no turn.
    disarm: Option<Request>,
    /// Why the connection ends after the lines that are kept.
    bound: Option<ErrorCode>,
    /// `None`: within no line that is too long to be kept.
    long: Option<Long>,
    has_ended: bool,
}

impl<'a> Inbox<'a> {
    pub(super) const fn new(
        stream: &'a UnixStream,
        service: &'a Arc<Service>,
        caller: Caller,
    ) -> Self {
        Self {
            stream,
            service,
            caller,
            bytes: Vec::new(),
            whole: 0,
            kills: VecDeque::new(),
            waits: None,
            disarm: None,
            bound: None,
            long: None,
            has_ended: false,
        }
    }

    /// The next line: its first byte within `idle`, its end within `whole` from then.
    pub(super) async fn next(&mut self, idle: Duration, whole: Duration) -> Line {
        // Beyond a bound nothing more is kept, so there would be no end of it.
        while self.bound.is_none() && self.whole < AHEAD_BYTES && matches!(self.read(), Read::Some)
        {
        }
        if let Some(line) = self.pop() {
            return line;
        }
        if self.bytes.is_empty() && self.long.is_none() && timeout(idle, self.more()).await.is_err()
        {
            return Line::Bound(ErrorCode::TooSlow);
        }
        let end = async {
            loop {
                if let Some(line) = self.pop() {
                    return line;
                }
                self.more().await;
            }
        };
        let ended = timeout(whole, end).await;
        ended.unwrap_or_else(|_| Line::Bound(self.bound.unwrap_or(ErrorCode::TooSlow)))
    }

    /// Waits for `work`, and goes on reading meanwhile; `None`: the client has gone, and the work is
    /// dropped. One that has only closed its side still reads.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            if self.has_ended {
                tokio::select! {
                    biased;
                    done = &mut work => return Some(done),
                    () = self.gone() => return None,
                }
            }
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = self.more() => {}
            }
        }
    }

    /// Waits until nobody is there to read an answer.
    async fn gone(&self) {
        // What is closed for good always counts as writable, too: there is nothing to be woken by.
        while let Ok(ready) = self.stream.ready(Interest::WRITABLE).await
            && !ready.is_write_closed()
        {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The answer to a kill whose turn it is; `None`: the client has gone.
    pub(super) async fn answer_kill(&mut self, request: Request) -> Option<Answer> {
        let service = self.service.clone();
        let Some(Kill { raised, told }) = self.kills.pop_front() else {
            return self.during(service.answer(request, self.caller)).await;
        };
        if let Some(told) = told
            && let Ok(answer) = self.during(told).await?
        {
            return Some(answer);
        }
        self.during(service.killed(request, self.caller, raised)).await
    }

    /// The connection ends: what stops motion is done nevertheless.
    pub(super) fn leave(&mut self) {
        self.bound.get_or_insert(ErrorCode::Busy);
        for _ in 0..LAST_READS {
            if !matches!(self.read(), Read::Some) {
                break;
            }
        }
        // A kill whose line never ended is meant as well.
        let rest = self.bytes.split_off(self.whole);
        if self.long.is_some() {
            self.look_at_long(&rest);
        } else {
            self.look_at(&rest, false);
        }
        for line in std::mem::take(&mut self.bytes).split(|byte| *byte == b'\n') {
            if let Ok(request) = protocol::parse(line) {
                self.note_disarm(request);
            }
        }
        if let Some(request) = self.disarm.take() {
            self.service.leave(request, self.caller);
        }
    }

    /// The next line that has its turn, or why there is none any more.
    fn pop(&mut self) -> Option<Line> {
        if let Some(end) = self.bytes.iter().take(self.whole).position(|byte| *byte == b'\n') {
            let rest = self.bytes.split_off(end.saturating_add(1));
            let mut line = std::mem::replace(&mut self.bytes, rest);
            self.whole = self.whole.saturating_sub(line.len());
            line.pop();
            return Some(Line::Whole(line));
        }
        // A line too long to be read may say kill at its end.
        if self.long.as_ref().is_some_and(|long| !long.kills) && !self.has_ended {
            return None;
        }
        match (self.bound, self.has_ended) {
            (Some(code), _) => Some(Line::Bound(code)),
            (None, true) => Some(Line::End),
            (None, false) => None,
        }
    }

    /// Waits until there is something to read, and takes it.
    async fn more(&mut self) {
        while matches!(self.read(), Read::Nothing) {
            if self.stream.readable().await.is_err() {
                return self.ended();
            }
        }
        // Who sends without end must not keep the others, and the clock, from their turn.
        tokio::task::yield_now().await;
    }

    /// Takes what has come.
    fn read(&mut self) -> Read {
        if self.has_ended {
            return Read::End;
        }
        let mut buffer = [0_u8; LINE_BYTES];
        match self.stream.try_read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Read::Nothing,
            Ok(0) | Err(_) => {
                self.ended();
                Read::End
            }
            Ok(count) => {
                self.bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
                self.look();
                Read::Some
            }
        }
    }

    /// `printf kill` has no end of a line, and is meant.
    fn ended(&mut self) {
        self.has_ended = true;
        if self.bytes.len() > self.whole {
            self.bytes.push(b'\n');
            self.look();
        }
    }

    /// Looks at each line that has become whole.
    fn look(&mut self) {
        loop {
            let fresh = self.bytes.get(self.whole..).unwrap_or_default();
            let Some(end) = fresh.iter().position(|byte| *byte == b'\n') else { break };
            let line = fresh.get(..end).unwrap_or_default().to_vec();
            let after = self.whole.saturating_add(end).saturating_add(1);
            let is_long = self.long.is_some() || line.len() > LINE_BYTES;
            if is_long {
                self.bound.get_or_insert(ErrorCode::LineTooLong);
                self.look_at_long(&line);
                self.long = None;
            }
            let is_kept = self.bound.is_none();
            if !is_long {
                self.look_at(&line, is_kept);
            }
            if is_kept {
                self.whole = after;
            } else {
                self.bytes.drain(self.whole..after);
            }
            if self.whole > WAITING_BYTES {
                self.bound.get_or_insert(ErrorCode::Busy);
            }
        }
        if self.bytes.len().saturating_sub(self.whole) > LINE_BYTES {
            self.bound.get_or_insert(ErrorCode::LineTooLong);
            let piece = self.bytes.split_off(self.whole);
            self.look_at_long(&piece);
        }
    }

    /// Raises the kill that a piece of a line too long to be read asks for, with the end of the piece
    /// before it.
    fn look_at_long(&mut self, piece: &[u8]) {
        let Long { end: mut text, mut kills } = self.long.take().unwrap_or_default();
        text.extend_from_slice(piece);
        if !kills && protocol::kills(&text) {
            self.service.raise(&protocol::unread_kill("too long to be read"), self.caller);
            kills = true;
        }
        let end = text.split_off(text.len().saturating_sub(OVERLAP_BYTES));
        self.long = Some(Long { end, kills });
    }

    /// Raises the kill of a line that is one.
    fn look_at(&mut self, line: &[u8], is_kept: bool) {
        let request = match protocol::parse(line) {
            Ok(request) => request,
            Err(answer) => {
                if protocol::kills_broken(line, &answer) {
                    self.service.raise(&protocol::unread_kill("that is no JSON"), self.caller);
                }
                return;
            }
        };
        if request.verb != Verb::Kill {
            if !is_kept {
                self.note_disarm(request);
            }
            return;
        }
        let raised = self.service.raise(&request, self.caller);
        // One at a time: a flood of kills is one fact.
        let told = self.waits.as_ref().is_none_or(AbortHandle::is_finished).then(|| {
            let (service, caller) = (self.service.clone(), self.caller);
            tokio::spawn(async move { service.killed(request, caller, raised).await })
        });
        if let Some(told) = &told {
            self.waits = Some(told.abort_handle());
        }
        if is_kept {
            self.kills.push_back(Kill { raised, told });
        }
    }

    fn note_disarm(&mut self, request: Request) {
        if request.verb == Verb::Asks(Ask::Disarm) {
            self.disarm.get_or_insert(request);
        }
    }
}
