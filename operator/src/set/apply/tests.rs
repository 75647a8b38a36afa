use kube::api::DynamicObject;
use serde_json::Value;

use super::*;
use crate::build::{OwnerReference, Settings};
use crate::fake::{Asked, Log, agree, refusal, server};
use crate::names::{POP, TierName};
use crate::set::build::prepare;
use crate::set::validate::{Asked as AskedFor, Past, validate};
use crate::world::{Custom, Watched};

const NOTICE: Duration = Duration::from_secs(60);

fn settings() -> Settings {
    Settings {
        edge_image: "edge".into(),
        shield_image: "shield".into(),
        pull_policy: None,
        pull_secrets: vec![],
        log_secret: None,
        log_ca: false,
        log_prefix: "blue-origin".into(),
        admin_secret: None,
        drain_notice: 5,
        monitors: false,
    }
}

fn prepared(pops: &[&str]) -> Resources<Prepared> {
    let pops: Vec<_> = pops.iter().map(|name| json!({ "name": name, "replicas": 2 })).collect();
    let sites = json!([{ "hosts": ["a.example.com"], "origins": [{ "url": "http://o" }] }]);
    let pool: crds::EdgePool = serde_json::from_value(json!({
        "apiVersion": crds::API_VERSION, "kind": "EdgePool",
        "metadata": { "namespace": "cdn", "name": "web", "uid": "u" },
        "spec": { "pops": pops, "sites": sites },
    }))
    .unwrap();
    let custom =
        Custom { uid: "u".into(), generation: 1, leaving: false, value: Ok(Arc::new(pool)) };
    let pools = [(("cdn".to_owned(), "web".to_owned()), custom)].into();
    let asked = AskedFor { pools, ..AskedFor::default() };
    let past = Past { judged: &[], kept: |_: &Owner, _: &str| None };
    prepare(validate(&asked, &past), &settings())
}

struct Stage {
    writer: Writer,
    world: Arc<World>,
    log: Log,
}

fn stage(answer: impl Fn(&Asked) -> (u16, Value) + Send + 'static) -> Stage {
    let (client, log) = server(answer);
    let world = Arc::new(World::default());
    let counts = Counts::new(&runtime::metrics::Metrics::default()).unwrap();
    Stage { writer: Writer::new(client, Arc::clone(&world), counts), world, log }
}

impl Stage {
    async fn apply(&mut self, prepared: &Resources<Prepared>, seconds: u64) -> Applied {
        self.apply_where(prepared, seconds, true).await
    }

    /// Where GeoDNS was `told`, or not.
    async fn apply_where(
        &mut self,
        prepared: &Resources<Prepared>,
        seconds: u64,
        told: bool,
    ) -> Applied {
        let pods = self.world.look(|seen| seen.pods_by_owner());
        let now = Duration::from_secs(seconds);
        let mut applied = self.writer.apply(prepared, &[], &pods).await.state;
        let retire =
            self.writer.retire(&prepared.state, &[], &mut applied, |_| NOTICE, (told, now));
        retire.await;
        applied
    }

    /// Has the watch see what was applied.
    fn see(&self, asked: &[Asked]) {
        for asked in asked.iter().filter(|asked| asked.method == "PATCH") {
            let (_, body) = agree(asked);
            let kind = Kind::ALL.into_iter().find(|kind| body["kind"] == kind.as_str());
            let object: DynamicObject = serde_json::from_value(body).unwrap();
            self.world.put(Watched::Objects(kind.unwrap()), object);
        }
    }

    fn pod(&self, name: &str) {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "namespace": "cdn", "name": name,
                "labels": {
                    crate::names::COMPONENT: "edge", crate::names::INSTANCE: "web", POP: "fra",
                },
            },
        });
        self.world.put(Watched::Pods, serde_json::from_value(pod).unwrap());
    }
}

fn live(version: u64, applied: Option<&str>, body: &Value) -> Live {
    let mut body = body.clone();
    body["metadata"]["resourceVersion"] = json!(version.to_string());
    body["metadata"]["annotations"][crate::names::APPLIED] = json!(applied);
    Live::of(serde_json::from_value(body).unwrap())
}

#[test]
fn what_is_so_is_not_written() {
    let owner = Owner { namespace: "cdn".into(), tier: TierName::Edge, name: "web".into() };
    let of = OwnerReference { owner: &owner, uid: "u" };
    let rest = json!({ "spec": { "ports": [{ "port": 80 }] } });
    let object = Object::owned(Kind::Service, "edge-web".into(), &of, rest);
    let hash = object.hash.as_str();
    let noted = |version| Some((hash.to_owned(), version));
    let same = live(5, Some(hash), &object.body());
    assert_eq!(decide(&object, None, None), Action::Write, "it is not there");
    assert_eq!(decide(&object, None, noted(5).as_ref()), Action::Nothing, "it was just made");
    assert_eq!(decide(&object, Some(&same), None), Action::Note, "another process made it");
    assert_eq!(decide(&object, Some(&same), noted(5).as_ref()), Action::Nothing);
    let behind = live(4, Some("old"), &object.body());
    assert_eq!(decide(&object, Some(&behind), noted(5).as_ref()), Action::Nothing, "not seen yet");
    let old = ("old".to_owned(), 5);
    assert_eq!(decide(&object, Some(&same), Some(&old)), Action::Note);
    assert_eq!(decide(&object, Some(&behind), None), Action::Write, "something is to go");
    let mut other = object.body();
    other["spec"]["ports"][0]["port"] = json!(81);
    let drifted = live(6, Some(hash), &other);
    assert_eq!(decide(&object, Some(&drifted), noted(5).as_ref()), Action::Write);
}

#[tokio::test]
async fn everything_is_applied_once_what_pods_need_first() {
    let mut stage = stage(agree);
    let prepared = prepared(&["fra"]);
    let applied = stage.apply(&prepared, 0).await;
    assert_eq!((applied.errors.len(), applied.writes), (0, 7));
    let asked = stage.log.take();
    for asked in &asked {
        assert_eq!(asked.method, "PATCH");
        assert!(asked.query.contains("force=true"), "{}", asked.query);
        assert!(asked.query.contains("fieldManager=blue-origin"), "{}", asked.query);
    }
    let at = |name: &str| asked.iter().position(|asked| asked.path.contains(name)).unwrap();
    let deployment = at("/apis/apps/v1/namespaces/cdn/deployments/edge-web-fra");
    assert!(at("/api/v1/namespaces/cdn/configmaps/edge-web-config") < deployment);
    assert!(at("/api/v1/namespaces/cdn/serviceaccounts/edge-web") < deployment);
    stage.apply(&prepared, 1).await;
    assert_eq!(stage.log.lines(), Vec::<String>::new(), "not seen yet, but written");
    stage.see(&asked);
    stage.apply(&prepared, 2).await;
    assert_eq!(stage.log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn what_goes_comes_back() {
    let mut stage = stage(agree);
    let prepared = prepared(&["fra"]);
    stage.apply(&prepared, 0).await;
    stage.see(&stage.log.take());
    let config = ("cdn".to_owned(), "edge-web-config".to_owned());
    stage.world.remove(Watched::Objects(Kind::ConfigMap), &config);
    stage.apply(&prepared, 1).await;
    assert_eq!(stage.log.lines(), ["PATCH /api/v1/namespaces/cdn/configmaps/edge-web-config"]);
}

#[tokio::test]
async fn a_place_that_left_serves_on_for_a_while() {
    let mut stage = stage(agree);
    stage.apply(&prepared(&["fra", "iad"]), 0).await;
    stage.see(&stage.log.take());
    let fewer = prepared(&["fra"]);
    let applied = stage.apply(&fewer, 100).await;
    assert_eq!(applied.retiring, Some(NOTICE));
    assert!(stage.log.lines().iter().all(|line| !line.starts_with("DELETE")));
    let applied = stage.apply(&fewer, 159).await;
    assert_eq!(applied.retiring, Some(Duration::from_secs(1)));
    assert_eq!(stage.log.lines(), Vec::<String>::new());
    let applied = stage.apply(&fewer, 160).await;
    assert_eq!(applied.retiring, None);
    let mut lines = stage.log.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "DELETE /api/v1/namespaces/cdn/services/edge-web-iad",
            "DELETE /apis/apps/v1/namespaces/cdn/deployments/edge-web-iad",
            "DELETE /apis/policy/v1/namespaces/cdn/poddisruptionbudgets/edge-web-iad",
        ]
    );
}

#[tokio::test]
async fn a_place_serves_on_until_geodns_has_heard_of_it() {
    let mut stage = stage(agree);
    stage.apply(&prepared(&["fra", "iad"]), 0).await;
    stage.see(&stage.log.take());
    let fewer = prepared(&["fra"]);
    for second in [100, 159, 1_000] {
        let applied = stage.apply_where(&fewer, second, false).await;
        assert_eq!(applied.retiring, Some(NOTICE), "that counts from the word");
    }
    assert_eq!(stage.apply(&fewer, 1_059).await.retiring, Some(Duration::from_secs(1)));
    assert!(stage.log.lines().iter().all(|line| !line.starts_with("DELETE")));
    assert_eq!(stage.apply(&fewer, 1_060).await.retiring, None);
    assert_eq!(stage.log.lines().len(), 3);
}

#[tokio::test]
async fn objects_of_a_pool_that_is_not_known_in_full_stay() {
    let mut stage = stage(agree);
    stage.apply(&prepared(&["fra"]), 0).await;
    stage.see(&stage.log.take());
    let mut refused = prepared(&["fra"]);
    refused.state = Prepared::default();
    let applied = stage.apply(&refused, 1_000).await;
    assert_eq!(applied.retiring, None);
    assert_eq!(stage.log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_in_the_way_is_replaced() {
    let mut stage = stage(|asked| {
        let force = asked.query.contains("force");
        if asked.path.ends_with("/services/edge-web-fra") && force {
            return refusal(422, "spec.ports[1].name: Duplicate value");
        }
        agree(asked)
    });
    let applied = stage.apply(&prepared(&["fra"]), 0).await;
    assert!(applied.errors.is_empty());
    let services = |line: &&String| line.ends_with("/services/edge-web-fra");
    assert_eq!(stage.log.lines().iter().filter(services).count(), 2);
}

#[tokio::test]
async fn what_is_refused_is_told_and_the_rest_goes_on() {
    let mut stage = stage(|asked| match asked.path.contains("networkpolicies") {
        true => refusal(403, "networkpolicies is forbidden"),
        false => agree(asked),
    });
    let applied = stage.apply(&prepared(&["fra"]), 0).await;
    assert_eq!(applied.writes, 6);
    let [error] = &applied.errors[..] else { panic!("{:?}", applied.errors) };
    let told = error.to_string();
    assert_eq!(told, "NetworkPolicy edge-web is refused: networkpolicies is forbidden");
    assert_eq!(applied.of[error.key()].name, "web");
    stage.log.take();
    stage.apply(&prepared(&["fra"]), 1).await;
    assert_eq!(stage.log.lines().len(), 1, "that alone is tried again");
}

#[tokio::test]
async fn pods_are_told_of_new_documents_once() {
    let mut stage = stage(agree);
    stage.pod("edge-web-fra-1");
    let prepared = prepared(&["fra"]);
    stage.apply(&prepared, 0).await;
    let asked = stage.log.take();
    let pods = |asked: &&Asked| asked.path == "/api/v1/namespaces/cdn/pods/edge-web-fra-1";
    let [nudge] = &asked.iter().filter(pods).collect::<Vec<_>>()[..] else { panic!("one") };
    let annotations = &nudge.body["metadata"]["annotations"];
    let version = annotations[NUDGE].as_str().unwrap();
    let config = prepared.state.objects.iter().find(|o| o.key.name == "edge-web-config").unwrap();
    assert!(version.starts_with(&config.hash), "{version}");
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "namespace": "cdn", "name": "edge-web-fra-1",
            "labels": { crate::names::COMPONENT: "edge", crate::names::INSTANCE: "web", POP: "fra" },
        },
    });
    pod["metadata"]["annotations"] = annotations.clone();
    stage.world.put(Watched::Pods, serde_json::from_value(pod).unwrap());
    stage.apply(&prepared, 1).await;
    assert_eq!(stage.log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn pods_are_not_told_of_what_could_not_be_written() {
    let mut stage = stage(|asked| match asked.path.contains("configmaps") {
        true => refusal(500, "etcd is away"),
        false => agree(asked),
    });
    stage.pod("edge-web-fra-1");
    let applied = stage.apply(&prepared(&["fra"]), 0).await;
    assert_eq!(applied.errors.len(), 1);
    assert!(stage.log.lines().iter().all(|line| !line.contains("/pods/")));
}

#[tokio::test]
async fn another_leader_writes_nothing() {
    let mut first = stage(agree);
    let prepared = prepared(&["fra", "iad"]);
    first.apply(&prepared, 0).await;
    let asked = first.log.take();
    let mut second = stage(agree);
    second.see(&asked);
    second.apply(&prepared, 0).await;
    assert_eq!(second.log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_namespace_that_ends_is_no_trouble() {
    let mut stage = stage(|asked| {
        let (code, mut status) = refusal(403, "it is being terminated");
        status["details"] =
            json!({ "causes": [{ "reason": "NamespaceTerminating", "message": "", "field": "" }] });
        if asked.method == "PATCH" { (code, status) } else { agree(asked) }
    });
    let applied = stage.apply(&prepared(&["fra"]), 0).await;
    assert!(applied.errors.is_empty());
    stage.log.take();
    stage.apply(&prepared(&["fra"]), 1).await;
    assert_eq!(stage.log.lines().len(), 7, "should it stay after all");
}
