//! What the socket does for a request.

use std::time::Duration;

use parking_lot::Mutex;

use super::protocol::{Answer, ErrorCode, Request, Verb, Whoami};
use super::rights::Peer;
use super::{Bounds, SocketParts, View};
use crate::gate::cause::Cause;
use crate::gate::units::SteadyTime;
use crate::telemetry::events::{Event, RequestRefusal, ShortText, Verb as EventVerb, What};
use crate::verbs::{Attempts, NotTaken, Outcome, Via, Wish, count_refused};

/// Between two looks at the snapshot while a kill is waited for: the gate makes one each tick.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// The longest name of a program that is shown, in letters.
const CLIENT_LETTERS: usize = 24;

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) peer: Peer,
}

/// A kill that was raised, and what was there before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raised {
    before: View,
    at: SteadyTime,
}

/// The answers' side of the thread.
pub(super) struct Service {
    parts: SocketParts,
    pub(super) bounds: Bounds,
    attempts: Mutex<Attempts>,
}

impl Service {
    pub(super) fn new(parts: SocketParts, bounds: Bounds) -> Self {
        Self { parts, bounds, attempts: Mutex::default() }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request, caller: Caller) -> Answer {
        let Request { id, verb, operator, reason, client } = request;
        let mut answer = match verb {
            Verb::Kill => {
                let request = Request { id: None, verb, operator, reason, client };
                let raised = self.raise(&request, caller);
                self.killed(request, caller, raised).await
            }
            Verb::Status => {
                let status = Some(Box::new(self.parts.behind.status()));
                Answer { status, ..Answer::good("") }
            }
            Verb::History => {
                let history = Some(self.parts.history.entries());
                Answer { history, ..Answer::good("") }
            }
            Verb::Whoami => self.whoami(caller).await,
            Verb::Asks(ask) => {
                let operator = who(caller, &operator, &client);
                let wish = Wish { ask, operator, reason, via: Via::Socket };
                self.wish(wish, caller).await
            }
        };
        answer.id = id;
        answer
    }

    /// Raises a kill.
    pub(super) fn raise(&self, request: &Request, caller: Caller) -> Raised {
        let behind = &self.parts.behind;
        let before = behind.view();
        let at = behind.now();
        behind.kill();
        let operator = ShortText::new(&who(caller, &request.operator, &request.client));
        let reason = ShortText::new(&request.reason);
        let what = What::Requested { verb: EventVerb::Kill, seq: None, operator, reason };
        self.parts.events.post(Event { at, what });
        Raised { before, at: at.steady }
    }

    /// Waits until the gate's snapshot shows a kill, and answers it.
    pub(super) async fn killed(&self, request: Request, caller: Caller, raised: Raised) -> Answer {
        let operator = who(caller, &request.operator, &request.client);
        let answer = self.shown_and_noted(&operator, &request.reason, raised).await;
        Answer { id: request.id, ..answer }
    }

    async fn shown_and_noted(&self, operator: &str, reason: &str, raised: Raised) -> Answer {
        let Raised { before, at } = raised;
        let shown = tokio::time::timeout(self.bounds.kill, self.shown(before, at)).await;
        let Ok(view) = shown else {
            return Answer::error(
                ErrorCode::NoAnswer,
                "the kill is raised, but the gate thread has not shown it within a second: use the \
                 hardware emergency stop",
            );
        };
        if let Some((seq, Cause::KillSocket)) = view.newest
            && before.newest.is_none_or(|(old, _)| old != seq)
        {
            self.parts.attribution.note(seq, operator, reason);
        }
        let latch = self.on_disk(view.seq).await;
        let watched = &self.parts.watched;
        let message = watched.killed(view.seq, &latch);
        let base = if watched.is_all() {
            Answer::error(ErrorCode::NotGated, message)
        } else {
            Answer::good(message)
        };
        Answer { state: Some("killed".to_owned()), seq: Some(view.seq), ..base }
    }

    /// Looks until a snapshot shows the kill: a newer trip, or, where it is the same cause again and
    /// `seq` stays, a snapshot of a turn that began after the kill was raised.
    async fn shown(&self, before: View, raised: SteadyTime) -> View {
        let mut first_after: Option<SteadyTime> = None;
        loop {
            let view = self.parts.behind.view();
            if view.is_killed && view.newest != before.newest {
                return view;
            }
            if view.at > raised {
                // The turn of the first snapshot may have looked for kills before this one.
                let first = *first_after.get_or_insert(view.at);
                if view.is_killed && view.at > first {
                    return view;
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What became of a kill's record, in words. It has stopped already: this only tells.
    async fn on_disk(&self, seq: u64) -> String {
        let looks = async {
            loop {
                if let Some(words) = self.parts.behind.latch(seq) {
                    return words;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let told = tokio::time::timeout(self.bounds.latch, looks).await;
        told.unwrap_or_else(|_| "not on disk yet: until it is, a restart may forget it".to_owned())
    }

    /// Leaves a wish whose caller waits for no answer.
    pub(super) fn leave(&self, request: Request, caller: Caller) {
        let Verb::Asks(ask) = request.verb else { return };
        let operator = who(caller, &request.operator, &request.client);
        let wish = Wish { ask, operator, reason: request.reason, via: Via::Socket };
        match self.parts.behind.ask(wish.clone()) {
            Ok(_) => {}
            Err(NotTaken::Busy) => self.refused(&wish, RequestRefusal::Busy),
            Err(NotTaken::Ended) => self.refused(&wish, RequestRefusal::Ended),
        }
    }

    async fn whoami(&self, caller: Caller) -> Answer {
        let whoami = Whoami {
            uid: caller.peer.uid,
            may_release: self.may_release(caller).await,
            node_uid: self.parts.own_uid,
            node_pid: std::process::id(),
            group: self.parts.group.clone(),
        };
        Answer { whoami: Some(whoami), ..Answer::good("") }
    }

    /// Whether a caller may let motion begin. A look that does not end in time says no.
    async fn may_release(&self, caller: Caller) -> bool {
        let accounts = self.parts.accounts.clone();
        let (own_uid, group) = (self.parts.own_uid, self.parts.group.clone());
        let look = tokio::task::spawn_blocking(move || {
            accounts().may_release(caller.peer, own_uid, &group)
        });
        matches!(tokio::time::timeout(self.bounds.answer, look).await, Ok(Ok(true)))
    }

    async fn wish(&self, wish: Wish, caller: Caller) -> Answer {
        let verb = Verb::Asks(wish.ask.clone());
        if verb.is_limited() {
            let now = self.parts.behind.now().steady;
            let may_try = self.attempts.lock().take(caller.peer.uid, now);
            if !may_try {
                self.refused(&wish, RequestRefusal::RateLimited);
                tokio::time::sleep(self.bounds.penalty).await;
                return Answer::error(
                    ErrorCode::RateLimited,
                    "refused: too many attempts; wait a few seconds and try again",
                );
            }
        }
        if verb.releases() && !self.may_release(caller).await {
            self.refused(&wish, RequestRefusal::NotAuthorised);
            let group = &self.parts.group;
            let message = format!(
                "refused: uid {} may not let motion begin. Who may: root, the node's own user \
                 (uid {}), members of group {group} (as root: usermod -aG {group} NAME, then log \
                 in again)",
                caller.peer.uid, self.parts.own_uid
            );
            return Answer::error(ErrorCode::NotAuthorised, message);
        }
        let outcome = match self.parts.behind.ask(wish.clone()) {
            Ok(outcome) => outcome,
            Err(error @ NotTaken::Busy) => {
                self.refused(&wish, RequestRefusal::Busy);
                return Answer::error(ErrorCode::Busy, format!("refused: {error}"));
            }
            Err(error @ NotTaken::Ended) => {
                self.refused(&wish, RequestRefusal::Ended);
                return Answer::error(ErrorCode::Ended, format!("refused: {error}"));
            }
        };
        match tokio::time::timeout(self.bounds.answer, outcome).await {
            Ok(Ok(outcome)) => answered(outcome),
            Ok(Err(_)) => Answer::error(ErrorCode::Ended, "the node is shutting down"),
            Err(_) => Answer::error(
                ErrorCode::NoAnswer,
                "the node has not answered in time, and may still do it: look at status",
            ),
        }
    }

    /// Counts and tells a refusal that the gate never sees.
    fn refused(&self, wish: &Wish, why: RequestRefusal) {
        let what = count_refused(&self.parts.slots, wish, why);
        self.parts.events.post(Event { at: self.parts.behind.now(), what });
    }
}

fn answered(outcome: Outcome) -> Answer {
    let Outcome { done, message, state, seq, moved: _, unmet, owner, self_test } = outcome;
    let base = if done {
        Answer::good(message)
    } else if self_test.is_empty() {
        Answer::error(ErrorCode::Refused, message)
    } else {
        Answer::error(ErrorCode::Failed, message)
    };
    let was_asked = !state.is_empty();
    Answer {
        state: was_asked.then_some(state),
        seq: was_asked.then_some(seq),
        unmet,
        owner,
        self_test,
        ..base
    }
}

/// Who it is, in words: what the kernel says is told apart from what the caller says.
fn who(caller: Caller, operator: &str, client: &str) -> String {
    let uid = caller.peer.uid;
    let client: String = client.chars().take(CLIENT_LETTERS).collect();
    match (operator.trim().is_empty(), client.trim().is_empty()) {
        (true, true) => format!("uid {uid}"),
        (true, false) => format!("uid {uid} ({client})"),
        (false, true) => format!("uid {uid} as {operator}"),
        (false, false) => format!("uid {uid} ({client}) as {operator}"),
    }
}
