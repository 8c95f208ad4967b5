//! What the graph says of our topics, handed from the control thread to the gate thread.
//!
//! Listing endpoints allocates and takes the middleware's locks, so the control thread does it and
//! leaves one word a lane and one table a source and kill input; the gate thread reads them at its tick.
//! What only people want to know goes to [`Notes`].
//!
//! **Invariant:** nothing here lets a command pass: it can only add reasons against one. A list of a kill
//! input's publishers can take away what is in the way of a reset, which moves nothing.

mod controller;
mod facts;
mod matching;
mod nameless;
mod namesakes;
mod output;

use std::sync::Arc;

use self::controller::{ControllerReaders, Reader};
pub use self::facts::{
    Allowed, AllowedInput, AllowedOutput, GraphFacts, LaneFacts, ListedInput, ListedOutput,
    allowed_table, listed_table,
};
use self::matching::is_node;
pub(in crate::ros) use self::matching::{Offer, full_name, obstacle};
use self::nameless::Nameless;
use self::namesakes::Namesakes;
use self::output::{Output, look_at_output};
use super::rcl::{
    Node, Publisher, RclError, Reliability, count_clients, count_publishers, publishers_info,
};
use crate::gate::kill_input::{Identifiers, Listed};
use crate::gate::publisher::Gid;
use crate::telemetry::notes::Notes;

/// A topic that we read.
pub struct ReadTopic {
    /// Absolute name.
    pub topic: String,
    /// The type that we read.
    pub type_name: String,
    /// How we read.
    pub reliability: Reliability,
    /// Nodes that may publish there; empty: any.
    pub allowed_nodes: Vec<String>,
    /// Where the publishers of these go; none where any may.
    pub allowed: Option<AllowedInput>,
}

/// A kill input as the audit sees it.
pub struct AuditedInput {
    /// Its topic.
    pub topic: ReadTopic,
    /// Where the list of its publishers goes.
    pub listed: ListedInput,
}

/// A lane as the audit sees it.
pub struct AuditedLane {
    /// Our writer; none for a lane that is only watched.
    pub publisher: Option<Arc<Publisher>>,
    /// Message type.
    pub type_name: String,
    /// How we write.
    pub reliability: Reliability,
    /// Node name of the controller.
    pub controller: Option<String>,
    /// Other writers that belong there.
    pub other_publishers: u32,
    /// The sources' topics.
    pub sources: Vec<ReadTopic>,
}

/// A controller that reads its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundController {
    /// The lane.
    pub lane: usize,
    /// Full name of its node.
    pub node: String,
    /// Its reader; another one after a restart.
    pub reader: Gid,
}

/// Looks at every topic of ours.
pub struct GraphAudit {
    node: Arc<Node>,
    /// Our own node's full name, by which a ghost is recognised.
    own_name: String,
    lanes: Vec<AuditedLane>,
    kill_inputs: Vec<AuditedInput>,
    identifiers: Identifiers,
    feedback: Vec<ReadTopic>,
    other_paths: Vec<String>,
    facts: Arc<GraphFacts>,
    last: Vec<LaneFacts>,
    /// The readers of each lane's controller.
    readers: Vec<ControllerReaders>,
    /// The writers of each lane's output that have our name.
    namesakes: Vec<Namesakes>,
    nameless: Nameless,
    controllers: Vec<FoundController>,
    notes: Arc<Notes>,
}

/// What the audit looks at.
pub struct Audited {
    /// The lanes, in order.
    pub lanes: Vec<AuditedLane>,
    /// The kill inputs, in order.
    pub kill_inputs: Vec<AuditedInput>,
    /// Whether publishers have the same identifiers here as with their messages.
    pub identifiers: Identifiers,
    /// The feedback topics, in order.
    pub feedback: Vec<ReadTopic>,
    /// Topics, actions and services that also move the robot, by absolute name.
    pub other_paths: Vec<String>,
}

impl GraphAudit {
    /// The audit of these topics by `node`.
    #[must_use]
    pub fn new(
        node: Arc<Node>,
        own_name: String,
        audited: Audited,
        facts: Arc<GraphFacts>,
        notes: Arc<Notes>,
    ) -> Self {
        let Audited { lanes, kill_inputs, identifiers, feedback, other_paths } = audited;
        notes.write(|findings| {
            findings.lanes.resize_with(lanes.len(), Default::default);
            findings.kill_inputs.resize_with(kill_inputs.len(), String::new);
            findings.writers.resize_with(kill_inputs.len(), || None);
            findings.feedback.resize_with(feedback.len(), String::new);
        });
        Self {
            last: vec![LaneFacts::default(); lanes.len()],
            readers: lanes.iter().map(|_| ControllerReaders::default()).collect(),
            namesakes: lanes.iter().map(|_| Namesakes::default()).collect(),
            nameless: Nameless::default(),
            controllers: Vec::new(),
            node,
            own_name,
            lanes,
            kill_inputs,
            identifiers,
            feedback,
            other_paths,
            facts,
            notes,
        }
    }

    /// Where the findings in words go.
    #[must_use]
    pub const fn notes(&self) -> &Arc<Notes> {
        &self.notes
    }

    /// The named controllers that read their lanes, as of the last audit.
    #[must_use]
    pub fn controllers(&self) -> &[FoundController] {
        &self.controllers
    }

    /// Says whether a controller is the one that is meant, as far as its parameters go.
    pub fn controller_fits(&mut self, controller: &FoundController, fits: bool) {
        let FoundController { lane, reader, .. } = controller;
        if let (Some(readers), Some(last)) = (self.readers.get_mut(*lane), self.last.get_mut(*lane))
        {
            readers.set_fits(*reader, fits);
            last.controller_reads = fits;
            self.facts.set(*lane, *last);
        }
    }

    /// Counts the readers of every output. Returns whether it is time for a look: a count moved, or a
    /// reader's name is to come.
    ///
    /// # Errors
    /// The first of rcl's, after every lane was looked at.
    pub fn count(&mut self) -> Result<bool, RclError> {
        let mut first = Ok(());
        let mut moved = false;
        for (index, (lane, last)) in self.lanes.iter().zip(&mut self.last).enumerate() {
            let Some(publisher) = &lane.publisher else { continue };
            match publisher.subscription_count() {
                Ok(count) => {
                    let count_now = u32::try_from(count).unwrap_or(u32::MAX);
                    moved |= last.subscribers != count_now;
                    last.subscribers = count_now;
                    if lane.controller.is_none() {
                        last.controller_reads = count > 0;
                    }
                }
                Err(error) => {
                    let LaneFacts { audit, controller, .. } = *last;
                    *last = LaneFacts { audit, controller, ..LaneFacts::default() };
                    first = first.and(Err(error));
                }
            }
            if last.audit != 0 {
                self.facts.set(index, *last);
            }
        }
        if moved {
            self.nameless.moved();
        }
        first.map(|()| moved || self.nameless.is_awaited())
    }

    /// Looks at every endpoint of every topic. A lane whose output cannot be looked at keeps what was
    /// seen last, and no audit is counted for it: the gate notices when there is none for too long.
    ///
    /// # Errors
    /// The first of rcl's, after everything was looked at.
    pub fn look(&mut self) -> Result<(), RclError> {
        let before = std::mem::take(&mut self.controllers);
        let mut first = Ok(());
        let mut nameless = 0;
        for index in 0..self.lanes.len() {
            first = first.and(self.look_at_lane(index, &before, &mut nameless));
        }
        self.nameless.looked(nameless);
        let (node, notes) = (&self.node, &self.notes);
        for (index, AuditedInput { topic, listed }) in self.kill_inputs.iter_mut().enumerate() {
            let text = look_at_writers(node, topic);
            let writers = publishers_info(node, &topic.topic).ok();
            if let Some(writers) = &writers {
                let gids = writers.iter().map(|writer| writer.gid);
                listed.write(Listed::of(gids, self.identifiers));
            }
            // Who asserts is told by name, and whether anybody could.
            let writers = writers.map(|writers| {
                writers.iter().map(|writer| (writer.gid, full_name(writer))).collect()
            });
            notes.write(|all| {
                put(&mut all.kill_inputs, index, text.as_deref());
                if let Some(place) = all.writers.get_mut(index) {
                    *place = writers;
                }
            });
            first = first.and(text.map(|_| ()));
        }
        for (index, topic) in self.feedback.iter_mut().enumerate() {
            let text = look_at_writers(node, topic);
            notes.write(|all| put(&mut all.feedback, index, text.as_deref()));
            first = first.and(text.map(|_| ()));
        }
        first.and(self.look_at_other_paths())
    }

    /// A publisher of the topic, a client of the service or of the action.
    fn look_at_other_paths(&self) -> Result<(), RclError> {
        let mut used = 0_u64;
        let mut first = Ok(());
        for (index, path) in self.other_paths.iter().enumerate() {
            let bit = u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index));
            match is_used(&self.node, path) {
                Ok(false) => {}
                Ok(true) => used |= bit.unwrap_or(0),
                // What cannot be looked at is taken to be in use.
                Err(error) => {
                    used |= bit.unwrap_or(0);
                    first = first.and(Err(error));
                }
            }
        }
        self.facts.set_paths(used);
        first
    }

    fn look_at_lane(
        &mut self,
        index: usize,
        before: &[FoundController],
        nameless: &mut usize,
    ) -> Result<(), RclError> {
        let (Some(lane), Some(last)) = (self.lanes.get_mut(index), self.last.get_mut(index)) else {
            return Ok(());
        };
        let (Some(readers), Some(namesakes)) =
            (self.readers.get_mut(index), self.namesakes.get_mut(index))
        else {
            return Ok(());
        };
        // 0 stands for "never looked".
        let audit = last.audit.checked_add(1).unwrap_or(1);
        let mut first = Ok(());
        let mut sources = Vec::with_capacity(lane.sources.len());
        for topic in &mut lane.sources {
            let text = look_at_writers(&self.node, topic);
            sources.push(text.clone().unwrap_or_default());
            first = first.and(text.map(|_| ()));
        }
        self.notes.write(|all| {
            if let Some(notes) = all.lanes.get_mut(index) {
                notes.sources = sources;
            }
        });
        let output = match &lane.publisher {
            None => Ok(Output::default()),
            Some(publisher) => {
                look_at_output(&self.node, (&self.own_name, namesakes), lane, publisher)
            }
        };
        let output = match output {
            Ok(output) => output,
            Err(error) => {
                // Not seen is neither "nobody foreign" nor "no reader".
                let known = before.iter().filter(|one| one.lane == index);
                self.controllers.extend(known.cloned());
                return first.and(Err(error));
            }
        };
        *nameless = nameless.saturating_add(output.nameless);
        let controller = readers.look(output.controllers);
        *last = LaneFacts {
            audit,
            controller: readers.generation(),
            controller_reads: match &lane.controller {
                None => output.facts.subscribers > 0,
                Some(_) => controller.as_ref().is_some_and(|reader| readers.fits(reader.gid)),
            },
            ..output.facts
        };
        self.facts.set(index, *last);
        if let Some(Reader { node, gid: reader }) = controller {
            self.controllers.push(FoundController { lane: index, node, reader });
        }
        self.notes.write(|all| {
            if let Some(notes) = all.lanes.get_mut(index) {
                notes.foreign = output.foreign;
                notes.readers = output.readers;
                notes.others = output.others;
            }
        });
        first
    }
}

fn is_used(node: &Arc<Node>, path: &str) -> Result<bool, RclError> {
    Ok(count_publishers(node, path)? > 0
        || count_clients(node, path)? > 0
        || count_clients(node, &format!("{path}/_action/send_goal"))? > 0)
}

fn put(texts: &mut [String], index: usize, text: Result<&str, &RclError>) {
    if let Some(place) = texts.get_mut(index) {
        text.unwrap_or_default().clone_into(place);
    }
}

/// Who writes a topic that we read: leaves the allowed ones, and says who cannot be understood.
fn look_at_writers(node: &Arc<Node>, topic: &mut ReadTopic) -> Result<String, RclError> {
    let writers = publishers_info(node, &topic.topic)?;
    let ours = Offer::ours(&topic.type_name, topic.reliability);
    if let Some(table) = &mut topic.allowed {
        let allowed = writers
            .iter()
            .filter(|writer| topic.allowed_nodes.iter().any(|wanted| is_node(wanted, writer)));
        table.write(Allowed::of(allowed.map(|writer| writer.gid)));
    }
    let unreadable = writers.iter().filter_map(|writer| {
        let why = obstacle(Offer::of(writer), ours)?;
        Some(format!("{} ({why})", full_name(writer)))
    });
    Ok(unreadable.collect::<Vec<String>>().join(", "))
}
