//! Feedback that comes and is of no use: into the notes, and once into the log.

use super::Shared;
use crate::gate::snapshot::Snapshot;
use crate::gate::units::SteadyTime;
use crate::telemetry::feedback::lacks;
use crate::telemetry::status::PARTIAL;

/// Which feedbacks the log was told of since they were last fresh.
#[derive(Debug, Default)]
pub(super) struct Lacks {
    told: Vec<bool>,
}

impl Lacks {
    /// Looks at what the gate thread could not use.
    pub(super) fn turn(&mut self, shared: &Shared, snapshot: &Snapshot, now: SteadyTime) {
        let found = lacks(&shared.config, &shared.slots, now);
        self.told.resize(found.len(), false);
        let all = found.iter().zip(&shared.config.feedback).zip(&snapshot.feedback);
        for (((lack, feedback), view), told) in all.zip(&mut self.told) {
            if view.fresh {
                *told = false;
            } else if !lack.is_empty() && !*told {
                *told = true;
                let (name, topic) = (&feedback.name, &feedback.topic);
                tracing::warn!(feedback = %name, "feedback '{name}' {PARTIAL}: {lack} (topic {topic})");
            }
        }
        shared.notes.write(|notes| notes.lacks = found);
    }
}
