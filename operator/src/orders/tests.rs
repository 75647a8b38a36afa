use bus::EmbeddedBus;
use bus::SenderSettings;
use bus::embedded::EmbeddedLimits;
use kube::api::DynamicObject;
use kube::runtime::events::Reporter;
use serde_json::{Value, json};
use wire::invalidation::{Ack, Heartbeat, OnLogLoss, Target};

use super::*;
use crate::fake::{self, Asked, agree, server};
use crate::names::LIFT;
use crate::world::Watched;

pub(super) struct Stage {
    pub(super) context: Arc<OrdersContext>,
    asked: fake::Log,
    bus: Arc<EmbeddedBus>,
}

fn stage() -> Stage {
    stage_with(agree)
}

/// An operator with one pool for `a.example.com` and a log of its own.
pub(super) fn stage_with(answer: impl Fn(&Asked) -> (u16, Value) + Send + 'static) -> Stage {
    let clock = Clock::manual(1_000_000);
    let bus = Arc::new(EmbeddedBus::new(EmbeddedLimits::default(), clock.clone()));
    stage_on(bus, clock, answer)
}

fn stage_on(
    bus: Arc<EmbeddedBus>,
    clock: Clock,
    answer: impl Fn(&Asked) -> (u16, Value) + Send + 'static,
) -> Stage {
    let (client, asked) = server(answer);
    let settings =
        SenderSettings { deadline: Duration::from_secs(7200), ..SenderSettings::default() };
    let shared: Arc<dyn Bus> = bus.clone();
    let sender = Arc::new(Sender::new(shared.clone(), clock.clone(), settings));
    tokio::spawn(sender.clone().run());
    let world = Arc::new(World::default());
    let context = OrdersContext {
        recorder: Recorder::new(client.clone(), Reporter::from("test")),
        client,
        world,
        log: Some(Log { bus: shared, sender }),
        clock,
        counts: Counts::new(&runtime::metrics::Metrics::default()).unwrap(),
        writing: Semaphore::new(WRITES),
        translating: Semaphore::new(1),
    };
    let stage = Stage { context: Arc::new(context), asked, bus };
    let sites = json!([{ "hosts": ["a.example.com"], "origins": [{ "url": "http://o" }] }]);
    let spec = json!({ "pops": [{ "name": "fra" }], "sites": sites });
    stage.put(Watched::Pools, "EdgePool", "web", &json!({}), &spec);
    stage
}

impl Stage {
    /// Another operator, which knows of nothing, on the same log.
    fn successor(&self) -> Self {
        stage_on(self.bus.clone(), self.context.clock.clone(), agree)
    }

    pub(super) fn put(
        &self,
        what: Watched,
        kind: &str,
        name: &str,
        metadata: &Value,
        spec: &Value,
    ) {
        let mut body = json!({
            "apiVersion": crds::API_VERSION, "kind": kind,
            "metadata": { "namespace": "cdn", "name": name, "uid": name, "generation": 1 },
            "spec": spec,
        });
        for (key, value) in metadata.as_object().unwrap() {
            match key.as_str() {
                "status" => body["status"] = value.clone(),
                _ => body["metadata"][key] = value.clone(),
            }
        }
        let object: DynamicObject = serde_json::from_value(body).unwrap();
        self.context.world.put(what, object);
    }

    pub(super) fn bus(&self) -> &EmbeddedBus {
        &self.bus
    }

    /// A node that applies whatever comes.
    pub(super) async fn node(&self, name: &'static str) {
        let beat = Heartbeat {
            node: name.into(),
            role: "edge".into(),
            pool: "cdn/web".into(),
            applied: None,
            on_log_loss: OnLogLoss::Serve,
            lease_ms: 10_000,
            pop: None,
            requests_per_second: None,
            ready: None,
            draining: false,
        };
        self.bus.heartbeat(&beat).await.unwrap();
        let bus = self.bus.clone();
        tokio::spawn(async move {
            let mut entries = bus.subscribe(None);
            loop {
                if let bus::Delivery::Event(entry) = entries.next().await {
                    let ack = Ack {
                        node: name.into(),
                        seq: entry.position.seq,
                        matched: Some(3),
                        error: None,
                    };
                    bus.acknowledge(&entry.position.epoch, &[ack]).await.unwrap();
                }
            }
        });
    }

    /// A node that applies whatever comes, and counts only when it is told how much.
    async fn counting_node(&self, name: &'static str) -> tokio::sync::mpsc::UnboundedSender<u64> {
        let (sender, mut counts) = tokio::sync::mpsc::unbounded_channel();
        let beat = Heartbeat { node: name.into(), role: "edge".into(), ..Heartbeat::default() };
        self.bus.heartbeat(&beat).await.unwrap();
        let bus = self.bus.clone();
        tokio::spawn(async move {
            let mut entries = bus.subscribe(None);
            let mut last = None;
            loop {
                let matched = tokio::select! {
                    delivery = entries.next() => {
                        let bus::Delivery::Event(entry) = delivery else { continue };
                        last = Some(entry.position);
                        None
                    }
                    Some(matched) = counts.recv() => Some(matched),
                };
                let at: &wire::LogPosition = last.as_ref().unwrap();
                let ack = Ack { node: name.into(), seq: at.seq, matched, error: None };
                bus.acknowledge(&at.epoch, &[ack]).await.unwrap();
            }
        });
        sender
    }

    /// The next request that fits.
    pub(super) async fn wait(&self, fits: impl Fn(&Asked) -> bool) -> Asked {
        loop {
            if let Some(found) = self.asked.find(&fits) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The orders in the log.
    pub(super) async fn ordered(&self) -> Vec<Target> {
        let mut entries = self.bus.subscribe(None);
        let mut targets = Vec::new();
        loop {
            match entries.next().await {
                bus::Delivery::Event(entry) => targets.push(entry.order.unwrap().target),
                bus::Delivery::CaughtUp(_) => return targets,
                bus::Delivery::Gap(_) | bus::Delivery::Away => {}
            }
        }
    }
}

fn purge_spec(host: &str) -> Value {
    json!({ "urls": [format!("https://{host}/x")], "ttlAfterFinished": "10s" })
}

const PURGE: &str = "/apis/cdn.blueorigin.dev/v1alpha1/namespaces/cdn/purgerequests/p";
const BAN: &str = "/apis/cdn.blueorigin.dev/v1alpha1/namespaces/cdn/banrules/b";

fn is_status(asked: &Asked, phase: &str) -> bool {
    asked.path.ends_with("/status") && asked.body["status"]["phase"] == phase
}

#[tokio::test(start_paused = true)]
async fn a_purge_is_complete_in_one_write_and_goes_when_it_was_kept_long_enough() {
    let stage = stage();
    stage.node("edge-web-fra-1").await;
    let running = tokio::spawn(run(stage.context.clone()));
    stage.put(Watched::Purges, "PurgeRequest", "p", &json!({}), &purge_spec("a.example.com"));
    let told = stage.wait(|asked| asked.method == "PATCH").await;
    assert!(is_status(&told, "Complete"), "{told:?}");
    assert_eq!(told.path, format!("{PURGE}/status"));
    assert_eq!(told.body["status"]["matched"], 3);
    assert_eq!(told.body["status"]["nodes"][0]["name"], "edge-web-fra-1");
    assert_eq!(stage.ordered().await.len(), 1);
    let gone = stage.wait(|asked| asked.method == "DELETE").await;
    assert_eq!(gone.path, PURGE);
    assert_eq!(gone.body["preconditions"]["uid"], "p");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_finished_is_not_ordered_again() {
    let stage = stage();
    let status = json!({ "phase": "Complete", "completionTime": "1970-01-01T00:16:40Z" });
    let running = tokio::spawn(run(stage.context.clone()));
    let metadata = json!({ "status": status });
    stage.put(Watched::Purges, "PurgeRequest", "p", &metadata, &purge_spec("a.example.com"));
    stage.wait(|asked| asked.method == "DELETE").await;
    assert_eq!(stage.ordered().await, []);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_purge_for_nobody_waits_for_a_pool() {
    let stage = stage();
    stage.node("edge-web-fra-1").await;
    let running = tokio::spawn(run(stage.context.clone()));
    stage.put(Watched::Purges, "PurgeRequest", "p", &json!({}), &purge_spec("b.example.com"));
    let told = stage.wait(|asked| asked.path.ends_with("/status")).await;
    assert!(is_status(&told, "Pending"));
    assert_eq!(told.body["status"]["conditions"][0]["status"], "False");
    stage.wait(|asked| asked.path.ends_with("/events")).await;
    let sites = json!([{ "hosts": ["b.example.com"], "origins": [{ "url": "http://o" }] }]);
    let spec = json!({ "pops": [{ "name": "fra" }], "sites": sites });
    stage.put(Watched::Pools, "EdgePool", "other", &json!({}), &spec);
    stage.wait(|asked| is_status(asked, "Complete")).await;
    assert_eq!(stage.ordered().await.len(), 1);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refused_pool_may_still_serve_what_it_does_not_ask_for_now() {
    let stage = stage();
    stage.node("edge-web-fra-1").await;
    let refused = json!({ "status": { "conditions": [{
        "type": "Accepted", "status": "False", "reason": "Invalid", "message": "no",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }] } });
    let sites = json!([{ "hosts": ["new.example.com"], "origins": [{ "url": "http://o" }] }]);
    let spec = json!({ "pops": [{ "name": "fra" }], "sites": sites });
    stage.put(Watched::Pools, "EdgePool", "web", &refused, &spec);
    let running = tokio::spawn(run(stage.context.clone()));
    stage.put(Watched::Purges, "PurgeRequest", "p", &json!({}), &purge_spec("a.example.com"));
    stage.wait(|asked| is_status(asked, "Complete")).await;
    assert_eq!(stage.ordered().await.len(), 1);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_silent_makes_it_partial_after_its_deadline() {
    let stage = stage();
    let beat = Heartbeat {
        node: "edge-web-fra-9".into(),
        role: "edge".into(),
        pool: "cdn/web".into(),
        applied: None,
        on_log_loss: OnLogLoss::Serve,
        lease_ms: 10_000,
        pop: None,
        requests_per_second: None,
        ready: None,
        draining: false,
    };
    stage.bus.heartbeat(&beat).await.unwrap();
    let running = tokio::spawn(run(stage.context.clone()));
    let mut spec = purge_spec("a.example.com");
    spec["deadline"] = json!("2s");
    stage.put(Watched::Purges, "PurgeRequest", "p", &json!({}), &spec);
    let told = stage.wait(|asked| is_status(asked, "Applying")).await;
    assert_eq!(told.body["status"]["nodes"][0]["state"], "Waiting");
    stage.context.clock.advance(Duration::from_secs(3));
    let told = stage.wait(|asked| is_status(asked, "Partial")).await;
    let message = &told.body["status"]["conditions"][1]["message"];
    assert!(message.as_str().unwrap().contains("edge-web-fra-9"), "{message}");
    running.abort();
}

pub(super) fn ban_spec(glob: &str) -> Value {
    json!({ "host": "a.example.com", "path": { "glob": glob }, "ttl": "1h" })
}

#[tokio::test(start_paused = true)]
async fn a_ban_is_in_force_and_then_exhausted() {
    let stage = stage();
    let counted = stage.counting_node("edge-web-fra-1").await;
    let running = tokio::spawn(run(stage.context.clone()));
    stage.put(Watched::Bans, "BanRule", "b", &json!({}), &ban_spec("/x/**"));
    let told = stage.wait(|asked| asked.path.starts_with(BAN)).await;
    assert!(is_status(&told, "Active"), "nothing is written before: {told:?}");
    let id = told.body["status"]["id"].as_str().unwrap().to_owned();
    assert_eq!(stage.bus.bans().await.unwrap(), [id]);
    counted.send(5).unwrap();
    let told = stage.wait(|asked| is_status(asked, "Exhausted")).await;
    assert_eq!(told.body["status"]["matched"], 5);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_is_new_goes_on_with_a_ban_and_gives_it_no_second_time() {
    let stage = stage();
    let counted = stage.counting_node("edge-web-fra-1").await;
    let running = tokio::spawn(run(stage.context.clone()));
    stage.put(Watched::Bans, "BanRule", "b", &json!({}), &ban_spec("/x/**"));
    let told = stage.wait(|asked| is_status(asked, "Active")).await;
    running.abort();

    let next = stage.successor();
    let metadata = json!({ "status": told.body["status"] });
    next.put(Watched::Bans, "BanRule", "b", &metadata, &ban_spec("/x/**"));
    let running = tokio::spawn(run(next.context.clone()));
    counted.send(5).unwrap();
    let told = next.wait(|asked| is_status(asked, "Exhausted")).await;
    assert_eq!(told.body["status"]["matched"], 5);
    assert_eq!(next.ordered().await.len(), 1);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_learned_just_before_the_log_goes_is_told_when_it_is_back() {
    let stage = stage();
    let counted = stage.counting_node("edge-web-fra-1").await;
    let running = tokio::spawn(run(stage.context.clone()));
    stage.put(Watched::Bans, "BanRule", "b", &json!({}), &ban_spec("/x/**"));
    stage.wait(|asked| is_status(asked, "Active")).await;
    counted.send(5).unwrap();
    let counting =
        || stage.context.log.as_ref().unwrap().sender.reports(1).iter().any(|one| one.counting);
    while counting() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stage.bus.faults().cut();
    tokio::time::sleep(Duration::from_secs(10)).await;
    stage.bus.faults().heal();
    let told = stage.wait(|asked| is_status(asked, "Exhausted"));
    let told = tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
    assert_eq!(told.body["status"]["matched"], 5);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn what_former_operators_held_is_let_go() {
    let stage = stage();
    let running = tokio::spawn(run(stage.context.clone()));
    let leaving = json!({
        "finalizers": [LIFT],
        "deletionTimestamp": "1970-01-01T00:16:40Z",
        "status": { "id": "ban:cdn.b:0123456789abcdef", "phase": "Active" },
    });
    stage.put(Watched::Bans, "BanRule", "b", &leaving, &ban_spec("/x/**"));
    let freed = stage.wait(|asked| asked.path == BAN).await;
    assert_eq!(freed.body["metadata"]["finalizers"], json!([]));
    assert_eq!(freed.body["metadata"]["uid"], "b", "so that nothing is made that is gone");
    assert_eq!(stage.ordered().await, [Target::Lift("ban:cdn.b:0123456789abcdef".into())]);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_over_is_over_whatever_an_operator_called_it() {
    let stage = stage();
    stage.node("edge-web-fra-1").await;
    let running = tokio::spawn(run(stage.context.clone()));
    let over = json!({ "observedGeneration": 1, "phase": "Exhausted", "id": "ban:of-old" });
    stage.put(Watched::Bans, "BanRule", "b", &json!({ "status": over }), &ban_spec("/x/**"));
    // Its time was over while nobody led.
    let at = "0123456789abcdef/5-1";
    let late = json!({ "phase": "Active", "seq": at, "expiresAt": "1970-01-01T00:00:01Z" });
    stage.put(Watched::Bans, "BanRule", "c", &json!({ "status": late }), &ban_spec("/x/**"));
    let told = stage.wait(|asked| asked.method == "PATCH").await;
    assert!(told.path.contains("/c/") && is_status(&told, "Exhausted"), "{told:?}");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(stage.ordered().await, []);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_ban_that_says_something_else_lifts_what_it_said() {
    let stage = stage();
    stage.node("edge-web-fra-1").await;
    let running = tokio::spawn(run(stage.context.clone()));
    let said = json!({ "status": { "id": "ban:before", "phase": "Active" } });
    stage.put(Watched::Bans, "BanRule", "b", &said, &ban_spec("/y/**"));
    stage.wait(|asked| is_status(asked, "Exhausted")).await;
    let targets = stage.ordered().await;
    assert_eq!(targets[0], Target::Lift("ban:before".into()));
    assert!(matches!(&targets[1], Target::Ban(_)));
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_ban_that_does_not_compile_is_told_and_orders_nothing() {
    let stage = stage();
    let running = tokio::spawn(run(stage.context.clone()));
    let spec = json!({ "path": { "regex": "([" }, "ttl": "1h" });
    stage.put(Watched::Bans, "BanRule", "b", &json!({}), &spec);
    let told = stage.wait(|asked| asked.path.ends_with("/status")).await;
    let message = told.body["status"]["conditions"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("does not compile"), "{message}");
    assert_eq!(stage.ordered().await, []);
    running.abort();
}
