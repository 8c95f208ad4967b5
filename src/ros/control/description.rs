//! The robot description by topic: its text becomes limits, and the gate takes them while nothing
//! can move.
//!
//! **Invariant:** a description that changes while active waits until the next disarm, and that is
//! said; one that does not fit the params file changes nothing.

use std::sync::Arc;

use crossbeam_channel::Sender;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use r2r::std_msgs::msg::String as Text;
use r2r::{Node, QosProfile};

use super::{Shared, Tasks};
use crate::clock;
use crate::config::model::{Config, UrdfFrom};
use crate::config::urdf::digest;
use crate::ros::gate_thread::NewLimits;
use crate::telemetry::events::{DescriptionIs, Event, What};

/// The topic's newest text, and what has become of those before.
pub(super) struct Description {
    newest: Arc<Mutex<Option<String>>>,
    waiting: Option<String>,
    used: Option<String>,
    limits: Sender<NewLimits>,
}

impl Description {
    /// Subscribes, where the params file names a topic.
    pub(super) fn new(
        node: &mut Node,
        tasks: &mut Tasks,
        config: &Config,
        limits: Sender<NewLimits>,
    ) -> Result<Self, r2r::Error> {
        let newest = Arc::new(Mutex::new(None));
        if let Some(UrdfFrom::Topic(topic)) = config.urdf.as_ref().map(|urdf| &urdf.from) {
            let qos = QosProfile::default().reliable().transient_local().keep_last(1);
            let mut texts = node.subscribe::<Text>(topic, qos)?;
            let place = newest.clone();
            let task = async move {
                while let Some(text) = texts.next().await {
                    *place.lock() = Some(text.data);
                }
            };
            tasks.push(task.boxed());
        }
        Ok(Self { newest, waiting: None, used: None, limits })
    }

    /// One step. `active`: the gate moves a robot now.
    pub(super) fn turn(&mut self, shared: &Shared, active: bool) {
        if let Some(text) = self.newest.lock().take() {
            if self.used.as_ref() == Some(&text) {
                self.waiting = None;
                tell(shared, None, String::new());
            } else if self.waiting.as_ref() != Some(&text) {
                if active {
                    let said = "a changed robot description is ignored until the next disarm";
                    tell(shared, Some(DescriptionIs::Waiting), said.to_owned());
                }
                self.waiting = Some(text);
            }
        }
        if active {
            return;
        }
        let Some(text) = self.waiting.take() else { return };
        match shared.config.with_urdf(&text) {
            Ok((config, notes)) => {
                let limits = config.lanes.into_iter().map(|lane| lane.limits).collect();
                if self.limits.try_send(limits).is_err() {
                    // Full: older ones wait for the gate; this one is sent at the next turn.
                    self.waiting = Some(text);
                    return;
                }
                let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
                for note in &notes {
                    tracing::warn!("robot description: {note}");
                }
                let sha256 = digest(&text);
                tracing::info!(sha256, "robot description in use, sha256 {sha256}");
                tell(shared, Some(DescriptionIs::Used), notes.join("; "));
                self.used = Some(text);
            }
            Err(problems) => {
                tracing::error!("the robot description does not fit and is not used\n{problems}");
                let said = format!("the last one does not fit and is not used: {problems}");
                tell(shared, Some(DescriptionIs::Refused), said);
            }
        }
    }
}

fn tell(shared: &Shared, is: Option<DescriptionIs>, said: String) {
    shared.notes.write(|all| all.description = said);
    if let Some(is) = is {
        shared.events.post(Event { at: clock::now(), what: What::Description(is) });
    }
}
