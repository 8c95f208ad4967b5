//! What a snapshot says of a feedback that several lanes use.

use super::bench::*;
use crate::gate::snapshot::{FeedbackView, Snapshot};
use crate::gate::test_rules::position_lane;

fn view(bench: &Bench) -> FeedbackView {
    Snapshot::new(&bench.gate, bench.now()).feedback[0]
}

#[test]
fn when_one_of_two_lanes_gets_nothing_expect_the_feedback_partial_and_not_fresh() {
    let mut bench = Bench::new(rules(vec![position_lane(1), position_lane(1)]));
    bench.run(10);
    assert!(view(&bench).fresh && !view(&bench).partial);
    // From now on the messages name the first lane's joint only.
    bench.feedback = false;
    for _ in 0..30 {
        bench.run(10);
        let now = bench.now().steady;
        assert!(bench.gate.feedback(0, &[0.0], &[0.0], now));
    }
    let found = view(&bench);
    assert_eq!((found.fresh, found.partial), (false, true));
    assert_eq!(found.last_seen, Some(bench.now().steady));
    // Nothing at all comes: that is silence.
    bench.run(300);
    let found = view(&bench);
    assert_eq!((found.fresh, found.partial), (false, false));
}
