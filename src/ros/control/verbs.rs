//! The verbs: reset, arm, disarm, select_source, self_test, as ROS services and for the control socket.
//!
//! As services, `reset`, `arm` and `select_source` let motion begin, and the agent being gated is a ROS
//! node too: they are open only with `release_over_ros: true`. Disarm stops, so it is always open; so is
//! the self test, which resets nothing but its own trips and ends where it began, disarmed. The socket
//! looks at who asks before a wish comes here, and limits how often each may; over ROS nobody knows who
//! asks, so one limit holds for all of it.

use std::future::Future;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use futures::executor::LocalSpawner;
use futures::task::LocalSpawnExt;
use futures::{FutureExt, StreamExt};
use r2r::interlock::srv::{Arm, Reset, SelectSource};
use r2r::std_srvs::srv::Trigger;
use r2r::{Node, QosProfile, ServiceRequest, WrappedServiceTypeSupport};

use super::plain::{Plain, plain};
use super::state_msg::condition;
use super::{Shared, Tasks};
use crate::clock;
use crate::gate::core::SelectRefused;
use crate::gate::state::State;
use crate::ros::gate_thread::{Answer, Denied, NotAsked, Verb};
use crate::telemetry::events::{Event, RequestRefusal, ShortText, What};
use crate::telemetry::report::condition_status;
use crate::telemetry::self_test::SelfTestPart;
use crate::telemetry::slots::{ArmRefusal, ResetRefusal};
use crate::telemetry::watched::WatchedLanes;
use crate::verbs::{Ask, Asked, Attempt, Outcome, Served, Via, Wish, count_refused, told_refused};

/// Offers the five services.
pub(super) fn serve(
    node: &mut Node,
    tasks: &mut Tasks,
    shared: &Arc<Shared>,
) -> Result<(), r2r::Error> {
    offer::<Reset::Service, _>(node, tasks, shared, "~/reset", reset_service)?;
    offer::<Arm::Service, _>(node, tasks, shared, "~/arm", arm_service)?;
    offer::<Trigger::Service, _>(node, tasks, shared, "~/disarm", disarm_service)?;
    offer::<Trigger::Service, _>(node, tasks, shared, "~/self_test", self_test_service)?;
    offer::<SelectSource::Service, _>(node, tasks, shared, "~/select_source", select_service)
}

/// One service: a task of its own that answers one request after the other.
fn offer<T, F>(
    node: &mut Node,
    tasks: &mut Tasks,
    shared: &Arc<Shared>,
    name: &'static str,
    answer: impl Fn(Arc<Shared>, T::Request) -> F + Send + Sync + 'static,
) -> Result<(), r2r::Error>
where
    T: WrappedServiceTypeSupport + 'static,
    T::Request: Send + Sync,
    T::Response: Send + Plain,
    T::Request: Clone,
    F: Future<Output = T::Response> + Send,
{
    let mut requests = node.create_service::<T>(name, QosProfile::services_default())?;
    let shared = shared.clone();
    let task = async move {
        while let Some(request) = requests.next().await {
            let request: ServiceRequest<T> = request;
            let response = answer(shared.clone(), request.message.clone()).await;
            // The client may have gone, or never match; the verb has been served.
            if let Err(error) = request.respond(plain(response)) {
                tracing::warn!(service = name, %error, "an answer could not be sent");
            }
        }
    };
    tasks.push(task.boxed());
    Ok(())
}

/// Serves the control socket's wishes that wait, each as a task of this thread.
pub(super) fn take_wishes(wishes: &Receiver<Asked>, shared: &Arc<Shared>, spawner: &LocalSpawner) {
    while let Ok(asked) = wishes.try_recv() {
        let shared = shared.clone();
        let task = async move {
            let wish = asked.wish.clone();
            match asked.serve(async |wish| serve_wish(&shared, wish).await).await {
                Served::Done => {}
                Served::NeverBegun => not_served(&shared, &wish, RequestRefusal::Withdrawn),
                // The gate has it and sees that nobody waits: it counts it.
                Served::Withdrawn => {
                    let what = told_refused(&wish, RequestRefusal::Withdrawn);
                    shared.events.post(Event { at: clock::now(), what });
                }
            }
        };
        // Refused only by a pool that is gone.
        spawner.spawn_local(task).ok();
    }
}

/// Posts that somebody used a verb.
fn requested(shared: &Shared, wish: &Wish) {
    let seq = match wish.ask {
        Ask::Reset { seq } | Ask::Arm { seq, .. } => Some(seq),
        Ask::Disarm | Ask::SelfTest | Ask::SelectSource { .. } => None,
    };
    let (operator, reason) = (ShortText::new(&wish.operator), ShortText::new(&wish.reason));
    let what = What::Requested { verb: wish.ask.verb(), seq, operator, reason };
    shared.events.post(Event { at: clock::now(), what });
}

/// Asks the gate thread. An `Err` is what there is to answer where it could not be asked.
async fn ask(shared: &Shared, wish: &Wish, verb: Verb) -> Result<Answer, Outcome> {
    let error = match shared.requests.ask(verb) {
        Ok(answer) => match answer.await {
            Ok(answer) => return Ok(answer),
            Err(_) => NotAsked::Ended,
        },
        Err(error) => error,
    };
    let why = match error {
        NotAsked::Busy => RequestRefusal::Busy,
        NotAsked::Ended => RequestRefusal::Ended,
    };
    not_served(shared, wish, why);
    Err(refusal(format!("refused: {error}")))
}

/// Counts and tells a wish that the gate never saw.
fn not_served(shared: &Shared, wish: &Wish, why: RequestRefusal) {
    let what = count_refused(&shared.slots, wish, why);
    shared.events.post(Event { at: clock::now(), what });
}

fn closed(verb: &str) -> Outcome {
    refusal(format!(
        "refused: {verb} over ROS is closed, because the agent being gated is a ROS node too. On the \
         robot: interlockctl {}. Who trusts every node on this domain starts the node with -p \
         release_over_ros:=true, or writes it in the params file",
        verb.replace('_', "-")
    ))
}

/// Counts an attempt over ROS that was one too many, and tells the first of a flood.
fn too_many(shared: &Shared, wish: &Wish, attempt: Attempt) -> Outcome {
    let what = count_refused(&shared.slots, wish, RequestRefusal::RateLimited);
    if attempt == Attempt::FirstRefused {
        shared.events.post(Event { at: clock::now(), what });
    }
    refusal(format!(
        "refused: too many attempts over ROS, by whomever; wait a few seconds and try again. On the \
         robot: interlockctl {}",
        wish.ask.verb().label().replace('_', "-")
    ))
}

/// A refusal before the gate was asked.
fn refusal(message: String) -> Outcome {
    Outcome { message, ..Outcome::default() }
}

/// Serves one wish; every way in comes through here.
pub(super) async fn serve_wish(shared: &Shared, wish: Wish) -> Outcome {
    let is_open = wish.via == Via::Socket || shared.config.release_over_ros;
    let is_limited = wish.via == Via::Ros && wish.ask.is_limited();
    if is_limited {
        let attempt = shared.attempts.lock().take(clock::steady());
        if attempt != Attempt::Granted {
            return too_many(shared, &wish, attempt);
        }
    }
    requested(shared, &wish);
    let outcome = match &wish.ask {
        Ask::Reset { seq } => {
            if is_open {
                reset(shared, &wish, *seq).await
            } else {
                shared.slots.node.reset_refusals.at(ResetRefusal::NotOpen).increment();
                closed("reset")
            }
        }
        Ask::Arm { seq, profile } => {
            if is_open {
                arm(shared, &wish, *seq, profile).await
            } else {
                shared.slots.node.arm_refusals.at(ArmRefusal::NotOpen).increment();
                closed("arm")
            }
        }
        Ask::Disarm => disarm(shared, &wish).await,
        Ask::SelfTest => self_test(shared, &wish).await,
        Ask::SelectSource { lane, source } => {
            if is_open {
                select(shared, &wish, lane, source).await
            } else {
                closed("select_source")
            }
        }
    };
    if outcome.done && outcome.moved {
        shared.attribution.note(outcome.seq, &wish.operator, &wish.reason);
    }
    if is_limited && outcome.done {
        // The limit is on trying. What takes effect is bounded by what it does.
        shared.attempts.lock().give_back();
    }
    outcome
}

async fn reset(shared: &Shared, wish: &Wish, seq: u64) -> Outcome {
    match ask(shared, wish, Verb::Reset { seq }).await {
        Err(outcome) => outcome,
        Ok(answer) => concluded(shared, &answer, || {
            let until_arm = WatchedLanes::of_config(&shared.config).until_arm();
            format!("disarmed, seq {}: {until_arm}", answer.seq)
        }),
    }
}

async fn arm(shared: &Shared, wish: &Wish, seq: u64, profile: &str) -> Outcome {
    let wanted = if profile.is_empty() { &shared.config.profile } else { profile };
    let profiles = &shared.config.profiles;
    let Some(profile) = profiles.iter().position(|profile| profile.name == wanted) else {
        shared.slots.node.arm_refusals.at(ArmRefusal::UnknownProfile).increment();
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        let list = names.join(", ");
        return refusal(format!("refused: there is no profile of that name; there are: {list}"));
    };
    // An audit at arm: what appeared since the last one counts.
    if let Err(error) = shared.audit.lock().look() {
        tracing::warn!(%error, "the graph cannot be read");
        shared.slots.node.arm_refusals.at(ArmRefusal::Unmet).increment();
        return refusal(format!(
            "refused: who else writes the outputs cannot be seen ({error}); try again, and see \
             interlockctl doctor"
        ));
    }
    match ask(shared, wish, Verb::Arm { seq, profile }).await {
        Err(outcome) => outcome,
        Ok(answer) => {
            concluded(shared, &answer, || format!("active, seq {}, profile {wanted}", answer.seq))
        }
    }
}

async fn disarm(shared: &Shared, wish: &Wish) -> Outcome {
    match ask(shared, wish, Verb::Disarm).await {
        Err(outcome) => outcome,
        Ok(answer) => concluded(shared, &answer, || format!("disarmed, seq {}", answer.seq)),
    }
}

async fn self_test(shared: &Shared, wish: &Wish) -> Outcome {
    let answer = match ask(shared, wish, Verb::SelfTest).await {
        Err(outcome) => return outcome,
        Ok(answer) => answer,
    };
    let (texts, seq) = (shared.texts(), answer.seq);
    let parts: Vec<SelfTestPart> =
        answer.self_test.iter().map(|part| texts.self_test(part, seq)).collect();
    let failed = parts.iter().filter(|part| !part.passed).count();
    let passed = answer.result.is_ok() && failed == 0 && answer.state == State::Disarmed;
    let mut outcome = concluded(shared, &answer, || {
        let all = parts.len();
        let result = if passed {
            format!("self test passed, {all} of {all}{}", stops_nothing(shared))
        } else {
            format!("self test FAILED, {failed} of {all}")
        };
        let list: Vec<String> =
            parts.iter().map(|part| format!("{}: {}", part.input, part.text)).collect();
        format!("{}, seq {seq}: {result}. {}", answer.state, list.join("; "))
    });
    // What is in the way of an arm has nothing to do with it.
    outcome.unmet.clear();
    outcome.done = passed;
    outcome.self_test = parts;
    outcome
}

/// A kill that works is not one that stops: what was tested reaches no robot.
fn stops_nothing(shared: &Shared) -> &'static str {
    let is_all = WatchedLanes::of_config(&shared.config).is_all();
    if is_all { ", but no lane is gated: a kill stops nothing" } else { "" }
}

async fn select(shared: &Shared, wish: &Wish, lane: &str, source: &str) -> Outcome {
    let lanes = &shared.config.lanes;
    let Some((index, config)) = lanes.iter().enumerate().find(|(_, l)| l.name == lane) else {
        let names: Vec<&str> = lanes.iter().map(|lane| lane.name.as_str()).collect();
        return refusal(format!("refused: no such lane; there are: {}", names.join(", ")));
    };
    let wanted = if source.is_empty() {
        None
    } else {
        let found = config.sources.iter().position(|known| known.name == source);
        if found.is_none() {
            let names: Vec<&str> = config.sources.iter().map(|s| s.name.as_str()).collect();
            return refusal(format!("refused: no such source; there are: {}", names.join(", ")));
        }
        found
    };
    match ask(shared, wish, Verb::SelectSource { lane: index, source: wanted }).await {
        Err(outcome) => outcome,
        Ok(answer) => {
            let mut outcome = concluded(shared, &answer, || {
                if wanted.is_some() {
                    format!("{source} is in charge")
                } else {
                    "by priority again".to_owned()
                }
            });
            let owner = answer.owner.map(|owner| shared.texts().source(index, owner).to_owned());
            outcome.owner = owner;
            outcome.unmet.clear();
            outcome
        }
    }
}

/// What the gate answered, in words.
fn concluded(shared: &Shared, answer: &Answer, done: impl FnOnce() -> String) -> Outcome {
    let unmet = answer.unmet.iter();
    let message = match answer.result {
        Ok(()) => done(),
        Err(denied) => denied_text(shared, denied, answer),
    };
    Outcome {
        done: answer.result.is_ok(),
        message,
        state: answer.state.label().to_owned(),
        seq: answer.seq,
        moved: answer.moved,
        unmet: unmet.map(|unmet| condition_status(unmet, shared.texts())).collect(),
        owner: None,
        self_test: Vec::new(),
    }
}

fn over_ros(ask: Ask, operator: String, reason: String) -> Wish {
    Wish { ask, operator, reason, via: Via::Ros }
}

async fn reset_service(shared: Arc<Shared>, request: Reset::Request) -> Reset::Response {
    let Reset::Request { seq, operator_name, reason } = request;
    let wish = over_ros(Ask::Reset { seq }, operator_name, reason);
    let Outcome { done, message, seq, unmet, .. } = serve_wish(&shared, wish).await;
    let unmet = unmet.iter().map(condition).collect();
    Reset::Response { success: done, message, seq, unmet }
}

async fn arm_service(shared: Arc<Shared>, request: Arm::Request) -> Arm::Response {
    let Arm::Request { seq, profile, operator_name, reason } = request;
    let wish = over_ros(Ask::Arm { seq, profile }, operator_name, reason);
    let Outcome { done, message, seq, unmet, .. } = serve_wish(&shared, wish).await;
    let unmet = unmet.iter().map(condition).collect();
    Arm::Response { success: done, message, seq, unmet }
}

async fn disarm_service(shared: Arc<Shared>, _request: Trigger::Request) -> Trigger::Response {
    let wish = over_ros(Ask::Disarm, String::new(), String::new());
    let Outcome { done, message, .. } = serve_wish(&shared, wish).await;
    Trigger::Response { success: done, message }
}

async fn self_test_service(shared: Arc<Shared>, _request: Trigger::Request) -> Trigger::Response {
    let wish = over_ros(Ask::SelfTest, String::new(), String::new());
    let Outcome { done, message, .. } = serve_wish(&shared, wish).await;
    Trigger::Response { success: done, message }
}

async fn select_service(
    shared: Arc<Shared>,
    request: SelectSource::Request,
) -> SelectSource::Response {
    let SelectSource::Request { lane, source, operator_name } = request;
    let reason = source.clone();
    let wish = over_ros(Ask::SelectSource { lane, source }, operator_name, reason);
    let Outcome { done, message, owner, unmet, .. } = serve_wish(&shared, wish).await;
    let unmet = unmet.iter().map(condition).collect();
    let owner = owner.unwrap_or_default();
    SelectSource::Response { success: done, message, owner, unmet }
}

fn denied_text(shared: &Shared, denied: Denied, answer: &Answer) -> String {
    match denied {
        Denied::State(refused) => {
            let mut text = format!("refused: {}", shared.texts().refused(refused, answer.seq));
            if refused == crate::gate::state::Refused::Unmet {
                for unmet in &answer.unmet {
                    text.push_str("; ");
                    text.push_str(&shared.texts().condition(unmet));
                }
            }
            text
        }
        Denied::SelfTest(why) => {
            format!("refused: {}", shared.texts().self_test_refused(why, answer.seq))
        }
        Denied::Select(SelectRefused::UnknownLane) => "refused: no such lane".to_owned(),
        Denied::Select(SelectRefused::UnknownSource) => "refused: no such source".to_owned(),
        Denied::Select(SelectRefused::Silent) => {
            "refused: the source is silent; start it first".to_owned()
        }
        Denied::Select(SelectRefused::Shadow) => {
            "refused: the source is only judged (mode: shadow)".to_owned()
        }
        Denied::Select(SelectRefused::Watched) => {
            "refused: the lane is only watched (mode: watch)".to_owned()
        }
    }
}
