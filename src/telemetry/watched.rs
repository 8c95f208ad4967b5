//! Lanes that only watch: what a stop does not reach, in words.
//!
//! Their commands never pass here, so no verb of ours holds them back. Who stops a robot must not read
//! that it was stopped when nothing was.
//!
//! **Invariant:** no text here says that something was stopped where no lane is gated.

use super::status::Status;
use crate::config::model::{Config, LaneMode};

/// The lanes that only watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedLanes {
    /// Their names.
    lanes: Vec<String>,
    /// There is no other lane.
    is_all: bool,
}

impl WatchedLanes {
    /// Those of a configuration.
    #[must_use]
    pub fn of_config(config: &Config) -> Self {
        let lanes = config.lanes.iter();
        Self::of(lanes.map(|lane| (lane.name.as_str(), lane.mode == LaneMode::Watch)))
    }

    /// Those that a status tells.
    #[must_use]
    pub fn of_status(status: &Status) -> Self {
        let lanes = status.lanes.iter();
        Self::of(lanes.map(|lane| (lane.name.as_str(), lane.mode == "watch")))
    }

    fn of<'n>(lanes: impl Iterator<Item = (&'n str, bool)> + Clone) -> Self {
        let watched = lanes.clone().filter(|(_, is_watched)| *is_watched);
        let watched: Vec<String> = watched.map(|(name, _)| name.to_owned()).collect();
        let is_all = !watched.is_empty() && lanes.count() == watched.len();
        Self { lanes: watched, is_all }
    }

    /// Whether no lane is gated: no stop stops anything.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.is_all
    }

    /// For example `base only watches`; `None`: every lane is gated.
    #[must_use]
    pub fn only(&self) -> Option<String> {
        match self.lanes.as_slice() {
            [] => None,
            [one] => Some(format!("{one} only watches")),
            more => Some(format!("{} only watch", more.join(", "))),
        }
    }

    /// The answer to a kill that is latched. `latch`: what became of its record.
    #[must_use]
    pub fn killed(&self, seq: u64, latch: &str) -> String {
        let what = match self.only() {
            None => format!(
                "killed, seq {seq}: nothing is forwarded, every lane that has a safe command sends it"
            ),
            Some(_) if self.is_all => format!(
                "killed, seq {seq}, but NOTHING WAS STOPPED: every lane only watches ({}): its \
                 commands do not pass here; use the hardware emergency stop",
                self.lanes.join(", ")
            ),
            Some(only) => format!(
                "killed, seq {seq}: nothing is forwarded, every lane that has a safe command sends \
                 it; {only}: {} commands do not pass here",
                self.their()
            ),
        };
        format!("{what}. Latch: {latch}. To go on: reset, then arm")
    }

    /// What a reset leaves as it is, to go on with its sentence.
    #[must_use]
    pub fn until_arm(&self) -> String {
        self.only().map_or_else(
            || "nothing moves until arm".to_owned(),
            |only| format!("nothing that passes here moves until arm; {only}"),
        )
    }

    /// For whoever looks; `None`: every lane is gated.
    #[must_use]
    pub fn loud(&self) -> Option<String> {
        if self.is_all {
            return Some(format!(
                "every lane only watches ({}): no command passes here, and a kill stops nothing",
                self.lanes.join(", ")
            ));
        }
        self.only().map(|only| format!("{only}: {} commands do not pass here", self.their()))
    }

    const fn their(&self) -> &'static str {
        if self.lanes.len() == 1 { "its" } else { "their" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fixture;

    fn watched(modes: &[bool]) -> WatchedLanes {
        WatchedLanes::of(["base", "left", "right"].into_iter().zip(modes.iter().copied()))
    }

    #[test]
    fn when_every_lane_is_gated_expect_the_usual_words() {
        let none = watched(&[false, false]);
        assert_eq!(
            none.killed(4, "on disk"),
            "killed, seq 4: nothing is forwarded, every lane that has a safe command sends it. \
             Latch: on disk. To go on: reset, then arm"
        );
        assert_eq!(none.until_arm(), "nothing moves until arm");
        assert_eq!((none.loud(), none.is_all()), (None, false));
        // Of a node that tells no lanes nothing is claimed.
        assert_eq!(watched(&[]), WatchedLanes::default());
    }

    #[test]
    fn when_no_lane_is_gated_expect_that_nothing_was_stopped() {
        let all = watched(&[true, true]);
        assert_eq!(
            all.killed(4, "on disk"),
            "killed, seq 4, but NOTHING WAS STOPPED: every lane only watches (base, left): its \
             commands do not pass here; use the hardware emergency stop. Latch: on disk. To go on: \
             reset, then arm"
        );
        assert!(all.is_all());
        let loud = "every lane only watches (base, left): no command passes here, and a kill stops \
                    nothing";
        assert_eq!(all.loud().as_deref(), Some(loud));
    }

    #[test]
    fn when_some_lanes_only_watch_expect_them_named() {
        let one = watched(&[false, true]);
        assert!(!one.is_all());
        let killed = one.killed(4, "on disk");
        let part = " sends it; left only watches: its commands do not pass here. Latch: on disk.";
        assert!(killed.contains(part) && !killed.contains("NOTHING"), "{killed}");
        let moves = "nothing that passes here moves until arm; left only watches";
        assert_eq!(one.until_arm(), moves);
        let two = watched(&[false, true, true]);
        let loud = "left, right only watch: their commands do not pass here";
        assert_eq!(two.loud().as_deref(), Some(loud));
    }

    #[test]
    fn when_a_configuration_is_asked_expect_its_modes() {
        let mut config = fixture::config();
        assert_eq!(WatchedLanes::of_config(&config), WatchedLanes::default());
        for lane in &mut config.lanes {
            lane.mode = LaneMode::Watch;
        }
        assert!(WatchedLanes::of_config(&config).is_all());
    }
}
