//! What has been found out about the neighbours and the machine, in words: for texts, never for a
//! decision.
//!
//! The gate decides by numbers and flags; who a foreign publisher is, or which joint of a controller
//! differs, only people want to know. Written at each audit and at the start, read when somebody asks.
//!
//! **Invariant:** the gate thread never touches this lock.

use parking_lot::Mutex;

use crate::gate::publisher::Gid;

/// The findings. Empty text: nothing to say.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Findings>);

/// Everything found, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// One for each lane.
    pub lanes: Vec<LaneNotes>,
    /// For each kill input: who offers it so that we cannot read it.
    pub kill_inputs: Vec<String>,
    /// For each kill input: who publishes on it, by the middleware's identifier. `None`: not known.
    pub writers: Vec<Option<Vec<(Gid, String)>>>,
    /// For each feedback the same as for kill inputs.
    pub feedback: Vec<String>,
    /// For each feedback: why no lane can use what comes.
    pub lacks: Vec<String>,
    /// What there is to say about the robot description.
    pub description: String,
    /// Why the latch file cannot be written.
    pub latch: String,
    /// Where the control socket is.
    pub control_socket: String,
    /// Steps of the real-time set-up that failed, one sentence each.
    pub realtime: Vec<String>,
}

/// What was found about one lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneNotes {
    /// Why the named controller is not the one that is meant.
    pub controller: String,
    /// Who else publishes on the output.
    pub foreign: String,
    /// Who reads the output but cannot: another type or quality of service.
    pub readers: String,
    /// Who reads the output and is not its controller.
    pub others: String,
    /// For each source: who publishes on its topic what we cannot take.
    pub sources: Vec<String>,
}

impl Notes {
    /// Changes the findings.
    pub fn write(&self, change: impl FnOnce(&mut Findings)) {
        change(&mut self.0.lock());
    }

    /// A copy of the findings.
    #[must_use]
    pub fn read(&self) -> Findings {
        self.0.lock().clone()
    }

    /// What was found about one lane.
    #[must_use]
    pub fn lane(&self, lane: usize) -> LaneNotes {
        self.0.lock().lanes.get(lane).cloned().unwrap_or_default()
    }

    /// The node of a publisher on a kill input, where the graph names it.
    #[must_use]
    pub fn writer(&self, kill_input: usize, publisher: Gid) -> Option<String> {
        let found = self.0.lock();
        let mut writers = found.writers.get(kill_input)?.as_ref()?.iter();
        writers.find(|(gid, _)| *gid == publisher).map(|(_, name)| name.clone())
    }

    /// How many publish on a kill input's topic; `None`: not known.
    #[must_use]
    pub fn publishers(&self, input: usize) -> Option<u64> {
        let findings = self.0.lock();
        let writers = findings.writers.get(input)?.as_ref()?;
        u64::try_from(writers.len()).ok()
    }

    /// Why no lane can use what comes of a feedback.
    #[must_use]
    pub fn lacks(&self, feedback: usize) -> String {
        self.0.lock().lacks.get(feedback).cloned().unwrap_or_default()
    }

    /// What there is to say about the robot description.
    #[must_use]
    pub fn description(&self) -> String {
        self.0.lock().description.clone()
    }

    /// Why the latch file cannot be written.
    #[must_use]
    pub fn latch(&self) -> String {
        self.0.lock().latch.clone()
    }
}
