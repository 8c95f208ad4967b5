//! Who is in charge, what counts, and what comes too late.

use std::collections::HashMap;

use interlock::gate::lane_state::LaneState;
use interlock::gate::rules::{
    GateRules, Interface, LaneMode, LaneRules, ReturnTo, Shape, SourceMode,
};
use interlock::gate::safe::SafeCommand;
use interlock::gate::state::State;
use interlock::gate::verdict::Verdict;

use super::form::targets;
use super::{Judged, Scene, hold};
use crate::rig::nanos;
use crate::trace::{From, Received, What};

/// Without a timeout another publisher may follow one that was quiet for this long
/// (docs/configuration.md).
const FOLLOWS_AFTER: u64 = 1_000_000_000;

#[derive(Clone, Default)]
struct OneSource {
    counts: [u64; 5],
    /// The newest command that was not refused, and its publisher.
    valid: Option<(u64, Option<u8>)>,
    /// Newest stamp of each publisher, ever and before the arm.
    newest: HashMap<u8, i64>,
    fence: HashMap<u8, i64>,
    /// Commands that were not refused, and the lowest `count − may have come` so far.
    taken: f64,
    lowest: f64,
}

#[derive(Clone, Default)]
struct LaneWatch {
    sources: Vec<OneSource>,
    /// The source in charge has asked for motion beyond doubt since it took charge.
    engaged: bool,
    selected: Option<usize>,
    /// Until when the last command that went out asks for motion beyond doubt: a target for ever, a
    /// plan until its end. 0: it does not.
    moving_until: u64,
    /// The lane holds because its own source fell silent in motion.
    silent: bool,
    last: Vec<f64>,
}

pub(super) struct SourceWatch {
    lanes: Vec<LaneWatch>,
    armed_after: usize,
    start: Option<u64>,
}

impl SourceWatch {
    pub(super) fn new(rules: &GateRules) -> Self {
        let lanes = rules.lanes.iter().map(|lane| LaneWatch {
            sources: vec![OneSource::default(); lane.sources.len()],
            last: vec![0.0; lane.limits.len()],
            ..LaneWatch::default()
        });
        Self { lanes: lanes.collect(), armed_after: 0, start: None }
    }

    pub(super) fn observe(&mut self, scene: &Scene<'_>) -> Judged {
        self.start.get_or_insert(scene.step.at);
        if scene.before.state == State::Active && scene.step.after.state != State::Active {
            // A choice made while active ends with it.
            self.lanes.iter_mut().for_each(|lane| lane.selected = None);
        }
        match &scene.step.what {
            What::Command(received) => self.command(scene, received)?,
            What::Arm { result: Ok(()), .. } => self.armed(scene.index),
            What::Select { lane, source, accepted: true } => self.select(scene, *lane, *source)?,
            What::Boot
            | What::Tick
            | What::Kill
            | What::KillInput { .. }
            | What::Disarm(_)
            | What::Reset { .. }
            | What::Arm { .. }
            | What::Select { .. }
            | What::Feedback { .. }
            | What::Derate(_) => {}
        }
        self.counts(scene)?;
        self.owners(scene)?;
        self.holds(scene)?;
        for output in &scene.step.outputs {
            let rules = &scene.rules.lanes[output.lane];
            let values = targets(&output.command, rules.interface);
            let watch = &mut self.lanes[output.lane];
            if let Some(last) = values.rchunks_exact(rules.limits.len()).next() {
                for ((to, from), given) in
                    watch.last.iter_mut().zip(last).zip(&output.command.given)
                {
                    if *given {
                        *to = *from;
                    }
                }
            }
        }
        Ok(())
    }

    fn armed(&mut self, index: usize) {
        self.armed_after = index;
        for lane in &mut self.lanes {
            (lane.engaged, lane.silent) = (false, false);
            for source in &mut lane.sources {
                source.fence = source.newest.clone();
            }
        }
    }

    fn select(&mut self, scene: &Scene<'_>, lane: usize, source: Option<usize>) -> Judged {
        let rules = &scene.rules.lanes[lane];
        let watch = &mut self.lanes[lane];
        if let Some(source) = source {
            let alive = watch.sources.get(source).is_some_and(|watch| {
                let timeout = rules.sources[source].timeout;
                watch.valid.is_some_and(|(at, _)| {
                    timeout.is_none_or(|timeout| scene.step.at - at <= nanos(timeout))
                })
            });
            hold!(
                alive,
                "select_needs_a_live_source",
                "source {source} of lane {lane} was put in charge"
            );
            if scene.before.lanes[lane].owner != Some(source) {
                watch.engaged = false;
            }
        }
        watch.selected = source;
        Ok(())
    }

    fn command(&mut self, scene: &Scene<'_>, received: &Received) -> Judged {
        let now = scene.step.at;
        let rules = &scene.rules.lanes[received.lane];
        let verdict = received.verdict;
        let forwarded = forwards(scene, received.lane);
        let refused = verdict == Verdict::Rejected;
        let watch = &mut self.lanes[received.lane].sources[received.source];
        watch.counts[verdict.index()] += 1;
        let stamp = received.publisher.zip(received.stamp);
        let fence = stamp.and_then(|(publisher, _)| watch.fence.get(&publisher).copied());
        let late = stamp.zip(fence).is_some_and(|((_, stamp), fence)| stamp <= fence);
        hold!(
            !forwarded || (!late && received.queued_after > self.armed_after),
            "nothing_from_before_the_arm",
            "stamp {stamp:?}, fence {fence:?}, queued after step {}, armed at {}",
            received.queued_after,
            self.armed_after
        );
        if let Some((publisher, stamp)) = stamp {
            let newest = watch.newest.entry(publisher).or_insert(stamp);
            *newest = stamp.max(*newest);
        }
        let source = &rules.sources[received.source];
        let aside = rules.mode == LaneMode::Watch || source.mode == SourceMode::Shadow;
        hold!(
            forwarded != aside || !matches!(verdict, Verdict::Passed | Verdict::Limited),
            "watch_and_shadow_publish_nothing",
            "{verdict}, forwarded: {forwarded}, judged aside: {aside}"
        );
        if !refused {
            let silence = source.timeout.map_or(FOLLOWS_AFTER, nanos);
            let others =
                watch.valid.is_some_and(|(at, p)| p != received.publisher && now - at <= silence);
            hold!(
                !others,
                "one_publisher_at_a_time",
                "{verdict} from {:?} although {:?} still sends",
                received.publisher,
                watch.valid
            );
            watch.valid = Some((now, received.publisher));
            // Over any window no more than the rate times the window, and a burst; a stop is none of it.
            let since = std::time::Duration::from_nanos(now - self.start.unwrap_or(now));
            let may = source.max_rate_hz * since.as_secs_f64();
            watch.lowest =
                if watch.taken - may < watch.lowest { watch.taken - may } else { watch.lowest };
            watch.taken += f64::from(u8::from(!rules.says_stop(&received.asked)));
            let over = watch.taken - may - watch.lowest;
            hold!(
                // A loop that balances is paced by its queue, and none of its commands is refused.
                rules.balance || over <= f64::from(source.burst) + 1e-3,
                "rate_is_kept",
                "{over} commands over the rate, burst {}",
                source.burst
            );
        }
        if forwarded {
            self.take_over(scene, received)?;
            let watch = &mut self.lanes[received.lane];
            watch.silent = false;
            if scene.before.lanes[received.lane].owner != Some(received.source) {
                (watch.engaged, watch.selected) = (false, None);
            }
            let moves = asks_for_motion(received, rules, &watch.last) == Asks::Surely;
            let plan = received.asked.times.last().and_then(|last| u64::try_from(*last).ok());
            watch.moving_until = match (moves, rules.shape) {
                (false, _) => 0,
                (true, Shape::Target) => u64::MAX,
                (true, Shape::Trajectory) => now.saturating_add(plan.unwrap_or(0)),
            };
            watch.engaged |= moves;
        } else if !refused && scene.before.lanes[received.lane].owner == Some(received.source) {
            self.lanes[received.lane].silent = false;
        }
        Ok(())
    }

    /// Up by itself with motion; down only by `select_source`, arm or `return_to: auto`; from a
    /// source that never asked for motion, to any that does.
    fn take_over(&self, scene: &Scene<'_>, received: &Received) -> Judged {
        let (lane, source) = (received.lane, received.source);
        let rules = &scene.rules.lanes[lane];
        let watch = &self.lanes[lane];
        let Some(owner) = scene.before.lanes[lane].owner.filter(|owner| *owner != source) else {
            return Ok(());
        };
        let timeout = rules.sources[owner].timeout;
        let silent = watch.sources[owner].valid.is_none_or(|(at, _)| {
            timeout.is_some_and(|timeout| scene.step.at - at > nanos(timeout))
        });
        let back = rules.return_to == ReturnTo::Auto && silent && watch.selected != Some(owner);
        let up = rules.sources[source].priority > rules.sources[owner].priority;
        hold!(
            up || back || !watch.engaged,
            "a_lower_source_does_not_take_over",
            "source {source} took lane {lane} from {owner}"
        );
        let moves = asks_for_motion(received, rules, &watch.last) != Asks::SurelyNot;
        hold!(
            moves || back,
            "neutral_does_not_take_over",
            "source {source} took lane {lane} from {owner} without asking for motion"
        );
        Ok(())
    }

    fn counts(&self, scene: &Scene<'_>) -> Judged {
        for (lane, (view, watch)) in scene.step.after.lanes.iter().zip(&self.lanes).enumerate() {
            for (source, (counts, watch)) in view.counts.iter().zip(&watch.sources).enumerate() {
                hold!(
                    *counts == watch.counts,
                    "counts_add_up",
                    "lane {lane} source {source}: {counts:?}, saw {:?}",
                    watch.counts
                );
            }
        }
        Ok(())
    }

    /// One owner, changed only by a forwarded command, `select_source`, arm or letting go.
    fn owners(&self, scene: &Scene<'_>) -> Judged {
        let lanes = scene.before.lanes.iter().zip(&scene.step.after.lanes);
        for (lane, (before, after)) in lanes.enumerate() {
            let may = match (&scene.step.what, after.owner) {
                (What::Command(received), owner) if forwards(scene, lane) => {
                    owner == Some(received.source)
                }
                // While not active it is remembered for the next arm.
                (What::Select { lane: of, source, accepted: true }, owner) if *of == lane => {
                    let active = scene.before.state == State::Active;
                    // By priority again: whoever moves it goes on.
                    let goes_on = source.is_none() && before.state == LaneState::Flowing;
                    owner == if active && !goes_on { *source } else { before.owner }
                }
                (What::Arm { result: Ok(()), .. }, owner) => {
                    owner == self.lanes[lane].selected
                        || scene.rules.lanes[lane].mode == LaneMode::Watch
                }
                (_, None) => before.owner.is_none() || after.state == LaneState::Released,
                (_, owner) => owner == before.owner,
            };
            hold!(
                may,
                "one_owner",
                "lane {lane}: {:?} became {:?} at {:?}",
                before.owner,
                after.owner,
                scene.step.what
            );
        }
        Ok(())
    }

    /// A source silent in motion holds its lane, and with it all others in the same tick.
    fn holds(&mut self, scene: &Scene<'_>) -> Judged {
        let (now, after) = (scene.step.at, &scene.step.after);
        let rules = &scene.rules.lanes;
        for (lane, watch) in self.lanes.iter_mut().enumerate() {
            if after.lanes[lane].state != LaneState::Holding {
                watch.silent = false;
                continue;
            }
            // Silent after a neutral command or a finished plan it waits, and holds only because
            // another lane does.
            let entered =
                scene.before.lanes[lane].state == LaneState::Flowing && watch.moving_until > now;
            let owner = after.lanes[lane].owner;
            watch.silent |= entered
                && owner.is_some_and(|owner| {
                    let timeout = rules[lane].sources[owner].timeout;
                    let heard = watch.sources[owner].valid.map(|(at, _)| now - at);
                    timeout.zip(heard).is_some_and(|(timeout, silent)| silent > nanos(timeout))
                });
        }
        let holder = self
            .lanes
            .iter()
            .enumerate()
            .find(|(lane, watch)| watch.silent && !rules[*lane].independent)
            .map(|(lane, _)| lane);
        let Some(holder) = holder.filter(|_| after.state == State::Active) else {
            return Ok(());
        };
        for (lane, view) in after.lanes.iter().enumerate().filter(|(lane, _)| *lane != holder) {
            hold!(
                view.state != LaneState::Flowing || rules[lane].balance,
                "one_holding_holds_all",
                "lane {holder} holds and lane {lane} flows"
            );
        }
        Ok(())
    }
}

/// Whether a command went out on this lane in this step.
fn forwards(scene: &Scene<'_>, lane: usize) -> bool {
    let mut outputs = scene.step.outputs.iter();
    outputs.any(|output| output.lane == lane && matches!(output.from, From::Source(_)))
}

/// What an observer can say of a command; the exact border is the gate's affair.
#[derive(Clone, Copy, PartialEq)]
enum Asks {
    Surely,
    Perhaps,
    SurelyNot,
}

fn asks_for_motion(received: &Received, rules: &LaneRules, last: &[f64]) -> Asks {
    let asked = &received.asked;
    if rules.shape == Shape::Trajectory {
        return if asked.points == 0 { Asks::SurelyNot } else { Asks::Surely };
    }
    if matches!(rules.safe, SafeCommand::Damping | SafeCommand::Silent) {
        // What the last stop left the joints to is not known here.
        return Asks::Perhaps;
    }
    let period = 1.0 / rules.sources[received.source].max_rate_hz;
    let values = targets(asked, rules.interface).iter().zip(last).zip(&asked.given);
    let mut asks = Asks::SurelyNot;
    for ((value, last), given) in values {
        if !given {
            continue;
        }
        let (size, surely) = match rules.interface {
            Interface::Position => ((value - last).abs(), 2.0 * rules.standstill * period),
            Interface::Velocity | Interface::Effort => (value.abs(), 2e-6),
        };
        if size > surely {
            return Asks::Surely;
        }
        if size > 0.0 {
            asks = Asks::Perhaps;
        }
    }
    asks
}
