//! Where exactly a curve is too fast, or too far out.

use super::*;

/// Position from -0.5 to 1, velocity from -1 to 2.
fn limits(acceleration: Option<f64>) -> DimensionLimits {
    DimensionLimits {
        position: Some(Bounds { min: -0.5, max: 1.0 }),
        velocity: Some(Bounds { min: -1.0, max: 2.0 }),
        acceleration,
        ..DimensionLimits::default()
    }
}

const fn end(position: f64, velocity: f64) -> End {
    End { position, velocity, acceleration: None }
}

/// What refuses it, with the bound that is told.
fn judged(
    way: (End, End, f64),
    limits: &DimensionLimits,
    scale: f64,
    lag: f64,
) -> Option<(Reason, f64)> {
    let allowance = Allowance { velocity: scale, ..Allowance::of(0.02) };
    let place = Place { point: 0, dimension: 0 };
    let result = curve(way, (limits, limits.velocity), (allowance, lag), place);
    result.err().map(|refusal| (refusal.reason, refusal.bound))
}

/// A curve from rest to rest is half as fast again in its middle as on average.
#[test]
fn when_a_curve_is_fast_expect_a_twentieth_of_the_range_and_what_planners_round_forgiven() {
    for (scale, fastest, slowest, range) in [(1.0, 2.0, -1.0, 3.0_f64), (0.5, 1.0, -0.5, 1.5)] {
        for (acceleration, lag, duration_s, rounded) in [
            (None, 0.0, 0.5, 0.0),
            (None, 0.02, 0.5, 1.5 * 0.02 / 0.5),
            (None, 0.02, 3.0, 1.5 * 0.02 / 3.0),
            // A 24th of the acceleration times the time, and never more than the twentieth once more.
            (Some(1.2), 0.0, 0.5, 1.2 * 0.5 / 24.0),
            (Some(0.2), 0.02, 3.0, 0.2 * 3.0 / 24.0 + 1.5 * 0.02 / 3.0),
            (Some(100.0), 0.0, 0.5, 0.05 * range),
        ] {
            let limits = DimensionLimits { position: None, ..limits(acceleration) };
            let slack = 0.05 * range + rounded;
            for bound in [fastest, slowest] {
                let most = bound + slack.copysign(bound);
                for (part, expected) in
                    [(1.0 - 1e-9, None), (1.0 + 1e-9, Some((Reason::Velocity, bound)))]
                {
                    let to = end(most * part * duration_s / 1.5, 0.0);
                    let told = judged((end(0.0, 0.0), to, duration_s), &limits, scale, lag);
                    assert_eq!(told, expected, "{scale} {acceleration:?} {lag} {duration_s}");
                }
            }
        }
    }
}

/// One that leaves a place and comes back to it swings out by 4/27 of its velocity times its time.
#[test]
fn when_a_curve_swings_out_expect_a_thousandth_of_the_range_forgiven() {
    let limits = limits(None);
    for (place, bound) in [(0.9, 1.0), (-0.4, -0.5)] {
        let most = bound - place + (0.001_f64 * 1.5).copysign(bound);
        for (part, expected) in [(1.0 - 1e-9, None), (1.0 + 1e-9, Some((Reason::Position, bound)))]
        {
            let velocity = most * part * 27.0 / 4.0;
            let told = judged((end(place, velocity), end(place, 0.0), 1.0), &limits, 1.0, 0.0);
            assert_eq!(told, expected, "{bound}");
        }
    }
}
