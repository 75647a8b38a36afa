use super::*;

const REFUSED: Result<(), HealthFailure> = Err(HealthFailure::Connect);
const ILL: Result<(), HealthFailure> = Err(HealthFailure::Status);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn health() -> Health {
    Health::new(HealthSettings::default(), ms(0))
}

fn unprobed() -> Health {
    Health::new(HealthSettings { probes: false, ..HealthSettings::default() }, ms(0))
}

/// Sends every probe when it is due until `end`, each answered at once, and returns when the
/// health changed.
fn probe_until(
    health: &mut Health,
    end: Duration,
    answer: impl Fn(Duration) -> Result<(), HealthFailure>,
) -> Vec<(Duration, bool)> {
    let mut changes = Vec::new();
    while let Some(at) = health.next_probe().filter(|at| *at < end) {
        health.probe_started(at, u64::MAX / 2);
        if health.on_probe(answer(at), at).is_some() {
            changes.push((at, health.is_up(at)));
        }
    }
    changes
}

#[test]
fn unknown_is_up_and_probed_at_once() {
    let health = health();
    assert!(health.is_up(ms(0)));
    assert_eq!(health.reason(ms(0)), HealthReason::Untried);
    assert_eq!(health.next_probe(), Some(ms(0)));
}

#[test]
fn probes_in_a_row_take_it_down_and_bring_it_up() {
    let mut health = health();
    assert_eq!(health.on_probe(ILL, ms(1)), None);
    assert_eq!(health.on_probe(ILL, ms(2)), None);
    assert_eq!(health.on_probe(Ok(()), ms(3)), None);
    assert_eq!(health.on_probe(ILL, ms(4)), None);
    assert_eq!(health.on_probe(ILL, ms(5)), None);
    assert_eq!(health.on_probe(ILL, ms(6)), Some(HealthReason::Probes));
    assert!(!health.is_up(ms(6)));
    assert_eq!(health.since(), ms(6));
    assert_eq!(health.on_probe(Ok(()), ms(7)), None);
    assert_eq!(health.on_probe(ILL, ms(8)), None);
    assert_eq!(health.on_probe(Ok(()), ms(9)), None);
    assert_eq!(health.on_probe(Ok(()), ms(10)), Some(HealthReason::Probes));
    assert!(health.is_up(ms(10)));
}

#[test]
fn requests_that_find_nobody_take_it_down_at_once() {
    let mut health = health();
    assert_eq!(health.on_traffic(REFUSED, ms(10)), None);
    assert_eq!(health.on_traffic(REFUSED, ms(12)), Some(HealthReason::Connect));
    assert!(!health.is_up(ms(12)));
}

#[test]
fn a_single_refused_request_is_enough_to_notice_within_a_second() {
    let mut health = health();
    assert!(probe_until(&mut health, ms(30_000), |_| Ok(())).is_empty());
    // It dies right after a probe, and one request comes.
    let died = health.next_probe().unwrap();
    health.probe_started(died, u64::MAX);
    health.on_probe(Ok(()), died);
    let first = died + ms(10);
    health.on_traffic(REFUSED, first);
    let changes = probe_until(&mut health, first + ms(5000), |_| REFUSED);
    let [(at, false)] = changes[..] else { panic!("{changes:?}") };
    assert!(at - first < ms(1000), "{:?}", at - first);
}

#[test]
fn other_failures_need_more_in_a_row() {
    let mut health = health();
    for failure in [HealthFailure::Timeout, HealthFailure::Exchange, HealthFailure::Status] {
        assert_eq!(health.on_traffic(Err(failure), ms(1)), None);
    }
    assert_eq!(health.on_traffic(REFUSED, ms(2)), None);
    assert_eq!(health.on_traffic(ILL, ms(3)), Some(HealthReason::Traffic));
}

#[test]
fn good_requests_do_not_hide_failing_probes_nor_the_other_way_round() {
    let mut health = health();
    for _ in 0..2 {
        assert_eq!(health.on_probe(ILL, ms(1)), None);
        assert_eq!(health.on_traffic(Ok(()), ms(1)), None);
    }
    assert_eq!(health.on_probe(ILL, ms(1)), Some(HealthReason::Probes));
    // Requests do not bring back what said of itself that it is not well.
    for _ in 0..10 {
        assert_eq!(health.on_traffic(Ok(()), ms(2)), None);
    }
    assert!(!health.is_up(ms(2)));

    let mut health = self::health();
    for _ in 0..4 {
        assert_eq!(health.on_traffic(ILL, ms(1)), None);
        assert_eq!(health.on_probe(Ok(()), ms(1)), None);
    }
    assert_eq!(health.on_traffic(ILL, ms(1)), Some(HealthReason::Traffic));
}

#[test]
fn what_traffic_took_down_comes_back_by_traffic_or_probes() {
    for by_probes in [true, false] {
        let mut health = health();
        health.on_traffic(REFUSED, ms(1));
        health.on_traffic(REFUSED, ms(1));
        let mut good = |at| match by_probes {
            true => health.on_probe(Ok(()), at),
            false => health.on_traffic(Ok(()), at),
        };
        assert_eq!(good(ms(2)), None);
        assert!(good(ms(3)).is_some());
        assert!(health.is_up(ms(3)));
    }
}

#[test]
fn probes_come_at_the_pace_of_the_state() {
    let mut health = health();
    let next = |health: &mut Health, result| {
        let at = health.next_probe().unwrap();
        health.probe_started(at, 0);
        health.on_probe(result, at);
        health.next_probe().unwrap() - at
    };
    // Jitter takes half of the interval away here.
    assert_eq!(next(&mut health, Ok(())), ms(2500));
    assert_eq!(next(&mut health, ILL), ms(250));
    assert_eq!(next(&mut health, ILL), ms(250));
    // The third takes it down. The one after it was planned when it was in doubt.
    assert_eq!(next(&mut health, ILL), ms(250));
    assert_eq!(next(&mut health, ILL), ms(500));
    assert_eq!(next(&mut health, Ok(())), ms(250));
    assert_eq!(next(&mut health, Ok(())), ms(250));
    assert!(health.is_up(ms(60_000)));
    assert_eq!(next(&mut health, Ok(())), ms(2500));
}

#[test]
fn failing_traffic_does_not_make_a_storm_of_probes() {
    let mut health = health();
    let mut probes = 0;
    for n in 0..10_000 {
        let now = ms(n);
        health.on_traffic(if n % 2 == 0 { ILL } else { Ok(()) }, now);
        if health.next_probe().unwrap() <= now {
            health.probe_started(now, n);
            health.on_probe(Ok(()), now);
            probes += 1;
        }
    }
    assert!(health.is_up(ms(10_000)));
    assert!((20..=41).contains(&probes), "{probes}");
}

#[test]
fn a_probe_without_a_report_does_not_stop_the_next() {
    let mut health = health();
    health.probe_started(ms(0), u64::MAX);
    let next = health.next_probe().unwrap();
    assert!(next > ms(0) && next <= ms(5000));
}

#[test]
fn without_probes_it_gets_a_chance_after_a_rest() {
    let mut health = unprobed();
    assert_eq!(health.next_probe(), None);
    health.on_traffic(REFUSED, ms(0));
    health.on_traffic(REFUSED, ms(0));
    assert!(!health.is_up(ms(4999)));
    assert!(health.is_up(ms(5000)));
    assert_eq!(health.reason(ms(5000)), HealthReason::Rested);
    // One failure uses it up.
    assert_eq!(health.on_traffic(ILL, ms(6000)), Some(HealthReason::Connect));
    assert!(!health.is_up(ms(10_999)));
    // One success makes it good.
    assert_eq!(health.on_traffic(Ok(()), ms(11_000)), Some(HealthReason::Traffic));
    assert!(health.is_up(ms(11_000)));
    assert_eq!(health.on_traffic(REFUSED, ms(11_001)), None);
    assert!(health.is_up(ms(11_001)));
}

#[test]
fn failing_probes_take_over_from_failing_traffic() {
    let mut health = health();
    health.on_traffic(REFUSED, ms(1));
    health.on_traffic(REFUSED, ms(1));
    for _ in 0..3 {
        assert_eq!(health.on_probe(ILL, ms(2)), None);
    }
    assert_eq!(health.reason(ms(2)), HealthReason::Probes);
    for _ in 0..5 {
        assert_eq!(health.on_traffic(Ok(()), ms(3)), None);
    }
    assert!(!health.is_up(ms(3)));
}

#[test]
fn zeros_in_the_settings_count_as_one() {
    let zero = HealthSettings {
        probes: true,
        interval: Duration::ZERO,
        interval_in_doubt: Duration::ZERO,
        interval_down: Duration::ZERO,
        probe_failures: 0,
        successes: 0,
        connect_failures: 0,
        traffic_failures: 0,
        rest: Duration::ZERO,
    };
    let mut health = Health::new(zero, ms(0));
    assert_eq!(health.on_probe(Ok(()), ms(0)), None);
    assert_eq!(health.on_traffic(Ok(()), ms(0)), None);
    assert!(health.is_up(ms(0)));
    assert_eq!(health.on_probe(ILL, ms(0)), Some(HealthReason::Probes));
    assert_eq!(health.on_probe(Ok(()), ms(0)), Some(HealthReason::Probes));
    assert_eq!(health.on_traffic(ILL, Duration::MAX), Some(HealthReason::Traffic));
    health.probe_started(ms(1), 0);
    health.on_probe(ILL, ms(1));
    assert!(health.next_probe().unwrap() > ms(1));
}

#[test]
fn words_are_distinct() {
    let words: std::collections::HashSet<_> = HealthReason::ALL.map(HealthReason::as_str).into();
    assert_eq!(words.len(), HealthReason::ALL.len());
}

#[test]
fn a_doubt_brings_the_next_probe_forward_and_no_more_than_that() {
    let mut health = health();
    health.probe_started(ms(0), u64::MAX);
    health.on_probe(Ok(()), ms(1));
    assert!(health.next_probe().unwrap() > ms(2000));
    health.doubt(ms(100));
    assert_eq!(health.next_probe(), Some(ms(250)), "not sooner after the last one than in doubt");
    health.doubt(ms(200));
    assert_eq!(health.next_probe(), Some(ms(250)));
    health.probe_started(ms(250), u64::MAX);
    health.on_probe(Ok(()), ms(251));
    health.doubt(ms(1000));
    assert_eq!(health.next_probe(), Some(ms(1000)));
    assert!(health.is_up(ms(1000)));
}
