//! Texts about the latch: what it survives, and names back to what they name.

use crate::gate::machine::Subject;
use crate::telemetry::texts::Texts;

/// `latch.persist: false`, wherever it shows.
pub const NOT_PERSISTED: &str =
    "not persisted (latch.persist: false): a restart forgets a kill and comes up disarmed";

/// The thread that writes it has not come back from the disk.
const LATE: &str = "the latch file is not written in time: its disk is slow or hangs";

impl Texts<'_> {
    /// What the latch survives, where it is not kept on disk, in any state; empty where it is.
    /// `writable` is the gate's word.
    #[must_use]
    pub fn latch_lost(&self, writable: bool) -> String {
        if !self.config.latch_persist {
            return NOT_PERSISTED.to_owned();
        }
        // Found at each look, also before the gate has heard of it.
        let is_kept = writable && self.notes.latch().is_empty();
        if is_kept { String::new() } else { self.latch_trouble() }
    }

    /// Why the latch file cannot be written.
    #[must_use]
    pub fn latch_trouble(&self) -> String {
        let why = self.notes.latch();
        if why.is_empty() { LATE.to_owned() } else { why }
    }

    /// The subject of a name, as [`Self::subject`] gives it; `None`: there is no such name now.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Subject> {
        let config = self.config;
        let lanes = config.lanes.iter().enumerate();
        let mut all: Vec<Subject> = vec![Subject::Node];
        all.extend(lanes.flat_map(|(lane, one)| {
            let sources =
                (0..one.sources.len()).map(move |source| Subject::Source { lane, source });
            std::iter::once(Subject::Lane(lane)).chain(sources)
        }));
        all.extend((0..config.kill_inputs.len()).map(Subject::KillInput));
        all.extend((0..config.feedback.len()).map(Subject::Feedback));
        all.extend((0..config.other_paths.len()).map(Subject::Path));
        all.into_iter().find(|subject| self.subject(*subject) == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fixture;
    use crate::telemetry::notes::Notes;

    #[test]
    fn when_a_subject_is_named_expect_it_found_by_that_name() {
        let config = fixture::config();
        let notes = Notes::default();
        let attribution = crate::attribution::Attribution::default();
        let texts =
            Texts { config: &config, node: "/interlock", notes: &notes, attribution: &attribution };
        for subject in [
            Subject::Node,
            Subject::Lane(1),
            Subject::Source { lane: 1, source: 2 },
            Subject::KillInput(0),
            Subject::Feedback(0),
        ] {
            assert_eq!(texts.named(&texts.subject(subject)), Some(subject));
        }
        assert_eq!(texts.named("a lane that is gone"), None);
    }
}
