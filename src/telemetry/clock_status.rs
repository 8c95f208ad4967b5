//! What `/status` and `/diagnostics` say of the clocks, from their slots.

use serde::{Deserialize, Serialize};

use super::slots::Slots;

/// The wall clock and the machine's sleep. No decision depends on it: stamps and logs do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClockStatus {
    /// A time service keeps the wall clock; `null` where the kernel does not tell.
    pub synchronized: Option<bool>,
    /// The largest error it can have by the time service's own word; `null` where nobody tells.
    pub max_error_s: Option<f64>,
    /// Steps of the wall clock since the start.
    pub steps: u64,
    /// Suspends of the machine since the start.
    pub suspends: u64,
    /// `use_sim_time` is on.
    pub simulated: bool,
    /// `ok`, `warn`.
    pub level: String,
    /// One sentence for people.
    pub text: String,
}

impl ClockStatus {
    pub(super) fn of(slots: &Slots) -> Self {
        let node = &slots.node;
        let mut status = Self {
            synchronized: node.clock_synchronized.get(),
            max_error_s: node.clock_error.get(),
            steps: node.clock_steps.get(),
            suspends: node.suspends.get(),
            simulated: node.clock_simulated,
            level: String::new(),
            text: String::new(),
        };
        let (level, mut text) = status.judged();
        for (count, what) in [(status.steps, "set"), (status.suspends, "suspended")] {
            match count {
                0 => {}
                1 => text.push_str(&format!(", {what} once since the start")),
                count => text.push_str(&format!(", {what} {count} times since the start")),
            }
        }
        (status.level, status.text) = (level.to_owned(), text);
        status
    }

    fn judged(&self) -> (&'static str, String) {
        if self.simulated {
            return ("warn", String::from("simulated (use_sim_time): for a simulation only"));
        }
        match (self.synchronized, self.max_error_s) {
            (Some(true), Some(error)) => ("ok", format!("kept, within {error:.3} s")),
            (Some(true), None) => ("ok", String::from("kept")),
            (Some(false), _) => (
                "warn",
                String::from("nobody keeps it: is chrony or another time service running?"),
            ),
            (None, _) => ("ok", String::from("the kernel does not tell whether it is kept")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fixture;

    #[test]
    fn when_the_clock_is_told_about_expect_what_there_is_to_do() {
        let slots = fixture::slots();
        let status = ClockStatus::of(&slots);
        assert_eq!((status.synchronized, status.level.as_str()), (None, "ok"));
        slots.node.clock_synchronized.set(false);
        let status = ClockStatus::of(&slots);
        assert_eq!(status.level, "warn");
        assert!(status.text.contains("chrony"), "{}", status.text);
        slots.node.clock_synchronized.set(true);
        slots.node.clock_error.set(0.0125);
        slots.node.clock_steps.increment();
        slots.node.suspends.add(2);
        let status = ClockStatus::of(&slots);
        assert_eq!(status.level, "ok");
        assert_eq!(
            status.text,
            "kept, within 0.013 s, set once since the start, suspended 2 times since the start"
        );
    }

    #[test]
    fn when_time_is_simulated_expect_a_warning_whatever_the_kernel_says() {
        let mut config = fixture::config();
        config.use_sim_time = true;
        let slots =
            crate::telemetry::slots::Slots::new(&config, fixture::build(), Default::default());
        slots.node.clock_synchronized.set(true);
        let status = ClockStatus::of(&slots);
        assert!(status.simulated && status.level == "warn" && status.text.contains("use_sim_time"));
    }
}
