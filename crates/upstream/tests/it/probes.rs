//! Servers that are asked whether they are well.

use std::sync::atomic::Ordering::SeqCst;

use upstream::Probe;
use upstream::health::HealthReason;
use wire::snapshot::HealthProbe;

use super::server::Server;
use super::*;

fn probed(url: &str) -> Origin {
    let health = HealthProbe {
        path: "/health?deep".into(),
        interval_ms: 40,
        timeout_ms: 40,
        unhealthy_after: 3,
        healthy_after: 2,
        ..HealthProbe::default()
    };
    Origin { health: Some(health), host: Some("origin.example".into()), ..Origin::at(url) }
}

/// Aborted with the test.
fn watch(targets: &Arc<Targets>) -> tokio::task::JoinSet<()> {
    let mut watching = tokio::task::JoinSet::new();
    watching.spawn(targets.clone().watch());
    watching
}

#[tokio::test]
async fn probes_take_a_dead_server_down_and_bring_it_back() {
    let server = Server::start("a").await;
    let site = Setup::default().site(&[probed(&server.url)]);
    let target = site.order[0].clone();
    let _watching = watch(&site.targets);
    until("probed", || server.told.probes.load(SeqCst) >= 3).await;
    assert!(target.is_usable());
    assert_eq!((target.ups(), target.up_since()), (0, None));
    let asked = server.told.last_probe.lock().clone();
    assert!(asked.starts_with("GET /health?deep "), "{asked}");
    assert!(asked.contains("\"host\": \"origin.example\""), "{asked}");
    assert!(asked.contains("\"user-agent\": \"blue-origin/"), "{asked}");

    let address = server.stop().await;
    until("down", || !target.is_usable()).await;
    assert_eq!(target.report().health, HealthReason::Probes);
    let _server = Server::at(address, "a").await;
    until("up", || target.is_usable()).await;
    assert_eq!(target.ups(), 1);
    assert!(target.up_since().is_some());
    // Nothing of this went through the limits.
    assert_eq!(target.report().counts.sent, 0);
}

#[tokio::test]
async fn an_answer_can_say_that_it_is_not_well() {
    let server = Server::start("a").await;
    server.told.health.store(503, SeqCst);
    let site = Setup::default().site(&[probed(&server.url)]);
    let _watching = watch(&site.targets);
    until("down", || !site.order[0].is_usable()).await;
    server.told.health.store(204, SeqCst);
    until("up", || site.order[0].is_usable()).await;
}

//= rfc9110#9.3.7
#[tokio::test]
async fn a_tier_is_asked_by_options_that_goes_no_further() {
    let server = Server::start("a").await;
    let targets = Targets::new();
    let settings = Setup::default().settings(&Origin::at(&server.url));
    let settings = TargetSettings { probe: Some(Probe::Ping), ..settings };
    let target = targets.target(&settings).unwrap();
    let _watching = watch(&targets);
    until("asked", || server.told.probes.load(SeqCst) >= 1).await;
    let asked = server.told.last_probe.lock().clone();
    assert!(asked.starts_with("OPTIONS * "), "{asked}");
    assert!(asked.contains("\"max-forwards\": \"0\""), "{asked}");
    until("told", || target.report().counts.probes == 1).await;
    assert!(target.is_usable());
}

#[tokio::test]
async fn failed_traffic_brings_the_next_probe_forward() {
    let server = Server::start("a").await;
    let targets = Targets::new();
    let settings = Setup::default().settings(&Origin::at(&server.url));
    let settings = TargetSettings { probe: Some(Probe::Ping), ..settings };
    let target = targets.target(&settings).unwrap();
    let setup = Setup::default();
    let site = Site {
        order: vec![target.clone()],
        clients: Clients::new(),
        policy: Policy::new(&setup.timeouts, &Retries { attempts: 1, ..Retries::default() }),
        targets,
    };
    let _watching = watch(&site.targets);
    until("probed", || server.told.probes.load(SeqCst) == 1).await;
    until("over", || target.report().counts.probes == 1).await;
    server.stop().await;
    // The next probe would come in 2.5 seconds at the earliest; one request is enough for a doubt.
    let begun = tokio::time::Instant::now();
    assert_eq!(site.told().await.1, "connect-failed");
    until("down", || !target.is_usable()).await;
    assert!(begun.elapsed() < ms(2000), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_tier_in_doubt_is_known_to_be_gone_soon_without_a_request() {
    let server = Server::start("a").await;
    let targets = Targets::new();
    let settings = Setup::default().settings(&Origin::at(&server.url));
    let settings = TargetSettings { probe: Some(Probe::Ping), ..settings };
    let target = targets.target(&settings).unwrap();
    let _watching = watch(&targets);
    until("probed", || target.report().counts.probes == 1).await;
    let waiting = tokio::spawn({
        let target = target.clone();
        async move { target.gone().await }
    });
    server.stop().await;
    target.doubt();
    let soon = tokio::time::timeout(ms(2000), waiting).await;
    soon.expect("two probes at once, not at their usual pace").unwrap();
    assert!(!target.is_usable());
    // Whoever comes later does not wait at all.
    target.gone().await;
}

#[tokio::test]
async fn targets_that_nobody_holds_are_not_probed() {
    let server = Server::start("a").await;
    let site = Setup::default().site(&[probed(&server.url)]);
    let targets = site.targets.clone();
    let _watching = watch(&targets);
    until("probed", || server.told.probes.load(SeqCst) >= 1).await;
    drop(site);
    until("forgotten", || targets.reports().is_empty()).await;
    let probes = server.told.probes.load(SeqCst);
    tokio::time::sleep(ms(200)).await;
    assert_eq!(server.told.probes.load(SeqCst), probes);
}
