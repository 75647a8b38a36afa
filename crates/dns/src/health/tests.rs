use proptest::prelude::*;

use super::*;

const T: Duration = Duration::from_secs(1);

/// The conditions after each of the results: `+` is a success, `-` a failure.
fn run(results: &str) -> String {
    let settings = HealthSettings::default();
    let mut health = Health::new(Duration::ZERO);
    results
        .chars()
        .map(|result| {
            health.observe(result == '+', &settings, T);
            match health.condition() {
                Condition::Unknown => '?',
                Condition::Healthy => 'H',
                Condition::Degraded => 'D',
                Condition::Unhealthy => 'U',
            }
        })
        .collect()
}

#[test]
fn the_states_follow_as_required() {
    assert_eq!(run("+--+--+"), "HHHHHHH", "three in a row, not in all");
    assert_eq!(run("+---"), "HHHU");
    assert_eq!(run("+---+-++"), "HHHUUUUD", "two in a row");
    assert_eq!(run("+---+++++++"), "HHHUUDDDDDH", "two, then five more");
    assert_eq!(run("+---++++-++"), "HHHUUDDDUUD", "one failure in between");
    assert_eq!(run("--+"), "??H");
    assert_eq!(run("---"), "??U");
}

#[test]
fn changes_say_why_and_since_when() {
    let settings = HealthSettings::default();
    let mut health = Health::new(Duration::ZERO);
    assert_eq!(health.reason(), HealthReason::Untried);
    assert_eq!(health.observe(true, &settings, T), Some(HealthReason::FirstSuccess));
    assert_eq!(health.observe(false, &settings, 2 * T), None);
    assert!(health.is_in_doubt());
    assert_eq!(health.since(), T);
    assert_eq!(health.observe(false, &settings, 3 * T), None);
    assert_eq!(health.observe(false, &settings, 4 * T), Some(HealthReason::Failures));
    assert_eq!((health.since(), health.is_in_doubt()), (4 * T, false));
    health.observe(true, &settings, T);
    assert!(health.is_in_doubt());
    assert_eq!(health.observe(true, &settings, T), Some(HealthReason::Recovered));
    assert_eq!(health.observe(false, &settings, T), Some(HealthReason::Relapsed));
}

#[test]
fn probes_that_say_nothing_have_the_defaults() {
    assert_eq!(HealthSettings::from(&wire::zones::Probe::default()), HealthSettings::default());
}

#[test]
fn a_dead_address_is_out_within_two_seconds() {
    let settings = HealthSettings::default();
    for random in [0, u64::MAX / 2, u64::MAX] {
        let mut health = Health::new(Duration::ZERO);
        health.observe(true, &settings, Duration::ZERO);
        // It dies right after a probe, and lets the next ones time out.
        let mut at = Duration::ZERO;
        while health.condition() == Condition::Healthy {
            let pause = health.pause(&settings, random);
            assert!(
                (settings.interval * 2 / 3..=settings.interval).contains(&pause)
                    || at > Duration::ZERO
            );
            at += pause;
            health.observe(false, &settings, at + settings.timeout);
        }
        assert!(health.since() < 2 * T, "{:?}", health.since());
    }
}

#[test]
fn a_pop_is_as_well_as_the_best_of_its_addresses() {
    use Condition::{Degraded, Healthy, Unhealthy, Unknown};
    assert_eq!(combine(&[Healthy, Unhealthy], 0.3), (PopState::Healthy, 0b10));
    assert_eq!(combine(&[Unhealthy, Degraded], 0.3), (PopState::Degraded(0.3), 0b01));
    assert_eq!(combine(&[Healthy, Degraded], 0.3), (PopState::Healthy, 0));
    assert_eq!(combine(&[Unhealthy, Unhealthy], 0.3), (PopState::Unhealthy, 0));
    assert_eq!(combine(&[Unhealthy, Unknown], 0.3), (PopState::Unknown, 0b01));
    assert_eq!(combine(&[], 0.3), (PopState::Unknown, 0));
    assert_eq!(combine(&[Healthy; 12], 0.3), (PopState::Healthy, 0));
}

proptest! {
    #[test]
    fn no_results_lead_astray(results in prop::collection::vec(any::<bool>(), 0..200)) {
        let settings = HealthSettings { failures: 0, recoveries: 0, ..HealthSettings::default() };
        for settings in [settings, HealthSettings::default()] {
            let mut health = Health::new(Duration::ZERO);
            for (nth, is_well) in results.iter().enumerate() {
                let before = health.condition();
                let reason = health.observe(*is_well, &settings, T);
                prop_assert_eq!(reason.is_some(), before != health.condition());
                let worse = health.condition() == Condition::Unhealthy && before != Condition::Unhealthy;
                prop_assert!(!worse || !is_well, "{}: only failures take it out", nth);
            }
        }
    }
}
