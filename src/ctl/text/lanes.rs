//! A lane and its sources, a line each.

use std::fmt::Write as _;

use super::still::still;
use crate::telemetry::people::span;
use crate::telemetry::status::{LaneStatus, SourceStatus, Status};

/// Who holds it, what it sends, whether it stands, and who reads and writes its output.
pub(super) fn lane(lane: &LaneStatus, status: &Status) -> String {
    if lane.mode == "watch" {
        // It has no output: nobody reads it, and nobody should.
        return format!("{}: watches only, publishes nothing", lane.name);
    }
    let mut text = format!("{}: {}", lane.name, lane.state);
    match lane.state.as_str() {
        "flowing" => {
            let owner = lane.owner.as_deref().unwrap_or("nobody");
            write!(text, ", {owner} in charge").ok();
        }
        "released" => text.push_str(", publishes nothing"),
        _ => {
            let safe = &lane.safe_command;
            match lane.safe_rate_hz {
                Some(rate) => write!(text, ", {safe} at {rate} Hz"),
                None if safe == "silent" => write!(text, ", publishes nothing (silent)"),
                None => write!(text, ", {safe} is out"),
            }
            .ok();
        }
    }
    text.push_str(&still(lane, status));
    if let Some(selected) = &lane.selected {
        write!(text, ", {selected} selected").ok();
    }
    match lane.subscribers {
        Some(0) => text.push_str(", NOBODY READS IT"),
        Some(1) => text.push_str(", 1 reader"),
        Some(n) => {
            write!(text, ", {n} readers").ok();
        }
        None => text.push_str(", readers not known"),
    }
    match lane.foreign_publishers {
        Some(n) if n > 0 => {
            write!(text, ", {n} FOREIGN PUBLISHERS").ok();
        }
        Some(_) | None => {}
    }
    text
}

/// When it was heard, and what became of its commands. `*`: in charge.
pub(super) fn source(source: &SourceStatus, lane: &LaneStatus) -> String {
    let is_owner = lane.owner.as_deref() == Some(source.name.as_str());
    let mark = if is_owner { '*' } else { ' ' };
    let heard = match (source.alive, source.silent_for_s) {
        (true, _) => String::from("alive"),
        (false, Some(silent)) => format!("silent for {}", span(silent)),
        (false, None) => String::from("not heard yet"),
    };
    let is_shadow = source.mode == "shadow";
    let only = if is_shadow { "shadow, never sent; " } else { "" };
    let mut text = format!("{mark} {}: {only}{heard}", source.name);
    // Of what is never sent, the words for what is sent would tell of motion that there was not.
    let is_sent = !is_shadow && lane.mode != "watch";
    for (count, word) in source.counts() {
        let judged = matches!(word, "passed" | "limited" | "rejected") && !is_sent;
        let judged = if judged { "judged " } else { "" };
        write!(text, ", {count} {judged}{word}").ok();
    }
    if let Some(reason) = &source.last_reason {
        write!(text, ", last refused: {reason}").ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::status;
    use crate::ctl::tests::killed;

    #[test]
    fn when_a_source_is_a_shadow_expect_its_commands_judged_and_never_sent() {
        let mut told = killed();
        told.lanes[0].sources[1].mode = String::from("shadow");
        told.lanes[0].sources[1].limited = 4;
        let text = status(&told);
        let expected = "agent: shadow, never sent; silent for 12 s, 4 judged limited, 3\n                \
                        judged rejected, last refused: not_finite\n";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("* teleop: alive, 100 passed, 2 limited, 7 withheld\n"), "{text}");
    }

    #[test]
    fn when_a_lane_watches_expect_no_readers_and_nothing_sent() {
        let mut told = killed();
        let lane = &mut told.lanes[0];
        lane.mode = String::from("watch");
        lane.subscribers = Some(0);
        lane.foreign_publishers = Some(3);
        let text = status(&told);
        assert!(text.contains("  lane        base: watches only, publishes nothing\n"), "{text}");
        // Right below the headline: a KILLED robot goes on.
        let loud = "  NOT GATED   every lane only watches (base): no command passes here, and a";
        assert_eq!(text.lines().nth(1), Some(loud), "{text}");
        assert!(
            text.ends_with("  to go on    1. interlockctl reset   2. interlockctl arm\n"),
            "{text}"
        );
        assert!(text.contains("teleop: alive, 100 judged passed, 2 judged limited,"), "{text}");
        for none in ["NOBODY", "reader", "FOREIGN", "zero_velocity"] {
            assert!(!text.contains(none), "{none} in {text}");
        }
    }

    #[test]
    fn when_a_publisher_does_not_fit_expect_it_below_what_misses_it() {
        let mut told = killed();
        told.lanes[0].sources[1].note = String::from("/agent offers another type");
        told.feedback[0].note = String::from("/driver is best effort");
        let text = status(&told);
        for line in [
            "not_finite\n              ! incompatible publisher: /agent offers another type\n",
            "odom: fresh\n              ! incompatible publisher: /driver is best effort\n",
        ] {
            assert!(text.contains(line), "{line} not in {text}");
        }
    }
}
