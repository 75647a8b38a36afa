//! Several origins of one site: who is asked, and who instead.

use std::sync::Arc;

use e2e::gate::Gate;
use e2e::origin::{Origin, Reply};
use tokio::task::AbortHandle;

use super::*;

/// Two origins.
async fn two() -> (Workers, Workers) {
    (Workers::start(1000).await.unwrap(), Workers::start(1000).await.unwrap())
}

/// Sends the probes of an edge for as long as it is held, as its process would.
struct Probing(AbortHandle);

impl Probing {
    fn of(world: &World) -> Self {
        Self(tokio::spawn(world.node.upstreams.clone().watch()).abort_handle())
    }
}

impl Drop for Probing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What reached `origin`, probes left out.
fn asked(origin: &Workers) -> usize {
    origin.visits().iter().filter(|visit| visit.target != "/health").count()
}

/// Two seconds of load, in the midst of which something happens; everybody is answered.
async fn through(world: &Arc<World>, phase: &'static str, happens: impl Future<Output = ()>) {
    let loaded = world.clone();
    let paths = (0..200).map(move |n| format!("/{phase}/{n}"));
    let loading = tokio::spawn(async move { load(&loaded, paths, ms(10)).await });
    sleep(ms(700)).await;
    happens.await;
    let failed: Vec<_> = loading.await.unwrap().into_iter().filter(|g| g.status() != 200).collect();
    assert!(failed.is_empty(), "{phase}: {failed:#?} {:#?}", world.node.upstreams.reports());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_origin_by_priority_answers_while_the_first_is_gone() {
    let (mut first, second) = two().await;
    let health = json!({ "path": "/health", "interval": "200ms", "timeout": "100ms" });
    let origins = json!([
        { "url": first.url(), "priority": 0, "health": health },
        { "url": second.url(), "priority": 1 },
    ]);
    let world = Arc::new(Setup::at(origins).start_edge().await.unwrap());
    let _probing = Probing::of(&world);
    through(&world, "before", async {}).await;
    assert_eq!((asked(&first), asked(&second)), (200, 0));
    through(&world, "gone", async { first.stop().await.unwrap() }).await;
    let (before, instead) = (asked(&first), asked(&second));
    assert!(before < 300 && instead > 100, "{before} {instead}");
    // Found by its probes, and asked again.
    through(&world, "back", async { first.restart().await.unwrap() }).await;
    let name = first.name();
    world.until("it is up", || world.metric("cdn_upstream_up", &name) > 0.0).await;
    let instead = asked(&second);
    through(&world, "after", async {}).await;
    assert_eq!(asked(&second), instead);
    assert!(asked(&first) >= before + 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_whose_probes_fail_is_left_without_a_failed_request() {
    let (first, second) = two().await;
    let health = json!({
        "path": "/health", "interval": "200ms", "timeout": "100ms", "unhealthyAfter": 2,
    });
    let origins = json!([
        { "url": first.url(), "health": health }, { "url": second.url(), "priority": 1 },
    ]);
    let world = Arc::new(Setup::at(origins).start_edge().await.unwrap());
    let _probing = Probing::of(&world);
    let (up, name) = (|| world.metric("cdn_upstream_up", &first.name()), first.name());
    world.until("it is probed", || world.metric("cdn_upstream_probes_total", &name) > 0.0).await;
    through(&world, "ill", async {
        // It still answers whatever it is asked for.
        first.set(Manner { health: 500, ..Manner::default() });
        world.until("it is down", || up() < 1.0).await;
    })
    .await;
    let reports = world.node.upstreams.reports();
    let report = reports.iter().find(|report| report.name == name).unwrap();
    assert_eq!(report.health.as_str(), "probes", "{report:?}");
    assert!(report.counts.failed == 0 && report.counts.probes_failed >= 2, "{report:?}");
    let left = asked(&first);
    through(&world, "left", async {}).await;
    assert_eq!(asked(&first), left);
    through(&world, "well", async {
        first.set(Manner::default());
        world.until("it is up", || up() > 0.0).await;
    })
    .await;
    assert!(asked(&first) > left);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn origins_of_one_priority_share_by_weight() {
    let (most, some) = two().await;
    let origins = json!([
        { "url": most.url(), "weight": 300 }, { "url": some.url(), "weight": 100 },
    ]);
    let world = Setup::at(origins).start_edge().await.unwrap();
    let got = load(&world, (0..400).map(|n| format!("/{n}")), ms(2)).await;
    assert!(got.iter().all(|got| got.status() == 200));
    // Three quarters, and more than five times the deviation that chance gives it.
    let share = asked(&most);
    assert_eq!(share + asked(&some), 400);
    assert!((255..=345).contains(&share), "{share} of 400");
}

#[tokio::test]
async fn what_may_have_been_done_is_not_asked_of_another_origin() {
    let mut first = Origin::start().await.unwrap();
    let second = Origin::start().await.unwrap();
    let origins = json!([{ "url": first.url() }, { "url": second.url(), "priority": 1 }]);
    let world = Setup::at(origins).start_edge().await.unwrap();
    first.always("/warm", Reply::fresh(60, "a"));
    first.always("/a", Reply::broken());
    second.on("*", |asked| Reply::fresh(60, format!("{} {}", asked.method, asked.text())));
    // A connection that served before is there to be used.
    world.ask("/warm").await.expect_status(200);
    let post = || Request::new("POST", "/a").body("once");
    world.ask(post()).await.expect_status(502).expect_cache_status("detail=exchange-failed");
    assert_eq!((first.count("/a"), second.count("/a")), (1, 0));
    world.ask("/a").await.expect(200, "MISS").expect_body("GET ");
    // What cannot have arrived may go elsewhere.
    first.stop().await.unwrap();
    world.ask(post()).await.expect_status(200).expect_body("POST once");
    assert_eq!(second.count("/a"), 2);
}

#[tokio::test]
async fn those_who_waited_together_are_all_told_when_to_come_again() {
    let origin = Origin::start().await.unwrap();
    let world = Setup::new(&origin).start().await.unwrap();
    let gate = Gate::closed();
    let busy = Reply::status(503).field("retry-after", "7").field("cache-control", "no-store");
    origin.always("/a", busy.after(&gate));
    let address = world.address;
    let mut asking = JoinSet::new();
    for _ in 0..6 {
        asking.spawn(async move { ask(address, "/a").await });
    }
    let waiting = || world.node.cache.entries(None, 10).0.iter().map(|e| e.waiting).sum::<usize>();
    world.until("all but one wait", || waiting() == 5).await;
    gate.open();
    for answer in asking.join_all().await {
        answer.unwrap().expect_status(503).expect_field("retry-after", "7");
    }
    assert_eq!(origin.count("/a"), 1);
}
