//! What feedback says of one lane: the newest pose, and the velocity averaged for "standing still".

use std::time::Duration;

use super::units::{SteadyTime, at_least, at_most, is_within};

/// Time constant of the velocity average. Sway of a standing humanoid (around 1 Hz) averages out.
const AVERAGE_OVER_S: f64 = 0.5;

/// Samples further apart have nothing to say about each other.
const APART: Duration = Duration::from_millis(500);

/// Nothing that moves is faster, in rad or m per s: a sample that says more is a fault of a sensor or of
/// a cable, and the average must decay from it within seconds, and not stay not a number for ever.
const FASTEST: f64 = 1e9;

/// What a rate counts in the average.
fn counted(rate: f64) -> f64 {
    at_least(at_most(rate, FASTEST), -FASTEST)
}

/// The measured state of one lane's joints or axes.
#[derive(Clone, Debug)]
pub struct Measured {
    position: Vec<f64>,
    /// The two poses before, the newer first.
    before: [Vec<f64>; 2],
    velocity: Vec<f64>,
    mean_velocity: Vec<f64>,
    has_position: bool,
    has_velocity: bool,
    at: Option<SteadyTime>,
}

impl Measured {
    /// Nothing measured yet.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self {
            position: vec![0.0; dimensions],
            before: [vec![0.0; dimensions], vec![0.0; dimensions]],
            velocity: vec![0.0; dimensions],
            mean_velocity: vec![0.0; dimensions],
            has_position: false,
            has_velocity: false,
            at: None,
        }
    }

    /// Notes a sample. An empty slice: the feedback does not carry that quantity; a velocity that is
    /// missing is taken from the change of position.
    ///
    /// Samples that are not finite or not complete, and those without the positions that earlier ones
    /// had, are ignored as a whole; the result says so.
    #[must_use]
    pub fn sample(&mut self, position: &[f64], velocity: &[f64], now: SteadyTime) -> bool {
        self.weigh(position, velocity, now).is_some()
    }

    /// [`Self::sample`]; returns the sample's weight in the average.
    pub(super) fn weigh(
        &mut self,
        position: &[f64],
        velocity: &[f64],
        now: SteadyTime,
    ) -> Option<f64> {
        let complete = |values: &[f64]| values.len() == self.position.len();
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        let usable = |values: &[f64]| values.is_empty() || (complete(values) && finite(values));
        if !usable(position) || !usable(velocity) || (position.is_empty() && velocity.is_empty()) {
            return None;
        }
        // Who told positions and no longer does leaves the last one standing: that is no sign of
        // life of what is judged by it.
        if self.has_position && position.is_empty() {
            return None;
        }
        let elapsed = self.at.map(|at| now.since(at).as_secs_f64());
        let weight = elapsed.map_or(1.0, |elapsed| elapsed / (AVERAGE_OVER_S + elapsed));
        if velocity.is_empty() {
            for ((mean, old), new) in
                self.mean_velocity.iter_mut().zip(&self.position).zip(position)
            {
                let rate = match elapsed {
                    Some(elapsed) if elapsed > 0.0 => (new - old) / elapsed,
                    Some(_) | None => 0.0,
                };
                *mean += (counted(rate) - *mean) * weight;
            }
        } else {
            for (mean, new) in self.mean_velocity.iter_mut().zip(velocity) {
                *mean += (counted(*new) - *mean) * weight;
            }
            self.velocity.copy_from_slice(velocity);
        }
        self.has_velocity = !velocity.is_empty();
        if !position.is_empty() {
            self.note(position, now);
        }
        self.has_position |= !position.is_empty();
        self.at = Some(now);
        Some(weight)
    }

    fn note(&mut self, position: &[f64], now: SteadyTime) {
        let follows = self.has_position && self.at.is_some_and(|at| now.since(at) <= APART);
        let [newer, older] = &mut self.before;
        std::mem::swap(newer, older);
        std::mem::swap(newer, &mut self.position);
        self.position.copy_from_slice(position);
        if !follows {
            newer.copy_from_slice(position);
            older.copy_from_slice(position);
        }
    }

    /// Where a joint is to be held: its newest position, or the median of the last three where that
    /// is further than `tolerance` from it and no motion goes on to it, so that one wrong sample is no
    /// pose.
    #[must_use]
    pub fn steady(&self, dimension: usize, tolerance: f64) -> Option<f64> {
        let at = |pose: &[f64]| pose.get(dimension).copied();
        let newest = self.position().and_then(at)?;
        let [newer, older] = &self.before;
        let (newer, older) = (at(newer)?, at(older)?);
        let (low, high) = (at_most(newer, older), at_least(newer, older));
        let median = at_least(at_most(newest, high), low);
        let (now, before) = (newest - newer, newer - older);
        let goes_on = now * before > 0.0 && now.abs() <= 2.0 * before.abs() + tolerance;
        let is_far = (newest - median).abs() > tolerance;
        Some(if is_far && !goes_on { median } else { newest })
    }

    /// The newest pose; `None` before the first sample that carries one.
    #[must_use]
    pub fn position(&self) -> Option<&[f64]> {
        self.has_position.then_some(self.position.as_slice())
    }

    /// The velocity averaged over about half a second; `None` before the first sample.
    #[must_use]
    pub fn mean_velocity(&self) -> Option<&[f64]> {
        self.at.map(|_| self.mean_velocity.as_slice())
    }

    /// The velocity of the newest sample; `None` where it carries none.
    #[must_use]
    pub fn velocity(&self) -> Option<&[f64]> {
        self.has_velocity.then_some(self.velocity.as_slice())
    }

    /// Whether a sample came within `timeout`.
    #[must_use]
    pub fn is_fresh(&self, now: SteadyTime, timeout: Duration) -> bool {
        self.at.is_some_and(|at| now.since(at) <= timeout)
    }

    /// The first joint or axis whose mean velocity is over `standstill`, with that velocity.
    #[must_use]
    pub fn moving(&self, standstill: f64) -> Option<(usize, f64)> {
        let mut means = self.mean_velocity.iter().enumerate();
        means
            .find(|(_, mean)| !is_within(**mean, -standstill, standstill))
            .map(|(dimension, mean)| (dimension, *mean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn when_it_sways_expect_still_and_when_it_drifts_expect_moving() {
        let mut swaying = Measured::new(1);
        let mut drifting = Measured::new(1);
        for step in 0..2_000u32 {
            let phase = f64::from(step) * 0.01 * std::f64::consts::TAU;
            let now = at(u64::from(step) * 10);
            assert!(swaying.sample(&[0.0], &[0.1 * phase.sin()], now));
            assert!(drifting.sample(&[0.0], &[0.06], now));
        }
        assert_eq!(swaying.moving(0.05), None);
        assert_eq!(drifting.moving(0.05).map(|(joint, _)| joint), Some(0));
    }

    #[test]
    fn when_velocity_is_missing_expect_it_from_positions() {
        let mut measured = Measured::new(2);
        for step in 0..200u32 {
            let position = [0.0, f64::from(step) * 0.01];
            assert!(measured.sample(&position, &[], at(u64::from(step) * 10)));
        }
        assert_eq!(measured.moving(0.05).map(|(joint, _)| joint), Some(1));
    }

    #[test]
    fn when_a_sample_is_bad_expect_it_ignored_whole() {
        let mut measured = Measured::new(2);
        assert!(!measured.sample(&[0.0], &[], at(0)));
        assert!(!measured.sample(&[0.0, f64::NAN], &[], at(0)));
        assert!(!measured.sample(&[], &[], at(0)));
        assert_eq!(measured.position(), None);
        assert!(measured.sample(&[0.1, 0.2], &[0.0, 0.0], at(0)));
        assert!(!measured.sample(&[0.3, 0.3], &[0.0, f64::INFINITY], at(1)));
        assert_eq!(measured.position(), Some([0.1, 0.2].as_slice()));
        assert!(!measured.is_fresh(at(600), Duration::from_millis(500)));
        assert!(measured.is_fresh(at(500), Duration::from_millis(500)));
    }

    #[test]
    fn when_one_sample_is_far_off_expect_it_to_be_no_pose() {
        let mut measured = Measured::new(1);
        assert_eq!(measured.steady(0, 0.1), None);
        let mut steady = |position: f64, ms: u64| {
            assert!(measured.sample(&[position], &[], at(ms)));
            measured.steady(0, 0.1).unwrap()
        };
        // The first is all that is known, and so is one after a pause.
        assert_eq!(steady(0.5, 0), 0.5);
        assert_eq!(steady(9.0, 10), 0.5);
        assert_eq!(steady(0.6, 20), 0.6, "the wrong one is no longer the newest");
        assert_eq!(steady(0.6, 25), 0.6);
        assert_eq!(steady(-9.0, 30), 0.6);
        // Two of three are believed, and motion within the tolerance is followed.
        assert_eq!(steady(-9.0, 40), -9.0);
        assert_eq!(steady(-9.05, 50), -9.05);
        assert_eq!(steady(-9.1, 550), -9.1);
        assert_eq!(steady(2.0, 1_051), 2.0);
        // A fast joint goes on; one that leaps does not.
        assert_eq!(steady(2.05, 1_071), 2.05);
        assert_eq!(steady(2.2, 1_091), 2.2);
        assert_eq!(steady(2.55, 1_111), 2.55);
        assert_eq!(steady(9.0, 1_131), 2.55);
        assert_eq!(steady(2.6, 1_151), 2.6);
    }

    #[test]
    fn when_samples_come_at_any_pace_expect_each_weighed_by_its_time() {
        for carried in [true, false] {
            let mut measured = Measured::new(1);
            assert_eq!(measured.mean_velocity(), None);
            let mut sample = |position: f64, velocity: f64, ms: u64| {
                let velocity = [velocity];
                let velocity = if carried { &velocity[..] } else { &[] };
                assert!(measured.sample(&[position], velocity, at(ms)));
                measured.mean_velocity().unwrap()[0]
            };
            assert_eq!(sample(0.0, 0.0, 0), 0.0);
            // 1 per s for half a second weighs half, 4 per s for a quarter weighs a third.
            assert!((sample(0.5, 1.0, 500) - 0.5).abs() < 1e-12);
            let mean = 0.5 + (4.0 - 0.5) / 3.0;
            assert!((sample(1.5, 4.0, 750) - mean).abs() < 1e-12);
            // At the same moment it weighs nothing, wherever it is.
            assert!((sample(9.0, 40.0, 750) - mean).abs() < 1e-12);
        }
    }

    #[test]
    fn when_a_sample_is_beyond_all_measure_expect_the_mean_to_decay_from_it() {
        for carried in [true, false] {
            let mut measured = Measured::new(1);
            for (step, value) in [0.0, 1e308, -1e308].into_iter().enumerate() {
                let (position, velocity) = if carried { (0.0, value) } else { (value, 0.0) };
                let velocity = [velocity];
                let velocity = if carried { &velocity[..] } else { &[] };
                assert!(measured.sample(&[position], velocity, at(10 * step as u64)));
            }
            let (_, mean) = measured.moving(0.05).unwrap();
            assert!(mean.abs() <= FASTEST, "{mean}");
            for step in 3..2_000 {
                let velocity = if carried { &[0.0][..] } else { &[] };
                assert!(measured.sample(&[0.0], velocity, at(10 * step)));
            }
            assert_eq!(measured.moving(0.05), None, "{carried}");
        }
    }
}
