//! From what happened to the clocks to causes: what the gate thread hands on at its tick.
//!
//! A suspend or a step is a moment. Its cause is there for one look and gone with the next; what it
//! did (a disarm, a kill, a warning) stays.
//!
//! **Invariant:** a quiet look hands nothing on.

use super::{ClockEvent, ClockWatch, Readings};
use crate::gate::cause::Cause;
use crate::gate::fault::Level;

/// What one look found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockNews {
    /// What happened; `None`: nothing.
    pub event: Option<ClockEvent>,
    /// Cause `suspended`, where its level changes or it is there again.
    pub suspended: Option<Level>,
    /// Cause `clock_step`, in the same way.
    pub stepped: Option<Level>,
}

/// The watch, and which of the two causes the last look left present.
#[derive(Clone, Copy, Debug)]
pub struct ClockCauses {
    watch: ClockWatch,
    /// The least move of the wall clock that is a step, s.
    step_s: f64,
    was_suspended: bool,
    was_stepped: bool,
}

impl ClockCauses {
    /// `step` is the least move of the wall clock that counts, nanoseconds.
    #[must_use]
    pub const fn new(step: i64) -> Self {
        let watch = ClockWatch::new(step);
        Self { watch, step_s: seconds(step), was_suspended: false, was_stepped: false }
    }

    /// Whether the machine slept since the last look, which this is not.
    #[must_use]
    pub fn has_slept(&self, now: Readings) -> bool {
        self.watch.has_slept(now)
    }

    /// Looks at the clocks.
    pub fn look(&mut self, now: Readings) -> ClockNews {
        let event = self.watch.look(now);
        let (mut slept, mut stepped) = (Level::plain(false), Level::plain(false));
        match event {
            None => {}
            Some(ClockEvent::Suspended(time)) => {
                slept = Level { present: true, found: time.as_secs_f64(), bound: f64::NAN };
            }
            Some(ClockEvent::Stepped(by)) => {
                stepped = Level { present: true, found: seconds(by), bound: self.step_s };
            }
        }
        let suspended = (slept.present || self.was_suspended).then_some(slept);
        let stepped_now = (stepped.present || self.was_stepped).then_some(stepped);
        (self.was_suspended, self.was_stepped) = (slept.present, stepped.present);
        ClockNews { event, suspended, stepped: stepped_now }
    }
}

impl ClockNews {
    /// Each cause whose level is to be handed on.
    pub fn levels(&self) -> impl Iterator<Item = (Cause, Level)> {
        let both = [(Cause::Suspended, self.suspended), (Cause::ClockStep, self.stepped)];
        both.into_iter().filter_map(|(cause, level)| Some((cause, level?)))
    }
}

#[expect(clippy::as_conversions, reason = "nanoseconds to seconds for people")]
const fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::STEP;
    use crate::gate::core::tests::bench::{Bench, rules};
    use crate::gate::machine::Subject;
    use crate::gate::rules::LaneRules;
    use crate::gate::safe::SafeCommand;
    use crate::gate::state::State;
    use crate::gate::test_rules::velocity_lane;

    const MS: i64 = 1_000_000;
    /// The three clocks do not start at the same number.
    const BOOT_AHEAD: i64 = 7_000 * MS;
    const WALL_AHEAD: i64 = 1_700_000_000_000 * MS;

    /// A machine: the gate's clock is the steady one, the others follow it or not.
    struct Machine {
        bench: Bench,
        causes: ClockCauses,
        boot: i64,
        wall: i64,
    }

    impl Machine {
        fn armed(lane: LaneRules) -> Self {
            let bench = Bench::new(rules(vec![lane])).armed();
            let causes = ClockCauses::new(STEP);
            Self { bench, causes, boot: BOOT_AHEAD, wall: WALL_AHEAD }
        }

        /// Some ticks, each with its look at the clocks, as the gate thread does it.
        fn ticks(&mut self, count: u64) -> Vec<ClockEvent> {
            let mut events = Vec::new();
            for _ in 0..count {
                let steady = i64::try_from(self.bench.now_ms).unwrap() * MS;
                let now = Readings { steady, boot: steady + self.boot, wall: steady + self.wall };
                let news = self.causes.look(now);
                events.extend(news.event);
                for (cause, level) in news.levels() {
                    let now = self.bench.now();
                    self.bench.gate.level(cause, Subject::Node, level, now);
                }
                self.bench.run(10);
            }
            events
        }

        /// The steady clock stands still, the two others go on.
        fn sleeps(&mut self, ms: i64) {
            self.boot += ms * MS;
            self.wall += ms * MS;
        }

        fn state(&self) -> State {
            self.bench.gate.machine().state()
        }
    }

    #[test]
    fn hazard_34_suspend_resume() {
        // Lanes of targets are disarmed: whatever waited through the sleep is from another time.
        let mut machine = Machine::armed(velocity_lane(1));
        assert_eq!(machine.ticks(20), [], "three clocks at one rate are no event");
        machine.bench.stream(0, 0, &[0.01], 60);
        assert_eq!(machine.state(), State::Active);
        let seq = machine.bench.gate.machine().seq();
        machine.sleeps(3_600);
        let events = machine.ticks(1);
        let slept = std::time::Duration::from_millis(3_600);
        assert_eq!(events, [ClockEvent::Suspended(slept)], "and no step of the wall clock");
        assert_eq!(machine.state(), State::Disarmed);
        let trip =
            machine.bench.gate.machine().last_trip().expect("what disarmed it is remembered");
        assert_eq!((trip.cause, trip.found), (Cause::Suspended, 3.6));
        assert!(machine.bench.gate.machine().seq() > seq, "an older arm is refused");
        // It was a moment: with the next look it is gone, and the robot can be armed again.
        assert_eq!(machine.ticks(30), []);
        assert_eq!(machine.bench.unmet(), []);
        let (seq, now) = (machine.bench.gate.machine().seq(), machine.bench.now());
        assert_eq!(machine.bench.gate.arm(seq, 0, now), Ok(()));
        // A second suspend acts like the first.
        machine.ticks(5);
        machine.sleeps(200);
        machine.ticks(1);
        assert_eq!(machine.state(), State::Disarmed);
    }

    #[test]
    fn hazard_34_suspend_resume_of_a_balance_lane_kills() {
        let leg = LaneRules {
            balance: true,
            safe: SafeCommand::Damping,
            safe_targets: vec![3.0],
            ..velocity_lane(1)
        };
        let mut machine = Machine::armed(leg);
        machine.ticks(5);
        machine.sleeps(60);
        machine.ticks(1);
        assert_eq!(machine.state(), State::Killed);
    }

    #[test]
    fn hazard_34_suspend_resume_is_told_from_a_stall_and_from_a_step() {
        let mut machine = Machine::armed(velocity_lane(1));
        machine.ticks(5);
        // A process that is stopped: all three clocks run on. That is another cause's business.
        let before = machine.causes;
        let steady = i64::try_from(machine.bench.now_ms).unwrap() * MS + 5_000 * MS;
        let now = Readings { steady, boot: steady + BOOT_AHEAD, wall: steady + WALL_AHEAD };
        assert_eq!(machine.causes.look(now), ClockNews::default());
        machine.causes = before;
        // The wall clock alone is set: told, counted, and nothing stops.
        machine.wall -= 3_600_000 * MS;
        assert_eq!(machine.ticks(1), [ClockEvent::Stepped(-3_600_000 * MS)]);
        assert_eq!(machine.state(), State::Active);
        assert_eq!(machine.ticks(5), []);
        assert_eq!(machine.state(), State::Active);
    }
}
