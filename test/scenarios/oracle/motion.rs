//! How far and how fast what is sent may move.
//!
//! A limit on a rate is judged over windows, not over single steps, because what one command did not
//! use the next may. The observer counts *granted time*: each command adds the steady time since the
//! one before, but at most [`PERIODS`] nominal periods of its source (a gap gives no catch-up). Over
//! any window the lane may use what was granted in it, and [`PERIODS`] periods that were saved before.

use interlock::gate::lane_state::LaneState;
use interlock::gate::rules::{GateRules, Interface, LaneRules, Shape};
use interlock::gate::safe::SafeCommand;

use super::easing::Easing;
use super::form::targets;
use super::standing::Standing;
use super::{Judged, Scene, hold};
use crate::trace::{From, Output, What};

/// The time credit's cap, in nominal periods (design §6).
const PERIODS: f64 = 1.5;

/// Room for rounding in what is compared: of the numbers involved, a part in 10⁹.
const ROUNDING: f64 = 1e-9;

/// The lower of two numbers.
pub(super) fn least(one: f64, other: f64) -> f64 {
    if one < other { one } else { other }
}

/// The higher of two numbers.
pub(super) fn most(one: f64, other: f64) -> f64 {
    if one > other { one } else { other }
}

/// What one joint or axis sent since something other than a command moved it.
#[derive(Clone, Default)]
struct Track {
    last: f64,
    /// Lowest `value − may rise` and highest `value + may fall` so far.
    lowest: f64,
    highest: f64,
    /// Highest `|value| + may slow down` and lowest `|value| − may speed up` so far.
    fastest: f64,
    slowest: f64,
    /// Where it last stood still, and how much time had been granted by then.
    rest: (f64, f64),
    /// Every value since then, with the time granted by then.
    run: Vec<(f64, f64)>,
}

/// The motion of one lane's output.
pub(super) struct LaneMotion {
    tracks: Vec<Track>,
    standing: Vec<Standing>,
    /// Granted time, s; the same times the velocity factor in force.
    granted: f64,
    scaled: f64,
    last_at: Option<u64>,
    measured: Option<Vec<f64>>,
    easing: Easing,
    /// Longest saving, s.
    saved: f64,
}

impl LaneMotion {
    pub(super) fn new(rules: &LaneRules) -> Self {
        let periods = rules.sources.iter().map(|source| 1.0 / source.max_rate_hz);
        Self {
            tracks: vec![Track::default(); rules.limits.len()],
            standing: vec![Standing::default(); rules.limits.len()],
            granted: 0.0,
            scaled: 0.0,
            last_at: None,
            measured: None,
            easing: Easing::new(),
            saved: PERIODS * periods.fold(0.0, most),
        }
    }

    pub(super) fn measured(&self) -> Option<&[f64]> {
        self.measured.as_deref()
    }

    pub(super) fn observe(&mut self, scene: &Scene<'_>, lane: usize) -> Judged {
        match &scene.step.what {
            What::Feedback { lane: of, position, usable: true, .. }
                if *of == lane && !position.is_empty() =>
            {
                self.measured = Some(position.clone());
            }
            What::Boot
            | What::Tick
            | What::Command(_)
            | What::Kill
            | What::KillInput { .. }
            | What::Disarm(_)
            | What::Reset { .. }
            | What::Arm { .. }
            | What::Select { .. }
            | What::Derate(_)
            | What::Feedback { .. } => {}
        }
        self.easing.observe(scene, lane);
        for output in scene.step.outputs.iter().filter(|output| output.lane == lane) {
            let rules = &scene.rules.lanes[lane];
            match output.from {
                From::Safe(_) => self.safe(output, rules, scene.step.at),
                From::Source(_) if rules.shape == Shape::Trajectory => {
                    self.plan(output, rules, scene.step.at);
                }
                From::Source(_) if rules.balance => verified(output, rules)?,
                From::Source(source) => self.command(scene, output, source)?,
            }
        }
        Ok(())
    }

    /// A safe command that changes something is where the next window begins.
    fn safe(&mut self, output: &Output, rules: &LaneRules, now: u64) {
        let values = targets(&output.command, rules.interface);
        let changed = self.tracks.iter().zip(values).any(|(t, v)| t.last.to_bits() != v.to_bits());
        if changed || self.last_at.is_none() {
            self.begin(values, now);
        } else if rules.interface == Interface::Position {
            // A pose held is a pose at rest.
            let granted = self.granted;
            for track in &mut self.tracks {
                track.rest = (track.last, granted);
                track.run.clear();
                track.run.push((track.last, granted));
            }
        }
    }

    fn begin(&mut self, values: &[f64], now: u64) {
        self.granted = 0.0;
        self.scaled = 0.0;
        self.last_at = Some(now);
        for (track, value) in self.tracks.iter_mut().zip(values) {
            let (value, speed) = (*value, value.abs());
            *track = Track {
                last: value,
                lowest: value,
                highest: value,
                fastest: speed,
                slowest: speed,
                rest: (value, 0.0),
                run: vec![(value, 0.0)],
            };
        }
    }

    fn plan(&mut self, output: &Output, rules: &LaneRules, now: u64) {
        let values = targets(&output.command, rules.interface);
        let joints = rules.limits.len();
        if let Some(last) = values.rchunks_exact(joints).next() {
            let merged = self.tracks.iter().zip(last).zip(&output.command.given);
            let last: Vec<f64> = merged
                .map(|((track, value), given)| if *given { *value } else { track.last })
                .collect();
            self.begin(&last, now);
        }
    }

    fn command(&mut self, scene: &Scene<'_>, output: &Output, source: usize) -> Judged {
        let (lane, now) = (output.lane, scene.step.at);
        let rules = &scene.rules.lanes[lane];
        let values = targets(&output.command, rules.interface);
        let limp = matches!(rules.safe, SafeCommand::Damping | SafeCommand::Silent);
        if limp && scene.before.lanes[lane].state != LaneState::Flowing {
            // The stop left the joints to themselves: the first command starts where they are.
            let start = self.measured.clone().unwrap_or_else(|| values.to_vec());
            self.begin(&start, now);
        }
        let cap = PERIODS / rules.sources[source].max_rate_hz;
        let elapsed = match self.last_at {
            None => cap,
            Some(at) => least(seconds(now - at), cap),
        };
        let factor = self.easing.factor(scene, lane, source);
        self.granted += elapsed;
        self.scaled += elapsed * factor;
        self.last_at = Some(now);
        for (joint, value) in values.iter().enumerate() {
            if !output.command.given[joint] {
                continue;
            }
            let place = Place { lane, joint, cap, elapsed, factor };
            if self.standing[joint].hears(now, cap / PERIODS) {
                let track = &mut self.tracks[joint];
                track.rest = (track.last, self.granted - elapsed);
                track.run.clear();
                track.run.push(track.rest);
            }
            match rules.interface {
                Interface::Position => self.position(scene.rules, place, *value)?,
                Interface::Velocity => self.velocity(scene.rules, place, *value)?,
                Interface::Effort => {}
            }
            self.tracks[joint].last = *value;
        }
        Ok(())
    }

    fn position(&mut self, rules: &GateRules, place: Place, value: f64) -> Judged {
        let Place { lane, joint, cap, elapsed, factor } = place;
        let limits = &rules.lanes[lane].limits[joint];
        let (granted, saved) = (self.granted, self.saved);
        let track = &mut self.tracks[joint];
        if let Some(bounds) = limits.position {
            let (low, high) = (least(bounds.min, track.last), most(bounds.max, track.last));
            hold!(
                low <= value && value <= high,
                "position_stays_in_bounds",
                "lane {lane} joint {joint}: {} then {value}, allowed {bounds:?}",
                track.last
            );
        }
        if let Some(bounds) = limits.velocity {
            // With a deceleration limit a scale that shrinks takes time; without, none.
            let time = if limits.deceleration.is_some() { granted } else { self.scaled };
            let (up, down) = (bounds.max, -bounds.min);
            let room = ROUNDING * (up + down) * (1.0 + time) + 1e-12;
            let rise = value - up * time - track.lowest;
            let fall = track.highest - (value + down * time);
            hold!(
                rise <= up * saved + room && fall <= down * saved + room,
                "window_bound",
                "lane {lane} joint {joint}: {value} is {rise} above or {fall} below the window"
            );
            track.lowest = least(track.lowest, value - up * time);
            track.highest = most(track.highest, value + down * time);
            let step = value - track.last;
            let scaled = factor * cap;
            hold!(
                limits.deceleration.is_some()
                    || (step <= up * scaled + room && -step <= down * scaled + room),
                "step_within_scale",
                "lane {lane} joint {joint}: a step of {step} at factor {factor}"
            );
        }
        if let (Some(speeding_up), Some(braking)) = (limits.acceleration, limits.deceleration) {
            let (pose, since) = track.rest;
            let time = granted - since + saved;
            // What any stepping from rest can cover: v ≤ a·t at each step of at most the cap.
            let far = 0.5 * speeding_up * time * (time + cap_of(rules, lane));
            hold!(
                (value - pose).abs() <= far * (1.0 + ROUNDING) + 1e-9,
                "speeding_up_is_limited",
                "lane {lane} joint {joint}: {} from rest within {time} s",
                (value - pose).abs()
            );
            let rests = value.to_bits() == track.last.to_bits() && elapsed > 0.0;
            for (from, at) in track.run.iter().filter(|_| rests) {
                let time = granted - at + saved;
                let far = 0.5 * braking * time * (time + cap_of(rules, lane));
                hold!(
                    (value - from).abs() <= far * (1.0 + ROUNDING) + 1e-9,
                    "slowing_down_is_limited",
                    "lane {lane} joint {joint}: {} before rest, within {time} s",
                    (value - from).abs()
                );
            }
            if rests {
                track.rest = (value, granted);
                track.run.clear();
            }
            track.run.push((value, granted));
        }
        Ok(())
    }

    fn velocity(&mut self, rules: &GateRules, place: Place, value: f64) -> Judged {
        let Place { lane, joint, factor, .. } = place;
        let limits = &rules.lanes[lane].limits[joint];
        if limits.locked {
            return Ok(());
        }
        let track = &mut self.tracks[joint];
        let (speed, time, saved) = (value.abs(), self.granted, self.saved);
        if let Some(bounds) = limits.velocity {
            // Above the bound (it shrank) it may only slow down.
            let factor = if limits.deceleration.is_some() { 1.0 } else { factor };
            let room = ROUNDING * (bounds.max - bounds.min);
            let (low, high) = (bounds.min * factor - room, bounds.max * factor + room);
            let slows = limits.deceleration.is_some()
                && value.signum() == track.last.signum()
                && speed <= track.last.abs();
            hold!(
                slows || (low <= value && value <= high),
                "velocity_stays_in_bounds",
                "lane {lane} axis {joint}: {} then {value}, allowed {bounds:?} at {factor}",
                track.last
            );
        }
        if let (Some(speeding_up), Some(braking)) = (limits.acceleration, limits.deceleration) {
            let room = ROUNDING * (1.0 + time) * (speeding_up + braking) + 1e-12;
            let gain = speed - speeding_up * time - track.slowest;
            hold!(
                gain <= speeding_up * saved + room,
                "speeding_up_is_limited",
                "lane {lane} axis {joint}: {speed} is {gain} above the window"
            );
            let loss = track.fastest - (speed + braking * time);
            hold!(
                loss <= braking * saved + room,
                "slowing_down_is_limited",
                "lane {lane} axis {joint}: {speed} is {loss} below the window"
            );
            let rate = most(speeding_up, braking);
            let rise = value - rate * time - track.lowest;
            let fall = track.highest - (value + rate * time);
            hold!(
                most(rise, fall) <= rate * saved + room,
                "window_bound",
                "lane {lane} axis {joint}: {value} is {rise} above or {fall} below the window"
            );
            track.lowest = least(track.lowest, value - rate * time);
            track.highest = most(track.highest, value + rate * time);
            track.slowest = least(track.slowest, speed - speeding_up * time);
            track.fastest = most(track.fastest, speed + braking * time);
        }
        Ok(())
    }
}

/// A balance lane: inside its envelope, and nothing depends on what was sent before.
fn verified(output: &Output, rules: &LaneRules) -> Judged {
    for (joint, value) in output.command.position.iter().enumerate() {
        let bounds = rules.limits[joint].position.filter(|_| output.command.given[joint]);
        hold!(
            bounds.is_none_or(|bounds| bounds.min <= *value && *value <= bounds.max),
            "position_stays_in_bounds",
            "lane {} joint {joint}: {value}, allowed {bounds:?}",
            output.lane
        );
    }
    Ok(())
}

/// What a value is judged with.
#[derive(Clone, Copy)]
struct Place {
    lane: usize,
    joint: usize,
    cap: f64,
    elapsed: f64,
    factor: f64,
}

/// The longest step that any source of the lane may take at once, s.
fn cap_of(rules: &GateRules, lane: usize) -> f64 {
    let sources = rules.lanes[lane].sources.iter();
    PERIODS * sources.map(|source| 1.0 / source.max_rate_hz).fold(0.0, most)
}

pub(super) fn seconds(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64()
}
