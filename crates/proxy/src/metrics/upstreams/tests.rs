use runtime::metrics::Metrics;
use wire::snapshot::{Breaker, Origin, OriginLimits, Timeouts};

use super::*;

/// The target of an origin that may have so many requests at once.
fn target(targets: &Targets, url: &str, most: u32) -> Arc<upstream::Target> {
    let limits = OriginLimits { max_concurrency: most, ..OriginLimits::default() };
    let (breaker, timeouts) = (Breaker::default(), Timeouts::default());
    let settings = upstream::origin_settings(&Origin::at(url), &limits, &breaker, &timeouts);
    targets.target(&settings.expect("an origin")).expect("a target")
}

fn shown(registry: &Metrics, line: &str) -> bool {
    registry.text().lines().any(|shown| shown == line)
}

#[test]
fn every_server_is_shown_once_for_as_long_as_it_is_there() {
    let (targets, registry) = (Targets::new(), Metrics::default());
    registry.declare(UpstreamMetrics::new(Arc::downgrade(&targets)).unwrap()).unwrap();
    assert!(!registry.text().contains("cdn_upstream_up{"));

    let one = target(&targets, "http://one.example", 3);
    let other = target(&targets, "http://one.example", 4);
    let two = target(&targets, "http://two.example:81", 5);
    for line in [
        "cdn_upstream_up{upstream=\"one.example\"} 1",
        "cdn_upstream_limit{upstream=\"one.example\"} 7",
        "cdn_upstream_limit{upstream=\"two.example:81\"} 5",
        "cdn_upstream_waiting{upstream=\"two.example:81\"} 0",
        "cdn_upstream_breaker_state{state=\"closed\",upstream=\"one.example\"} 2",
        "cdn_upstream_breaker_state{state=\"open\",upstream=\"one.example\"} 0",
        "cdn_upstream_refused_total{reason=\"queue-full\",upstream=\"one.example\"} 0",
        "cdn_upstream_breaker_openings_total{reason=\"trial-failed\",upstream=\"one.example\"} 0",
    ] {
        assert!(shown(&registry, line), "{line} in {}", registry.text());
    }
    drop((one, two));
    assert!(shown(&registry, "cdn_upstream_limit{upstream=\"one.example\"} 4"));
    assert!(!registry.text().contains("two.example"));
    drop((other, targets));
    assert!(!registry.text().contains("one.example"));
}

#[test]
fn what_sites_see_of_one_server_adds_up() {
    let mut seen = Seen::default();
    let report = |up, opened| {
        let targets = Targets::new();
        let mut report = target(&targets, "http://one.example", 3).report();
        report.up = up;
        report.breaker = BreakerState::Open;
        report.counts = TargetCounts { sent: 5, opened, ..TargetCounts::default() };
        report
    };
    seen.add(&report(true, [1, 2, 3]));
    assert_eq!(GAUGES[0].3(&seen), one(1));
    seen.add(&report(false, [0, 1, 0]));
    assert_eq!(GAUGES[0].3(&seen), one(0), "one of two is down");
    assert_eq!(seen.states, [0, 2, 0]);
    assert_eq!(seen.counts.sent, 10);
    let openings = COUNTERS[4].3(&seen);
    let words = ["consecutive-failures", "failure-ratio", "trial-failed"];
    assert_eq!(openings, words.into_iter().zip([1, 3, 3]).collect::<Vec<_>>());
}
