use proptest::prelude::*;

use super::*;

fn settings() -> HealthSettings {
    HealthSettings::default()
}

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn healthy() -> Health {
    let mut health = Health::new(Duration::ZERO);
    health.observe(true, &settings(), Duration::ZERO);
    health
}

#[test]
fn a_signal_hurries_the_next_probe_once_per_interval() {
    let mut health = healthy();
    assert!(!health.is_in_doubt() && !health.is_suspected());
    let soon = Hurry::Within(settings().interval_in_doubt);
    assert_eq!(health.observe_passive(&settings(), at(1_000)), soon);
    assert!(health.is_in_doubt() && health.is_suspected());
    assert_eq!(health.pause(&settings(), 0), settings().interval_in_doubt);
    assert_eq!(health.observe_passive(&settings(), at(1_749)), Hurry::No);
    assert_eq!(health.observe_passive(&settings(), at(1_750)), soon);
    health.observe(true, &settings(), at(1_800));
    assert!(!health.is_in_doubt() && !health.is_suspected());
}

#[test]
fn with_signals_fewer_probes_are_needed() {
    for (signals, probes) in [(0, 3), (1, 2), (2, 1), (9, 1)] {
        let mut health = healthy();
        for nth in 0..signals {
            health.observe_passive(&settings(), at(1_000 * (nth + 1)));
            assert_eq!(health.condition(), Condition::Healthy);
        }
        for left in (0..probes).rev() {
            let changed = health.observe(false, &settings(), at(20_000));
            assert_eq!(changed.is_some(), left == 0, "{signals} signals");
        }
        assert_eq!(health.condition(), Condition::Unhealthy);
    }
}

#[test]
fn a_probe_that_alone_decides_is_still_needed() {
    let once = HealthSettings { failures: 1, ..settings() };
    let mut health = healthy();
    assert_ne!(health.observe_passive(&once, at(1_000)), Hurry::No);
    assert_eq!((health.condition(), health.is_in_doubt()), (Condition::Healthy, true));
    assert!(health.observe(false, &once, at(1_100)).is_some());
}

#[test]
fn those_that_are_out_or_not_trusted_yet_are_left_alone() {
    let mut health = healthy();
    for _ in 0..3 {
        let _ = health.observe(false, &settings(), at(1));
    }
    assert_eq!(health.observe_passive(&settings(), at(2)), Hurry::No);
    health.observe(true, &settings(), at(3));
    assert_eq!(health.observe_passive(&settings(), at(2_000)), Hurry::No);
    assert!(health.observe(true, &settings(), at(4)).is_some(), "two in a row all the same");
    assert_eq!(health.condition(), Condition::Degraded);
    assert_eq!(health.observe_passive(&settings(), at(9_000)), Hurry::No);
    for _ in 0..5 {
        let _ = health.observe(true, &settings(), at(5));
    }
    assert_eq!(health.condition(), Condition::Healthy);
}

proptest! {
    #[test]
    fn what_probes_find_well_stays(
        steps in proptest::collection::vec((any::<bool>(), 0u64..3_000), 0..200),
        failures in 0u32..5,
    ) {
        let settings = HealthSettings { failures, ..settings() };
        let mut health = healthy();
        let mut now = Duration::ZERO;
        for (is_probe, step) in steps {
            now += at(step);
            match is_probe {
                true => prop_assert_eq!(health.observe(true, &settings, now), None),
                false => prop_assert_ne!(health.observe_passive(&settings, now), Hurry::Within(Duration::ZERO)),
            }
            prop_assert_eq!(health.condition(), Condition::Healthy);
        }
    }
}
