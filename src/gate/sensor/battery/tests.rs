use proptest::prelude::*;

use super::*;

fn at(ms: u64) -> SteadyTime {
    SteadyTime::from_nanos(ms * 1_000_000)
}

fn battery() -> Battery {
    Battery::new(BatteryRules {
        thresholds: Thresholds {
            warn: Some(0.3),
            derate: Some(0.2),
            trip: Some(0.1),
            hysteresis: 0.02,
        },
        longest_gap: Duration::from_secs(10),
        has_voltage: true,
    })
}

fn sample(battery: &mut Battery, sample: BatterySample, ms: u64) -> Vec<BatteryRule> {
    let mut told = Vec::new();
    battery.sample(&sample, at(ms), &mut |rule| told.push(rule));
    told
}

fn with_charge(percentage: f64) -> BatterySample {
    BatterySample { percentage, voltage: 48.0, ..BatterySample::default() }
}

fn flows(current: f64, status: u8) -> BatterySample {
    BatterySample { current, status: Some(status), ..with_charge(0.5) }
}

#[test]
fn when_a_driver_keeps_the_rules_expect_its_numbers_and_nothing_told() {
    let mut battery = battery();
    let full = BatterySample { health: Some(1), ..flows(-2.5, 2) };
    assert_eq!(sample(&mut battery, full, 0), []);
    let view = battery.view();
    assert_eq!((view.charge, view.voltage, view.current), (Some(0.5), Some(48.0), Some(-2.5)));
    assert_eq!(view.status, Some(PowerStatus::Discharging));
    assert_eq!(view.health, Some(PowerHealth::Good));
    assert_eq!(battery.grade(), Some(Grade::Ok));
}

#[test]
fn when_nothing_is_measured_expect_absence_and_only_the_voltage_missed() {
    let mut battery = battery();
    let told = sample(&mut battery, BatterySample::default(), 0);
    assert_eq!(told, [BatteryRule::VoltageMissing]);
    assert_eq!(*battery.view(), BatteryView::default());
    assert_eq!((battery.grade(), battery.derating()), (None, 1.0));
    let zero = BatterySample { voltage: 0.0, ..with_charge(0.5) };
    assert_eq!(sample(&mut battery, zero, 1), [BatteryRule::VoltageMissing]);
    let mut mapped = Battery::new(BatteryRules { has_voltage: false, ..battery.rules });
    assert_eq!(sample(&mut mapped, BatterySample::default(), 0), []);
}

#[test]
fn when_a_driver_sends_percent_expect_it_told_and_read_as_that_from_then_on() {
    let mut battery = battery();
    for ms in 0..3 {
        assert_eq!(sample(&mut battery, with_charge(87.0), ms), [BatteryRule::PercentScale]);
        assert_eq!(battery.view().charge, Some(0.87));
    }
    // 0.8 percent, and not 80.
    for ms in 3..6 {
        assert_eq!(sample(&mut battery, with_charge(0.8), ms), [BatteryRule::PercentScale]);
    }
    assert_eq!((battery.view().charge, battery.grade()), (Some(0.008), Some(Grade::Trip)));
    assert_eq!(sample(&mut battery, with_charge(1.0), 9), [BatteryRule::PercentScale]);
    assert_eq!(battery.view().charge, Some(0.01));
}

#[test]
fn when_two_charges_alone_are_over_one_expect_the_next_read_as_before() {
    let mut battery = battery();
    let mut ms = 0;
    let mut read = |charge: f64| {
        ms += 1;
        sample(&mut battery, with_charge(charge), ms);
        (battery.view().charge, battery.grade())
    };
    for _ in 0..3 {
        assert_eq!(read(0.8), (Some(0.8), Some(Grade::Ok)));
    }
    for _ in 0..4 {
        assert_eq!(read(1.06), (Some(0.0106), Some(Grade::Ok)), "one alone moves nothing");
        for _ in 0..3 {
            assert_eq!(read(0.8), (Some(0.8), Some(Grade::Ok)));
        }
    }
    // Two in a row are the median, and no driver of percent yet.
    read(1.06);
    assert_eq!(read(1.06).1, Some(Grade::Trip));
    for _ in 0..3 {
        assert_eq!(read(0.8).0, Some(0.8));
    }
    assert_eq!(read(0.8).1, Some(Grade::Ok));
}

#[test]
fn when_a_charge_cannot_be_expect_it_told_and_not_measured() {
    for told in [-1.0, -0.01, 1.01, FULL_AT_MOST, 100.1, f64::INFINITY, f64::NEG_INFINITY] {
        let mut battery = battery();
        assert_eq!(sample(&mut battery, with_charge(told), 0), [BatteryRule::Range], "{told}");
        assert_eq!((battery.view().charge, battery.grade()), (None, None), "{told}");
    }
    let mut battery = battery();
    let odd = BatterySample { status: Some(9), health: Some(200), ..with_charge(0.5) };
    assert_eq!(sample(&mut battery, odd, 0), [BatteryRule::Range; 2]);
    assert_eq!((battery.view().status, battery.view().health), (None, None));
}

#[test]
fn when_there_is_no_percentage_expect_charge_over_capacity() {
    let ratio = |charge: f64, capacity: f64| {
        let mut battery = battery();
        let told = BatterySample { charge, capacity, ..with_charge(f64::NAN) };
        let told = sample(&mut battery, told, 0);
        (battery.view().charge, told)
    };
    assert_eq!(ratio(2.0, 8.0), (Some(0.25), vec![]));
    assert_eq!(ratio(8.2, 8.0), (Some(1.0), vec![]));
    assert_eq!(ratio(9.0, 8.0), (None, vec![BatteryRule::Range]));
    assert_eq!(ratio(2.0, 0.0), (None, vec![BatteryRule::Range]));
    assert_eq!(ratio(-2.0, -8.0), (None, vec![BatteryRule::Range]));
    assert_eq!(ratio(f64::NAN, 8.0), (None, vec![]));
}

#[test]
fn when_sign_and_status_disagree_expect_it_told_and_no_energy() {
    for (current, status, is_wrong) in [
        (2.0, 2, true),
        (-2.0, 1, true),
        (-2.0, 2, false),
        (2.0, 1, false),
        (0.04, 2, false),
        (NO_CURRENT, 2, false),
        (-NO_CURRENT, 1, false),
        (2.0, 0, false),
        (-2.0, 4, false),
    ] {
        let mut battery = battery();
        let expected = if is_wrong { vec![BatteryRule::Sign] } else { vec![] };
        for ms in [0, 1_000] {
            let told = sample(&mut battery, flows(current, status), ms);
            assert_eq!(told, expected, "{current} {status}");
        }
        let all = battery.discharged_j() + battery.charged_j();
        assert_eq!(all > 0.0, !is_wrong, "{current} {status}");
    }
}

#[test]
fn when_current_flows_expect_the_energy_of_short_gaps_only() {
    let mut battery = battery();
    sample(&mut battery, flows(-2.0, 2), 0);
    sample(&mut battery, flows(-4.0, 2), 1_000);
    assert_eq!((battery.discharged_j(), battery.charged_j()), (48.0 * 3.0, 0.0));
    sample(&mut battery, flows(-4.0, 2), 11_001);
    assert_eq!(battery.discharged_j(), 48.0 * 3.0, "ten seconds and a bit: nobody knows");
    sample(&mut battery, flows(4.0, 1), 12_001);
    assert_eq!((battery.discharged_j(), battery.charged_j()), (48.0 * 3.0, 0.0));
    sample(&mut battery, flows(4.0, 1), 14_001);
    assert_eq!(battery.charged_j(), 48.0 * 8.0);
    battery.silence();
    sample(&mut battery, flows(4.0, 1), 15_001);
    assert_eq!(battery.charged_j(), 48.0 * 8.0, "silent in between");
    sample(&mut battery, flows(4.0, 1), 25_001);
    assert_eq!(battery.charged_j(), 48.0 * 48.0, "ten seconds to the millisecond: known");
}

#[test]
fn when_it_falls_silent_expect_absence_and_the_grade_kept() {
    let mut battery = battery();
    for ms in 0..3 {
        sample(&mut battery, with_charge(0.15), ms);
    }
    assert_eq!(battery.median(), Some(0.15));
    battery.silence();
    assert_eq!((battery.view().charge, battery.view().voltage), (None, None));
    assert_eq!(battery.view().read_at, Some(at(2)));
    assert_eq!(battery.grade(), Some(Grade::Derate));
    assert!((battery.derating() - 0.6).abs() < 1e-12);
}

proptest! {
    /// Whatever a driver sends: energy only grows and is a number, and a charge is from 0 to 1.
    #[test]
    fn any_messages_keep_energy_monotone_and_charge_a_ratio(
        messages in prop::collection::vec(
            (prop::num::f64::ANY, prop::num::f32::ANY, -100.0..100.0f64, 0u8..7, 0u64..20_000),
            1..60,
        ),
    ) {
        let mut battery = battery();
        let (mut now, mut before) = (0, (0.0, 0.0));
        for (percentage, voltage, current, status, wait) in messages {
            now += wait;
            let message = BatterySample {
                percentage,
                voltage: f64::from(voltage),
                current,
                status: Some(status),
                ..BatterySample::default()
            };
            battery.sample(&message, at(now), &mut |_| {});
            let energy = (battery.discharged_j(), battery.charged_j());
            prop_assert!(energy.0 >= before.0 && energy.1 >= before.1);
            prop_assert!(energy.0.is_finite() && energy.1.is_finite());
            before = energy;
            if let Some(charge) = battery.view().charge {
                prop_assert!((0.0..=1.0).contains(&charge));
            }
            prop_assert!((0.2..=1.0).contains(&battery.derating()));
        }
    }
}
