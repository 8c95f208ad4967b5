//! Slots of the node as a whole.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{
    ArmRefusal, Counter, Flag, Gauge, Histogram, Level, OneOf, PERIOD, ResetRefusal, STOP,
    SharedCounter, StopTrigger, TRANSPORT, Table, TimestampGauge,
};
use crate::config::model::Config;
use crate::gate::cause::{Cause, CauseSet};
use crate::gate::condition::ConditionCode;
use crate::gate::state::State;
use crate::gate::units::SteadyTime;

/// Slots of the node as a whole. Written by the gate thread, refusals by any.
#[derive(Debug)]
pub struct NodeSlots {
    /// Absent until first set; `interlock_latched` is derived from it, so the two cannot disagree.
    pub state: OneOf<State>,
    /// It was active when it was killed; absent while not killed, and where nobody knows.
    pub latched_from_active: Flag,
    /// The bit of `~/permit`.
    pub permitted: Flag,
    /// The persisted number.
    pub seq: Level,
    /// Trips by cause.
    pub trips: Table<Cause, Counter>,
    /// The first cause while killed, else none.
    pub trip_cause: OneOf<Cause>,
    /// Causes that are there now.
    pub cause_present: Table<Cause, Flag>,
    /// Causes whose action is `ignore`, of the profile in force: see [`Self::set_profile`].
    pub cause_ignored: Table<Cause, Flag>,
    /// What each profile ignores, in the order of [`Config::profiles`]. Constant.
    ignored_by: Box<[CauseSet]>,
    /// What the profile ignores that a plain arm takes. Constant.
    ignored_unarmed: CauseSet,
    /// Conditions that hold; absent until first evaluated.
    pub conditions: Table<ConditionCode, Flag>,
    /// Resets that took effect.
    pub resets: Counter,
    /// Resets that did not. Any thread.
    pub reset_refusals: Table<ResetRefusal, SharedCounter>,
    /// Arms that took effect.
    pub arms: Counter,
    /// Arms that did not. Any thread.
    pub arm_refusals: Table<ArmRefusal, SharedCounter>,
    /// Of the newest trip of this run.
    pub last_trip: TimestampGauge,
    /// Newest self test of the way of the verbs that passed.
    pub self_test: TimestampGauge,
    /// When the graph was last seen to be audited.
    pub last_audit: TimestampGauge,
    /// Trip observed to first safe command handed to the middleware.
    pub stop: Table<StopTrigger, Histogram>,
    /// Record to disk. Written by thread `latch`.
    pub latch_write: Histogram,
    /// The latch file can be written; absent where nothing is kept on disk.
    pub latch_writable: Flag,
    /// Thread `monitor` goes on; absent before its first look.
    pub monitor_running: Flag,
    /// Index of [`Identity::profiles`](super::Identity::profiles); none while not armed.
    pub profile: OneOf<usize>,
    /// Factor on velocity limits, 1: none.
    pub derating: Gauge,
    /// Between two ticks.
    pub tick_interval: Histogram,
    /// Steps of the wall clock.
    pub clock_steps: Counter,
    /// Suspends of the machine.
    pub suspends: Counter,
    /// A time service keeps the wall clock; absent where the kernel does not tell. Written by thread
    /// `control`.
    pub clock_synchronized: Flag,
    /// The largest error the wall clock can have, s. Written by thread `control`.
    pub clock_error: Gauge,
    /// `use_sim_time` is on. Constant.
    pub clock_simulated: bool,
    /// Ticks that did not take place in time.
    pub ticks_missed: Counter,
    /// Steady time of the last tick in nanoseconds, 0 before the first. See [`Self::ticked`].
    last_tick: AtomicU64,
}

impl NodeSlots {
    pub(super) fn new(config: &Config) -> Self {
        let ignored = |profile: Option<usize>| {
            config.ignored(profile).fold(CauseSet::default(), |set, cause| set.with(cause, true))
        };
        let ignored_unarmed = ignored(None);
        let derating = Gauge::default();
        derating.set(1.0);
        Self {
            state: OneOf::default(),
            latched_from_active: Flag::default(),
            permitted: Flag::known(false),
            seq: Level::default(),
            trips: Table::default(),
            trip_cause: OneOf::default(),
            cause_present: Table::from_fn(|_| Flag::known(false)),
            cause_ignored: Table::from_fn(|cause| Flag::known(ignored_unarmed.contains(cause))),
            ignored_by: (0..config.profiles.len()).map(|index| ignored(Some(index))).collect(),
            ignored_unarmed,
            conditions: Table::default(),
            resets: Counter::default(),
            reset_refusals: Table::default(),
            arms: Counter::default(),
            arm_refusals: Table::default(),
            last_trip: TimestampGauge::default(),
            self_test: TimestampGauge::default(),
            last_audit: TimestampGauge::default(),
            stop: Table::from_fn(|_| Histogram::new(&STOP)),
            latch_write: Histogram::new(&TRANSPORT),
            latch_writable: Flag::default(),
            monitor_running: Flag::default(),
            profile: OneOf::default(),
            derating,
            tick_interval: Histogram::new(&PERIOD),
            clock_steps: Counter::default(),
            suspends: Counter::default(),
            clock_synchronized: Flag::default(),
            clock_error: Gauge::default(),
            clock_simulated: config.use_sim_time,
            ticks_missed: Counter::default(),
            last_tick: AtomicU64::new(0),
        }
    }

    /// Tells the profile in force, none while not armed, and with it what is ignored. Does not
    /// allocate: each profile's set was made at the start.
    pub fn set_profile(&self, profile: Option<usize>) {
        self.profile.set(profile);
        let of_profile = profile.and_then(|index| self.ignored_by.get(index));
        let ignored = of_profile.copied().unwrap_or(self.ignored_unarmed);
        for (cause, cell) in self.cause_ignored.iter() {
            cell.set(ignored.contains(cause));
        }
    }

    /// Tells that a tick takes place at `now`: the sign of life that `/livez` looks at, and the
    /// interval since the last one.
    pub fn ticked(&self, now: SteadyTime) {
        // Relaxed: this thread's own last store.
        let before = self.last_tick.load(Ordering::Relaxed);
        if before != 0 {
            self.tick_interval.observe(now.since(SteadyTime::from_nanos(before)));
        }
        // Release: pairs with the Acquire in `last_tick`. Not needed for the number itself; a
        // reader that sees this tick also sees what earlier ticks wrote, so `/livez` never says
        // "alive" beside slots older than that tick.
        self.last_tick.store(now.as_nanos(), Ordering::Release);
    }

    /// When the newest tick took place, `None` before the first.
    #[must_use]
    pub fn last_tick(&self) -> Option<SteadyTime> {
        // Acquire: pairs with the Release in `ticked`.
        let nanos = self.last_tick.load(Ordering::Acquire);
        (nanos != 0).then(|| SteadyTime::from_nanos(nanos))
    }

    /// How long ago the newest tick took place, `None` before the first.
    #[must_use]
    pub fn since_tick(&self, now: SteadyTime) -> Option<Duration> {
        self.last_tick().map(|at| now.since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::cause::Action;
    use crate::telemetry::fixture;

    #[test]
    fn when_a_profile_ignores_a_cause_expect_it_shown_while_it_is_in_force() {
        let mut config = fixture::config();
        config.profile = config.profiles[0].name.clone();
        config.profiles[1].rules.actions =
            vec![(Cause::Tilt, Action::Ignore), (Cause::Divergence, Action::Warn)];
        let node = NodeSlots::new(&config);
        let shown = || -> Vec<Cause> {
            let all = node.cause_ignored.iter();
            all.filter(|(_, cell)| cell.get() == Some(true)).map(|(cause, _)| cause).collect()
        };
        // The file's own, which the second profile makes a warning.
        assert_eq!(shown(), [Cause::Divergence]);
        node.set_profile(Some(1));
        assert_eq!((shown(), node.profile.get()), (vec![Cause::Tilt], Some(1)));
        node.set_profile(Some(0));
        assert_eq!(shown(), [Cause::Divergence]);
        node.set_profile(Some(1));
        node.set_profile(None);
        assert_eq!((shown(), node.profile.get()), (vec![Cause::Divergence], None));
        // What a plain arm takes is what is told before it.
        config.profile = config.profiles[1].name.clone();
        assert_eq!(
            NodeSlots::new(&config).ignored_unarmed,
            CauseSet::default().with(Cause::Tilt, true)
        );
    }

    #[test]
    fn when_ticks_are_told_expect_interval_and_sign_of_life() {
        let slots = fixture::slots();
        let at = SteadyTime::from_nanos;
        assert_eq!(slots.node.since_tick(at(7)), None);
        slots.node.ticked(at(1_000_000));
        assert_eq!(slots.node.tick_interval.read().count, 0);
        slots.node.ticked(at(11_000_000));
        let reading = slots.node.tick_interval.read();
        assert_eq!((reading.count, reading.sum_nanos), (1, 10_000_000));
        assert_eq!(slots.node.since_tick(at(12_000_000)), Some(Duration::from_millis(1)));
    }
}
