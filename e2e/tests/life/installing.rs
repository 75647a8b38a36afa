//! From nothing to a page that was cached.

use e2e::kubectl::{helm, image, kubectl, kubectl_with, path, told};

use crate::cluster::{
    Cluster, ORIGIN_SPACE, POPS, RELEASE, SPACE, all_are_rolled_out, apply, apply_example, ask,
    client, edges, here, json, pods, service, until, wait_for,
};
use crate::going::inventory;
use crate::places::ring;
use crate::rights::audited;

/// What the release is told of this cluster, which has no volumes, and no balancers that come from a cloud.
pub(crate) fn values(tag: &str) -> Vec<String> {
    let set = |name: &str, value: &str| format!("--set={name}={value}");
    let mut values = vec![
        set("image.repository", &told("E2E_IMAGES")),
        set("image.tag", tag),
        set("redis.persistence.enabled", "false"),
        set("geodns.service.type", "ClusterIP"),
    ];
    // Others than those that we made can fetch the one that the chart names.
    if told("E2E_CLUSTER") != "existing" {
        values.push(set("redis.image", &image("redis-server")));
    }
    values
}

/// `helm install` or `upgrade`, with more values.
pub(crate) fn release(how: &str, tag: &str, more: &[&str]) -> String {
    release_of(&path("charts/blue-origin"), how, tag, more)
}

/// The same with another chart.
pub(crate) fn release_of(chart: &str, how: &str, tag: &str, more: &[&str]) -> String {
    let values = values(tag);
    let mut arguments = vec![how, RELEASE, chart, "--namespace", SPACE, "--wait", "--timeout=4m"];
    arguments.extend(values.iter().map(String::as_str));
    arguments.extend(more);
    helm(&arguments)
}

pub(crate) fn helm_installs_into_an_empty_cluster(cluster: &mut Cluster) {
    let labels = ["enforce", "warn", "audit"]
        .map(|mode| format!("pod-security.kubernetes.io/{mode}: restricted"))
        .join(", ");
    let namespace = format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {SPACE}, labels: {{{labels}}}}}}}"
    );
    kubectl_with(&["create", "-f", "-"], &namespace);
    here(&["wait", "--for=create", "serviceaccount/default", "--timeout=60s"]);
    (cluster.before, cluster.audited) = (inventory(), audited());
    let said = release("install", &told("E2E_TAG"), &[]);
    assert!(said.contains("STATUS: deployed") && !said.contains("Warning"), "{said}");
    let pods = pods(&format!("app.kubernetes.io/instance={RELEASE}"));
    assert_eq!(pods.len(), 6, "2 operators, 3 of GeoDNS, a Redis: {pods:?}");
    assert!(pods.iter().all(|pod| pod.restarts == 0), "{pods:?}");
}

pub(crate) fn helm_test_finds_everything_ready(_: &mut Cluster) {
    let said = helm(&["test", RELEASE, "--namespace", SPACE, "--timeout=3m"]);
    assert!(said.contains("Succeeded"), "{said}");
    let left = here(&["get", "pods", "--selector=app.kubernetes.io/component=test"]);
    assert!(left.contains("No resources found"), "{left}");
}

/// The origin is where the example says that it is, so nothing in it is changed.
pub(crate) fn the_quickstart_is_ready_as_it_is_written(cluster: &mut Cluster) {
    let stage = include_str!("stage.yaml").replace("IMAGE/stage", &image("stage"));
    let (origin, client_pod) = stage.split_once("# ---\n").unwrap();
    kubectl_with(&["create", "--namespace", ORIGIN_SPACE, "-f", "-"], origin);
    cluster.has_origin = true;
    apply(SPACE, client_pod);
    let said = apply_example("quickstart");
    assert!(!said.contains("Warning"), "{said}");
    for what in ["edgepool/quickstart", "originshield/quickstart"] {
        wait_for(&[what], "condition=Ready");
    }
    all_are_rolled_out();
    let wait =
        ["rollout", "status", "deploy/origin", "--timeout=120s", "--namespace", ORIGIN_SPACE];
    kubectl(&wait);
    assert_eq!(edges().len(), 6);
    let status = json(&["get", "edgepool/quickstart"])["status"].clone();
    assert_eq!((&status["replicas"], &status["readyReplicas"]), (&6.into(), &6.into()), "{status}");
}

pub(crate) fn a_hit_follows_a_miss_through_the_service(_: &mut Cluster) {
    let asked = || {
        let asked = format!("http://origin.{ORIGIN_SPACE}.svc.cluster.local/asked");
        let said = client(&["ask", &asked, "origin"])?;
        let (_, count) = said.rsplit_once("\n\n").ok_or(&said)?;
        count.parse::<u64>().map_err(|error| format!("{error}: {said}"))
    };
    until("the origin's own answer", asked);
    // Ready means that all take requests, from the first moment on.
    for pop in POPS {
        // A pod is ready some moments before all nodes send a Service's requests to it.
        let first = until("an answer", || ask(&service(pop), "/hello?first"));
        assert_eq!(
            (&*first.status, &*first.body),
            ("200", "Hello from the origin.\n"),
            "{first:?}"
        );
    }
    // Who has just come up hears of the others a moment later; until then two may ask two shields.
    let shields = pods("app.kubernetes.io/component=shield,app.kubernetes.io/instance=quickstart");
    for server in edges().iter().chain(&shields) {
        until("the ring has both shields", || {
            let members = ring(&server.address, &format!("shield/{SPACE}/quickstart"))?;
            if members.len() == 2 { Ok(()) } else { Err(format!("{members:?}")) }
        });
    }
    let before = asked().unwrap();
    for pop in POPS {
        let server = service(pop);
        // A pod is ready some moments before all nodes send a Service's requests to it.
        let first = until("an answer", || ask(&server, "/hello"));
        assert_eq!((&*first.status, first.word()), ("200", "MISS"), "{first:?}");
        assert_eq!(first.body, "Hello from the origin.\n");
        // Two edges stand behind it.
        until("a hit", || {
            let next = ask(&server, "/hello")?;
            assert_eq!(next.status, "200", "{next:?}");
            if next.word() == "HIT" { Ok(()) } else { Err(format!("{next:?}")) }
        });
    }
    assert_eq!(asked().unwrap() - before, 1, "the shield asked once for all edges");
}
