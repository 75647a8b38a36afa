//! Nodes that die, stop or come back under load: the others stand in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use wire::Snapshot;
use wire::snapshot::{OriginLimits, PeeringMode, Tier};

use crate::places::{Counting, Draws, Load, Network, Shot, percentile};

const LENGTH: usize = 2_000;
const RAMP: Duration = Duration::from_secs(1);
/// Until nodes that were started one after another have found each other and are through their ramps.
const SETTLED: Duration = Duration::from_millis(2_500);

fn page(number: u64) -> String {
    format!("/page/{number}")
}

fn peers(snapshot: &mut Snapshot) {
    snapshot.peering.mode = PeeringMode::Peer;
    snapshot.peering.ramp_ms = u64::try_from(RAMP.as_millis()).unwrap();
    snapshot.peering.hot_after = u16::MAX;
}

/// Says paths until it is told to stop.
#[derive(Clone, Default)]
struct Until(Arc<AtomicBool>);

impl Until {
    fn paths(
        &self,
        path: impl Fn() -> String + Clone + Send + 'static,
    ) -> impl Fn() -> Option<String> + Clone + Send + 'static {
        let over = self.0.clone();
        move || (!over.load(SeqCst)).then(&path)
    }

    fn stop(&self) {
        self.0.store(true, SeqCst);
    }
}

/// Every page once through `nodes`, by four clients each; the answers.
async fn sweep(network: &Network, nodes: &[&str], pages: u64) -> Vec<Shot> {
    let mut load = Load::new();
    for node in nodes {
        let next = Arc::new(AtomicU64::new(0));
        load.add(4, network.address(node), move || {
            Some(next.fetch_add(1, SeqCst)).filter(|n| *n < pages).map(page)
        });
    }
    load.end().await
}

#[track_caller]
fn all_good(shots: &[Shot]) {
    let bad: Vec<_> = shots.iter().filter(|shot| !shot.is_good(LENGTH)).take(3).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

fn slowest<'a>(shots: impl IntoIterator<Item = &'a Shot>) -> Duration {
    shots.into_iter().map(|shot| shot.took).max().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_of_a_place_dies_and_comes_back() {
    const PAGES: u64 = 240;
    const CLIENTS: usize = 4;
    let origin = Counting::start(Duration::from_millis(5), LENGTH).await;
    let all = ["e0", "e1", "e2"];
    let mut network = Network::start(&all, &[], origin, peers).await;
    sleep(SETTLED).await;
    all_good(&sweep(&network, &all, PAGES).await);
    let cold = network.origin.asked();
    assert_eq!(cold, PAGES as usize, "one copy, of which all three are served");

    let (until, draws) = (Until::default(), Draws::default());
    let mut load = Load::new();
    for node in all {
        let draws = draws.clone();
        let paths = until.paths(move || page(draws.below(PAGES)));
        load.add(CLIENTS, network.address(node), paths);
    }
    sleep(Duration::from_secs(1)).await;
    network.kill("e2");
    let killed = load.elapsed();
    // Every key through every survivor, at once.
    let first = sweep(&network, &all[..2], PAGES).await;
    all_good(&first);
    let worst = slowest(&first);
    assert!(worst < Duration::from_secs(1), "{worst:?}");
    let refetched = network.origin.asked() - cold;
    let shares = network.origin.asked();
    sleep(Duration::from_secs(1)).await;

    network.revive("e2").await;
    let revived = Instant::now();
    let before = network.origin.asked();
    sleep(RAMP + Duration::from_secs(2)).await;
    until.stop();
    let shots = load.end().await;
    all_good(&sweep(&network, &all, PAGES).await);
    let inherited =
        network.metric("e2", "cdn_upstream_answers_total{source=\"previous-owner\"}").await;
    let again = network.origin.asked() - before;
    let survivors = [network.address("e0"), network.address("e1")];
    let failed: Vec<_> = shots.iter().filter(|shot| !shot.is_good(LENGTH)).collect();
    // Clients of the dead one find nobody until it is back; the first failure of each was under way.
    let (under_way, later): (Vec<_>, Vec<_>) = failed.iter().partition(|s| s.at < killed);
    println!(
        "{} requests; killed: {} under way failed, {} more found nobody; every key through {survivors:?} \
         in {worst:?} at worst; {refetched} fetched anew; back for {:?}: {inherited} inherited, {again} \
         from the origin",
        shots.len(),
        under_way.len(),
        later.len(),
        revived.elapsed(),
    );
    assert!(shots.len() > 500, "{}", shots.len());
    assert!(under_way.len() <= CLIENTS, "{under_way:#?}");
    let refused = |s: &&&Shot| {
        s.result.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    assert_eq!(later.iter().filter(|s| !refused(s)).count(), 0, "{later:#?}");
    // The dead one's share was stored anew once, by whoever is next: never more than a half of three.
    assert!(refetched <= PAGES as usize / 2, "{refetched} of {shares}");
    assert!(inherited >= PAGES / 5, "{inherited}");
    assert!(again <= PAGES as usize / 40, "{again}");
}

/// Two edges whose site has the shield `s…`: at most four requests of each go past it at once.
fn shielded(snapshot: &mut Snapshot) {
    snapshot.peering.ramp_ms = u64::try_from(RAMP.as_millis()).unwrap();
    if snapshot.tier == Tier::Shield {
        return;
    }
    let site = &mut snapshot.sites[0];
    site.shield = Some("shield/e2e".into());
    let queue_timeout_ms = 500;
    let bypass =
        OriginLimits { max_concurrency: 4, queue: 8, queue_timeout_ms, ..OriginLimits::default() };
    site.limits = bypass;
}

fn is_by_shield(shot: &Shot) -> bool {
    shot.result.as_ref().is_ok_and(|answer| answer.field("via").contains(" s"))
}

/// Clients of both edges that ask for what is stored, and such that ask for something new each time.
fn hits_and_misses(network: &Network, until: &Until) -> (Load, Load) {
    let (mut hits, mut misses) = (Load::new(), Load::new());
    let next = Arc::new(AtomicU64::new(1_000_000));
    for node in ["e0", "e1"] {
        let draws = Draws::default();
        hits.add(2, network.address(node), until.paths(move || page(draws.below(20))));
        let next = next.clone();
        misses.add(12, network.address(node), until.paths(move || page(next.fetch_add(1, SeqCst))));
    }
    (hits, misses)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_shields_die_and_come_back() {
    let origin = Counting::start(Duration::from_millis(40), LENGTH).await;
    let (edges, shields) = (["e0", "e1"], ["s0", "s1"]);
    let mut network = Network::start(&edges, &shields, origin, shielded).await;
    sleep(SETTLED).await;
    all_good(&sweep(&network, &edges, 20).await);
    let until = Until::default();
    let (hits, misses) = hits_and_misses(&network, &until);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(network.origin.direct(), 0);

    let killed = misses.elapsed();
    network.kill("s0");
    network.kill("s1");
    sleep(Duration::from_secs(2)).await;
    let without = network.origin.most_direct();
    let direct = network.origin.direct();

    let revived = misses.elapsed();
    network.revive("s0").await;
    network.revive("s1").await;
    sleep(RAMP + Duration::from_secs(2)).await;
    let direct_before = network.origin.direct();
    let asked = network.origin.asked();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(network.origin.direct(), direct_before, "back by itself");
    assert!(network.origin.asked() > asked + 20, "by the shields");
    until.stop();

    let (hits, misses) = (hits.end().await, misses.end().await);
    all_good(&hits);
    let phase = |shots: &[Shot], from: Duration, to: Duration| -> Vec<Duration> {
        shots.iter().filter(|s| (from..to).contains(&s.at)).map(|s| s.took).collect()
    };
    let (hits_before, hits_after) =
        (phase(&hits, Duration::ZERO, killed), phase(&hits, killed, revived));
    let unmoved = (hits_before.len(), percentile(hits_before, 99));
    let bypassed = (hits_after.len(), percentile(hits_after, 99));
    let past = misses.iter().filter(|s| s.is_good(LENGTH) && !is_by_shield(s));
    let took = past.map(|s| s.at + s.took).max().unwrap_or_default().saturating_sub(revived);
    let good = misses.iter().filter(|s| s.is_good(LENGTH)).count();
    let refused: Vec<_> = misses.iter().filter(|s| !s.is_good(LENGTH)).collect();
    println!(
        "hits, p99 with shields {unmoved:?}, without {bypassed:?}; misses {good} good, {} refused, {:?} at \
         worst; past the shields {direct} requests, at most {without} at once; only shields again after {took:?}",
        refused.len(),
        slowest(&misses),
    );
    assert!(direct > 20, "the origins were never asked directly");
    assert!(without <= 8, "{without} at once at the origin, 2 edges of 4 each");
    assert!(bypassed.0 > 100 && bypassed.1 < Duration::from_millis(250), "{bypassed:?}");
    // No stall: within the queue's time and the origin's.
    assert!(slowest(&misses) < Duration::from_secs(2), "{:?}", slowest(&misses));
    for shot in refused {
        let answer = shot.result.as_ref().unwrap();
        let said = (answer.status, answer.fields.has("retry-after"));
        assert_eq!(said, (503, true), "{answer:#?}");
    }
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shield_that_stops_is_skipped_and_used_again() {
    let origin = Counting::start(Duration::from_millis(5), LENGTH).await;
    let network = Network::start(&["e0", "e1"], &["s0", "s1"], origin, shielded).await;
    all_good(&sweep(&network, &["e0", "e1"], 20).await);
    let until = Until::default();
    let (hits, misses) = hits_and_misses(&network, &until);
    sleep(Duration::from_millis(500)).await;
    let paused = misses.elapsed();
    network.program("s0").pause().unwrap();
    sleep(Duration::from_secs(4)).await;
    until.stop();
    let (hits, misses) = (hits.end().await, misses.end().await);
    network.program("s0").resume().unwrap();
    all_good(&hits);
    all_good(&misses);
    let waited = slowest(&misses);
    let last = misses.iter().filter(|s| s.took > Duration::from_millis(700)).map(|s| s.at + s.took);
    let skipped = last.max().unwrap_or_default().saturating_sub(paused);
    let direct = network.origin.direct();
    println!(
        "stopped: requests waited {waited:?} at worst, none waits after {skipped:?}; {direct} past the shields"
    );
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    assert!(skipped < Duration::from_secs(4), "{skipped:?}");
    assert_eq!(direct, 0, "the other one took all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_that_stops_keeps_its_neighbours_waiting_for_a_moment() {
    const PAGES: u64 = 120;
    let origin = Counting::start(Duration::from_millis(5), LENGTH).await;
    let all = ["e0", "e1", "e2"];
    let network = Network::start(&all, &[], origin, peers).await;
    sleep(SETTLED).await;
    all_good(&sweep(&network, &all, PAGES).await);
    network.program("e2").pause().unwrap();
    let first = sweep(&network, &all[..2], PAGES).await;
    all_good(&first);
    let then = sweep(&network, &all[..2], PAGES).await;
    all_good(&then);
    network.program("e2").resume().unwrap();
    println!("stopped: {:?} at worst, then {:?}", slowest(&first), slowest(&then));
    assert!(slowest(&first) < Duration::from_secs(3), "{:?}", slowest(&first));
    assert!(slowest(&then) < Duration::from_millis(500), "{:?}", slowest(&then));
}
