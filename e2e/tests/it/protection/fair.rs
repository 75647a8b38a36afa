//! Sites of one origin take turns.

use super::*;

/// Two sites, and the queue that both stand in.
async fn two_sites(origin: &Workers, limits: Value) -> World {
    let site = |host: &str| {
        json!({
            "hosts": [host], "origins": [{ "url": origin.url() }], "debugHeaders": "Always",
            "limits": limits,
        })
    };
    let sites = json!({ "sites": [site("busy.example"), site("quiet.example")] });
    setup(origin).spec(sites).start().await.unwrap()
}

fn from(host: &str, path: &str) -> Request {
    Request::get(path).field("host", host)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_site_does_not_starve_a_quiet_one() {
    let origin = Workers::start(1000).await.unwrap();
    origin.set(Manner { service: ms(50), ..Manner::default() });
    let limits =
        json!({ "maxConcurrency": 2, "minConcurrency": 1, "queue": 50, "queueTimeout": "30s" });
    let world = two_sites(&origin, limits).await;
    let address = world.address;
    let mut busy = JoinSet::new();
    for n in 0..42 {
        busy.spawn(async move { ask(address, from("busy.example", &format!("/{n}"))).await });
    }
    let waiting = || world.metric("cdn_upstream_waiting", &origin.name()) as usize;
    // All that may are waiting, of one site.
    world.until("the queue is full", || waiting() > 30).await;
    for n in 0..3 {
        let before = origin.count();
        let quiet = world.ask(from("quiet.example", &format!("/quiet/{n}"))).await;
        quiet.expect(200, "MISS");
        let visits = origin.visits();
        let place = visits.iter().position(|v| v.target == format!("/quiet/{n}")).unwrap();
        // One of the other site may have its turn first, and those who were let in meanwhile.
        assert!(place <= before + 3, "{place} after {before}");
    }
    assert!(waiting() > 0, "the busy site was done before it could be in the way");
    for answer in busy.join_all().await {
        answer.unwrap().expect_status(200);
    }
    assert!(most_at_once(&origin.visits(), GRACE) <= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_makes_room_for_who_has_less_in_it() {
    let origin = Workers::start(1000).await.unwrap();
    origin.set(Manner { service: ms(200), ..Manner::default() });
    let limits =
        json!({ "maxConcurrency": 1, "minConcurrency": 1, "queue": 6, "queueTimeout": "30s" });
    let world = two_sites(&origin, limits).await;
    let address = world.address;
    let mut busy = JoinSet::new();
    for n in 0..7 {
        busy.spawn(async move { ask(address, from("busy.example", &format!("/{n}"))).await });
    }
    let waiting = || world.metric("cdn_upstream_waiting", &origin.name()) as usize;
    world.until("the queue is full", || waiting() == 6).await;
    let quiet = tokio::spawn(async move { ask(address, from("quiet.example", "/")).await });
    let answers = busy.join_all().await;
    quiet.await.unwrap().unwrap().expect(200, "MISS");
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let pushed_out: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert_eq!(pushed_out.len(), 1);
    pushed_out[0].expect_cache_status("detail=queue-full");
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 6);
}
