//! One origin that becomes slow, then errs, is gone, and comes back, under load all the time.

use super::*;

use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use upstream::breaker::BreakerState;
use upstream::{TargetReport, Targets};

const LIMIT: usize = 4;
const QUEUE: usize = 12;
const QUEUE_TIMEOUT: Duration = ms(600);
const FIRST_BYTE: Duration = ms(1000);
/// What an answer may take above what it has to wait for, on a busy machine.
const SLACK: Duration = ms(900);
/// Trials of a breaker at once.
const TRIALS: usize = 2;
/// Stored before it begins, and stale by then.
const KEPT: usize = 10;
/// A hundred requests a second.
const EVERY: Duration = ms(10);

/// What was seen of the only target, looked at all the time.
#[derive(Clone, Debug, Default)]
struct Seen {
    waiting: usize,
    in_flight: u32,
    /// What the breaker became when, and why.
    turns: Vec<(Instant, BreakerState, Option<&'static str>)>,
}

impl Seen {
    fn look(&mut self, report: &TargetReport) {
        self.waiting = self.waiting.max(report.waiting);
        self.in_flight = self.in_flight.max(report.in_flight);
        let why = report.trip.map(upstream::breaker::TripReason::as_str);
        if self.turns.last().is_none_or(|last| (last.1, last.2) != (report.breaker, why)) {
            self.turns.push((Instant::now(), report.breaker, why));
        }
    }

    /// Why the breaker was open since `from`.
    fn reasons(&self, from: Instant) -> Vec<&'static str> {
        let since = self.turns.iter().filter(|turn| turn.0 >= from);
        since.filter(|turn| turn.1 == BreakerState::Open).filter_map(|turn| turn.2).collect()
    }
}

struct Watch {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Watch {
    fn over(targets: Arc<Targets>) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let looked = seen.clone();
        let task = tokio::spawn(async move {
            loop {
                for report in targets.reports() {
                    looked.lock().unwrap().look(&report);
                }
                sleep(ms(1)).await;
            }
        });
        Self { seen, task }
    }

    fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `cold` URLs that nobody asked for before, with one of those stored after every fifth.
fn paths(phase: &str, cold: usize) -> impl Iterator<Item = String> {
    (0..cold).flat_map(move |n| {
        let kept = (n % 5 == 0).then(|| format!("/kept/{}", n / 5 % KEPT));
        std::iter::once(format!("/{phase}/{n}")).chain(kept)
    })
}

/// What is stored is served all through, and everybody else hears in time what is the matter.
fn check(phase: &str, got: &[Got], may: impl Fn(&Got) -> bool) {
    assert!(!got.is_empty(), "{phase}");
    for got in got {
        assert!(got.took < QUEUE_TIMEOUT + FIRST_BYTE + SLACK, "{phase}: {got:?}");
        if got.path.starts_with("/kept/") {
            let stale = got.answer.field("x-cdn-stale");
            assert!(got.status() == 200 && stale == "origin-error", "{phase}: {got:?}");
        } else {
            assert!(got.was_told_to_come_again() || may(got), "{phase}: {got:?}");
        }
    }
}

fn count(got: &[Got], is: impl Fn(&Got) -> bool) -> usize {
    got.iter().filter(|got| is(got)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_in_trouble_gets_no_more_than_it_may_and_clients_hear_of_it_in_time() {
    let mut origin = Workers::start(1000).await.unwrap();
    let world = setup(&origin)
        .site(json!({
            "limits": { "maxConcurrency": LIMIT, "queue": QUEUE, "queueTimeout": "600ms" },
            "timeouts": { "connect": "300ms", "firstByte": "1s" },
            "breaker": { "consecutiveFailures": 5, "failureRatio": 0, "openFor": "500ms", "maxOpenFor": "1s" },
        }))
        .start()
        .await
        .unwrap();
    let watch = Watch::over(world.node.upstreams.clone());
    for n in 0..KEPT {
        world.ask(format!("/kept/{n}").as_str()).await.expect(200, "MISS");
    }
    world.settled().await;
    world.pass_seconds(120);

    // It takes ten seconds for everything.
    let slow = Instant::now();
    origin.set(Manner { service: ms(10_000), ..Manner::default() });
    let got = load(&world, paths("slow", 300), EVERY).await;
    check("slow", &got, |got| got.status() == 504 && got.reason() == "first-byte-timeout");
    for reason in ["queue-full", "queue-timeout", "breaker-open", "first-byte-timeout"] {
        assert!(count(&got, |got| got.reason() == reason) > 0, "nobody got {reason}");
    }
    assert!(watch.seen().waiting > 0);
    assert!(watch.seen().reasons(slow).contains(&"consecutive-failures"), "{:?}", watch.seen());
    let name = origin.name();
    let said = debug(&world, &name).await;
    assert_eq!(said["breaker"].as_str().map(|state| state != "closed"), Some(true), "{said}");
    assert!(said["breakerOpenings"]["consecutive-failures"].as_u64() >= Some(1), "{said}");

    // It answers at once, with errors.
    for status in [500, 503] {
        let erring = Instant::now();
        let fields = vec![("cache-control", "no-store".to_owned())];
        origin.set(Manner { service: ms(20), status, fields, ..Manner::default() });
        let before = origin.count();
        let got = load(&world, paths(&status.to_string(), 120), EVERY).await;
        check("erring", &got, |got| got.status() == status);
        let asked = origin.count() - before;
        // One and a half, open for at least a half of a half at a time, and two trials then.
        assert!((1..=8 * TRIALS).contains(&asked), "{asked} requests at an origin with {status}");
        assert!(watch.seen().reasons(erring).contains(&"trial-failed"), "{:?}", watch.seen());
        assert!(count(&got, |got| got.reason() == "breaker-open") > 60);
    }

    // Nobody listens.
    origin.stop().await.unwrap();
    let before = origin.count();
    let got = load(&world, paths("gone", 120), EVERY).await;
    check("gone", &got, |got| got.status() == 502 && got.reason() == "connect-failed");
    assert_eq!(origin.count(), before);
    let outage = origin.visits();

    // It is back, and can do a fifth more than it is asked for.
    origin.set(Manner { service: ms(33), ..Manner::default() });
    origin.restart().await.unwrap();
    let got = load(&world, paths("back", 300), EVERY).await;
    let all = origin.visits();
    let back = &all[outage.len()..];
    for got in got.iter().filter(|got| !got.path.starts_with("/kept/")) {
        assert!(got.status() == 200 || got.was_told_to_come_again(), "back: {got:?}");
    }
    // Of the last second.
    let last: Vec<_> = got.iter().filter(|got| number(&got.path) >= 200).collect();
    assert_eq!(last.len(), 100);
    assert!(last.iter().all(|got| got.status() == 200), "{last:?}");
    no_spike(back);
    let seen = watch.seen();
    assert_eq!(seen.turns.last().map(|turn| turn.1), Some(BreakerState::Closed), "{seen:?}");
    for n in 0..KEPT {
        world.ask(format!("/kept/{n}").as_str()).await.expect(200, "HIT");
    }

    // All the time.
    assert!(most_at_once(&all, GRACE) <= LIMIT, "{}", most_at_once(&all, GRACE));
    assert!(seen.waiting <= QUEUE && seen.in_flight as usize <= LIMIT, "{seen:?}");
    let said = debug(&world, &name).await;
    assert_eq!((&said["breaker"], &said["trippedBy"]), (&json!("closed"), &Value::Null));
    let openings: u64 =
        said["breakerOpenings"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    let metric = |name: &str, label: &str| world.metric(name, label);
    assert_eq!(metric("cdn_upstream_breaker_openings_total", "reason"), openings as f64);
    assert_eq!(metric("cdn_upstream_breaker_state", "state=\"closed\""), 1.0);
    assert_eq!(metric("cdn_upstream_breaker_state", "state=\"open\""), 0.0);
    for reason in ["queue-full", "queue-timeout", "breaker-open"] {
        assert!(metric("cdn_upstream_refused_total", reason) > 0.0, "{reason}");
    }
    assert_eq!(metric("cdn_upstream_limit", &name), LIMIT as f64);
}

fn number(path: &str) -> usize {
    path.strip_prefix("/back/").map_or(0, |n| n.parse().unwrap())
}

/// Those who come back do not come at once: two at a time until the breaker is closed, then as many as may.
fn no_spike(back: &[Visit]) {
    let mut answered: Vec<_> = back.iter().filter(|v| v.answered).filter_map(|v| v.until).collect();
    answered.sort_unstable();
    // Before so many trials were answered, none but trials can have come.
    let closed = answered[2];
    let trials: Vec<_> = back.iter().filter(|visit| visit.from < closed).cloned().collect();
    assert!(most_at_once(&trials, GRACE) <= TRIALS, "{trials:?}");
    assert!(most_at_once(back, GRACE) <= LIMIT);
    // In 100 ms, each of four places can be taken four times.
    for (place, visit) in back.iter().enumerate() {
        let soon = back[place..].iter().take_while(|v| v.from < visit.from + ms(100)).count();
        assert!(soon <= LIMIT * 4, "{soon} requests in 100 ms");
    }
}
