//! How things go: resources, releases, namespaces; and that nothing of them stays.

use std::collections::BTreeSet;

use e2e::kubectl::{helm, kubectl, kubectl_with, path, told, try_kubectl};
use serde_json::{Value, json};

use crate::cluster::{
    Cluster, ORIGIN_SPACE, RELEASE, SPACE, admin, apply, apply_example, ask, at, edges, here,
    json as get, until, wait_for,
};
use crate::installing::release;

/// Everything in the namespace of the release, and all that is in no namespace, as KIND/NAME.
pub(crate) fn inventory() -> BTreeSet<String> {
    until("a list of everything", try_inventory)
}

fn try_inventory() -> Result<BTreeSet<String>, String> {
    let mut all = BTreeSet::new();
    for within in [true, false] {
        let scope = format!("--namespaced={within}");
        let kinds = try_kubectl(&["api-resources", "--verbs=list", "--output=name", &scope], "")?;
        // What happened is told for an hour.
        let kinds = kinds.lines().filter(|kind| !kind.starts_with("events"));
        let kinds: Vec<_> = kinds.filter(|kind| *kind != "componentstatuses").collect();
        let place: &[&str] = if within { &["--namespace", SPACE] } else { &[] };
        let found = ["get", &kinds.join(","), "--output=name", "--ignore-not-found"];
        let found = try_kubectl(&[&found[..], place].concat(), "")?;
        all.extend(found.lines().filter(|line| !line.contains(' ')).map(str::to_owned));
    }
    Ok(all)
}

/// A pool with its shield, a purge and a ban, all called `going`.
fn resources() -> [(&'static str, Value); 4] {
    let resource = |kind: &str, spec: Value| {
        json!({
            "apiVersion": "cdn.blueorigin.dev/v1alpha1", "kind": kind,
            "metadata": { "name": "going" }, "spec": spec,
        })
    };
    let site = json!({ "hosts": ["going.example.com"], "shield": { "name": "going" } });
    let store = json!({ "memory": "32Mi" });
    let origin = json!([{ "url": format!("http://origin.{ORIGIN_SPACE}.svc") }]);
    [
        (
            "edgepool",
            resource(
                "EdgePool",
                json!({ "pops": [{ "name": "one" }], "cache": store, "sites": [site] }),
            ),
        ),
        (
            "originshield",
            resource("OriginShield", json!({ "replicas": 1, "cache": store, "origins": origin })),
        ),
        ("purgerequest", resource("PurgeRequest", json!({ "tags": ["going"] }))),
        (
            "banrule",
            resource(
                "BanRule",
                json!({ "host": "going.example.com", "path": { "prefix": "/old" } }),
            ),
        ),
    ]
}

fn make(namespace: &str) {
    let items: Vec<_> = resources().into_iter().map(|(_, resource)| resource).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    apply(namespace, &list.to_string());
    let wait = |condition: &str, what: &str| {
        let condition = format!("--for=condition={condition}");
        kubectl(&["wait", &condition, what, "--timeout=120s", "--namespace", namespace]);
    };
    wait("Ready", "edgepool/going");
    wait("Active", "banrule/going");
}

pub(crate) fn resources_go_in_any_order(_: &mut Cluster) {
    for order in [[0, 1, 2, 3], [1, 0, 3, 2], [3, 2, 0, 1], [2, 3, 1, 0]] {
        make(SPACE);
        for kind in order.map(|at| resources()[at].0) {
            here(&["delete", kind, "going", "--timeout=60s"]);
        }
        let made = "--selector=app.kubernetes.io/instance=going";
        until("what was made of them goes with them", || {
            let kinds = "deployments,pods,services,configmaps,serviceaccounts,networkpolicies,pdb";
            let left = here(&["get", kinds, made, "--output=name"]);
            if left.contains('/') { Err(left) } else { Ok(()) }
        });
    }
}

pub(crate) fn a_namespace_with_a_pool_ends(_: &mut Cluster) {
    const SHOP: &str = "blue-origin-shop";
    kubectl(&["create", "namespace", SHOP]);
    // What pods of another namespace need of the release, as its page says.
    for secret in ["log", "admin"] {
        let name = format!("{RELEASE}-{secret}");
        let data = get(&["get", "secret", &name])["data"].clone();
        let metadata = json!({ "name": name });
        let copy =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data });
        kubectl_with(&["create", "--namespace", SHOP, "-f", "-"], &copy.to_string());
    }
    make(SHOP);
    kubectl(&["delete", "namespace", SHOP, "--timeout=120s"]);
}

/// What is there and was not there before the release.
fn left(cluster: &Cluster) -> Result<BTreeSet<String>, String> {
    Ok(try_inventory()?.difference(&cluster.before).cloned().collect())
}

fn uninstall() {
    helm(&["uninstall", RELEASE, "--namespace", SPACE, "--wait", "--timeout=4m"]);
}

pub(crate) fn uninstalled_it_leaves_pools_that_serve_on(cluster: &mut Cluster) {
    let before = edges();
    apply_example("purge/ban.yaml");
    wait_for(&["banrule/plain-text"], "condition=Active");
    uninstall();
    // Nobody is there who could lift it.
    here(&["delete", "banrule/plain-text", "--timeout=20s"]);
    let stays = |object: &str| {
        let (kind, name) = object.split_once('/').unwrap();
        // Definitions and resources; what the API server keeps beside them.
        let ours = object.contains("cdn.blueorigin.dev") || kind.starts_with("ipaddress");
        let secret = [format!("secret/{RELEASE}-log"), format!("secret/{RELEASE}-admin")];
        let of_pools = ["edge-", "shield-", "client"].iter().any(|head| name.starts_with(head));
        ours || of_pools || secret.iter().any(|secret| secret == object)
    };
    until("the release is gone", || {
        let more: Vec<_> = left(cluster)?.into_iter().filter(|object| !stays(object)).collect();
        if more.is_empty() { Ok(()) } else { Err(format!("{more:?}")) }
    });
    assert_eq!(edges(), before, "they run on");
    for edge in &before {
        let answer = ask(&at(edge), "/hello").unwrap();
        assert_eq!(answer.status, "200", "{answer:?}");
    }
}

pub(crate) fn installed_again_it_takes_them_over(_: &mut Cluster) {
    let before = edges();
    release("install", &told("E2E_TAG"), &["--set=crds.keep=false"]);
    apply_example("purge/prefix.yaml");
    wait_for(&["purgerequest/all-tagged"], "jsonpath={.status.phase}=Complete");
    let nodes = get(&["get", "purgerequest/all-tagged"])["status"]["nodes"].clone();
    assert_eq!(nodes.as_array().map(Vec::len), Some(8), "{nodes}");
    assert_eq!(edges(), before, "the same pods");
    until("the ban is lifted whose BanRule went meanwhile", || {
        for edge in &before {
            let bans = admin(&edge.address, "/ban")?;
            if bans["bans"].as_array().is_none_or(|bans| !bans.is_empty()) {
                return Err(bans.to_string());
            }
        }
        Ok(())
    });
}

pub(crate) fn uninstalled_for_good_it_leaves_nothing(cluster: &mut Cluster) {
    apply_example("purge/ban.yaml");
    wait_for(&["banrule/plain-text"], "condition=Active");
    uninstall();
    // What the suite brought itself.
    here(&["delete", "deployment", "client", "--timeout=60s"]);
    kubectl(&["delete", "deploy/origin", "svc/origin", "--namespace", ORIGIN_SPACE]);
    cluster.has_origin = false;
    until("nothing is left", || {
        let left = left(cluster)?;
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
}

/// With everything in it: operators, pods, resources, a ban that nobody is left to lift.
pub(crate) fn the_namespace_of_a_release_ends_with_all_that_is_in_it(cluster: &mut Cluster) {
    let only_here = format!("--set=operator.namespaces={{{SPACE}}}");
    release("install", &told("E2E_TAG"), &[&only_here]);
    make(SPACE);
    kubectl(&["delete", "namespace", SPACE, "--timeout=120s"]);
    let is_ours = |object: &String| object.contains("cdn.blueorigin.dev");
    let left_there = until("what is in no namespace", || left(cluster));
    assert!(left_there.iter().all(is_ours), "definitions are nobody's to take: {left_there:?}");
    kubectl(&["delete", "-f", &path("crds/crd"), "--timeout=60s"]);
    until("nothing is left", || {
        let left = left(cluster)?;
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
}
