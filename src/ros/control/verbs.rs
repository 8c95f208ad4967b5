//! The verbs as ROS services: reset, arm, disarm, select_source.
//!
//! `reset`, `arm` and `select_source` let motion begin, and the agent being gated is a ROS node too:
//! they are open only with `release_over_ros: true`. Disarm stops, so it is always open.

use std::future::Future;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use r2r::interlock::srv::{Arm, Reset, SelectSource};
use r2r::std_srvs::srv::Trigger;
use r2r::{Node, QosProfile, ServiceRequest, WrappedServiceTypeSupport};

use super::state_msg::condition;
use super::{Shared, Tasks};
use crate::clock;
use crate::gate::core::SelectRefused;
use crate::ros::gate_thread::{Answer, Denied, Verb};
use crate::telemetry::events::{Event, ShortText, Verb as EventVerb, What};
use crate::telemetry::report::condition_status;
use crate::telemetry::slots::{ArmRefusal, ResetRefusal};

/// Offers the four services.
pub(super) fn serve(
    node: &mut Node,
    tasks: &mut Tasks,
    shared: &Arc<Shared>,
) -> Result<(), r2r::Error> {
    offer::<Reset::Service, _>(node, tasks, shared, "~/reset", reset)?;
    offer::<Arm::Service, _>(node, tasks, shared, "~/arm", arm)?;
    offer::<Trigger::Service, _>(node, tasks, shared, "~/disarm", disarm)?;
    offer::<SelectSource::Service, _>(node, tasks, shared, "~/select_source", select)
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
    T::Response: Send,
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
            if let Err(error) = request.respond(response) {
                tracing::warn!(service = name, %error, "an answer could not be sent");
            }
        }
    };
    tasks.push(task.boxed());
    Ok(())
}

/// Posts that somebody used a verb.
fn requested(shared: &Shared, verb: EventVerb, seq: Option<u64>, operator: &str, reason: &str) {
    let (operator, reason) = (ShortText::new(operator), ShortText::new(reason));
    let what = What::Requested { verb, seq, operator, reason };
    shared.events.post(Event { at: clock::now(), what });
}

/// Asks the gate thread. An `Err` is the text of why it could not be asked.
async fn ask(shared: &Shared, verb: Verb) -> Result<Answer, String> {
    let answer = shared.requests.ask(verb).map_err(|error| error.to_string())?;
    answer.await.map_err(|_| "the gate is shutting down".to_owned())
}

/// Notes who moved `seq`.
fn attribute(shared: &Shared, answer: &Result<Answer, String>, operator: &str, reason: &str) {
    if let Ok(Answer { result: Ok(()), seq, .. }) = answer {
        shared.attribution.note(*seq, operator, reason);
    }
}

fn closed(verb: &str) -> String {
    format!(
        "refused: {verb} over ROS is closed, because the agent being gated is a ROS node too. Who \
         trusts every node on this domain starts the node with -p release_over_ros:=true, or writes \
         it in the params file"
    )
}

async fn reset(shared: Arc<Shared>, request: Reset::Request) -> Reset::Response {
    requested(
        &shared,
        EventVerb::Reset,
        Some(request.seq),
        &request.operator_name,
        &request.reason,
    );
    if !shared.config.release_over_ros {
        shared.slots.node.reset_refusals.at(ResetRefusal::NotOpen).increment();
        return Reset::Response { message: closed("reset"), ..Default::default() };
    }
    let answer = ask(&shared, Verb::Reset { seq: request.seq }).await;
    attribute(&shared, &answer, &request.operator_name, &request.reason);
    match answer {
        Err(message) => Reset::Response { message, ..Default::default() },
        Ok(answer) => Reset::Response {
            success: answer.result.is_ok(),
            message: match answer.result {
                Ok(()) => format!("disarmed, seq {}: nothing moves until arm", answer.seq),
                Err(denied) => denied_text(&shared, denied, &answer),
            },
            seq: answer.seq,
            unmet: conditions(&shared, &answer),
        },
    }
}

async fn arm(shared: Arc<Shared>, request: Arm::Request) -> Arm::Response {
    requested(&shared, EventVerb::Arm, Some(request.seq), &request.operator_name, &request.reason);
    if !shared.config.release_over_ros {
        shared.slots.node.arm_refusals.at(ArmRefusal::NotOpen).increment();
        return Arm::Response { message: closed("arm"), ..Default::default() };
    }
    let wanted = Some(request.profile.as_str()).filter(|name| !name.is_empty());
    let wanted = wanted.unwrap_or(&shared.config.profile);
    let profiles = &shared.config.profiles;
    let Some(profile) = profiles.iter().position(|profile| profile.name == wanted) else {
        shared.slots.node.arm_refusals.at(ArmRefusal::UnknownProfile).increment();
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        let list = names.join(", ");
        let message = format!("refused: there is no profile of that name; there are: {list}");
        return Arm::Response { message, ..Default::default() };
    };
    // An audit at arm: what appeared since the last one counts.
    if let Err(error) = shared.audit.lock().look() {
        tracing::warn!(%error, "the graph cannot be read");
    }
    let answer = ask(&shared, Verb::Arm { seq: request.seq, profile }).await;
    attribute(&shared, &answer, &request.operator_name, &request.reason);
    match answer {
        Err(message) => Arm::Response { message, ..Default::default() },
        Ok(answer) => Arm::Response {
            success: answer.result.is_ok(),
            message: match answer.result {
                Ok(()) => format!("active, seq {}, profile {wanted}", answer.seq),
                Err(denied) => denied_text(&shared, denied, &answer),
            },
            seq: answer.seq,
            unmet: conditions(&shared, &answer),
        },
    }
}

async fn disarm(shared: Arc<Shared>, _request: Trigger::Request) -> Trigger::Response {
    requested(&shared, EventVerb::Disarm, None, "", "");
    match ask(&shared, Verb::Disarm).await {
        Err(message) => Trigger::Response { success: false, message },
        Ok(answer) => Trigger::Response {
            success: answer.result.is_ok(),
            message: match answer.result {
                Ok(()) => format!("disarmed, seq {}", answer.seq),
                Err(denied) => denied_text(&shared, denied, &answer),
            },
        },
    }
}

async fn select(shared: Arc<Shared>, request: SelectSource::Request) -> SelectSource::Response {
    requested(&shared, EventVerb::SelectSource, None, &request.operator_name, &request.source);
    let refuse =
        |message: String| SelectSource::Response { message, ..SelectSource::Response::default() };
    if !shared.config.release_over_ros {
        return refuse(closed("select_source"));
    }
    let lanes = &shared.config.lanes;
    let Some((lane, config)) = lanes.iter().enumerate().find(|(_, l)| l.name == request.lane)
    else {
        let names: Vec<&str> = lanes.iter().map(|lane| lane.name.as_str()).collect();
        return refuse(format!("refused: no such lane; there are: {}", names.join(", ")));
    };
    let source = if request.source.is_empty() {
        None
    } else {
        let found = config.sources.iter().position(|source| source.name == request.source);
        if found.is_none() {
            let names: Vec<&str> = config.sources.iter().map(|s| s.name.as_str()).collect();
            let text = format!("refused: no such source; there are: {}", names.join(", "));
            return refuse(text);
        }
        found
    };
    match ask(&shared, Verb::SelectSource { lane, source }).await {
        Err(message) => refuse(message),
        Ok(answer) => {
            let owner = answer.owner.map(|index| shared.texts().source(lane, index).to_owned());
            SelectSource::Response {
                success: answer.result.is_ok(),
                message: match answer.result {
                    Ok(()) if source.is_some() => format!("{} is in charge", request.source),
                    Ok(()) => "by priority again".to_owned(),
                    Err(denied) => denied_text(&shared, denied, &answer),
                }
                .replace('\0', "\u{FFFD}"),
                owner: owner.unwrap_or_default(),
                unmet: Vec::new(),
            }
        }
    }
}

fn denied_text(shared: &Shared, denied: Denied, answer: &Answer) -> String {
    let text = match denied {
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
    };
    text.replace('\0', "\u{FFFD}")
}

fn conditions(shared: &Shared, answer: &Answer) -> Vec<r2r::interlock::msg::Condition> {
    let unmet = answer.unmet.iter();
    unmet.map(|unmet| condition(&condition_status(unmet, shared.texts()))).collect()
}
