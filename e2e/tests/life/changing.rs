//! What goes on while something changes.

use e2e::kubectl::{helm, path, told};
use serde_json::{Value, json};

use crate::cluster::{
    Cluster, Pod, RELEASE, SPACE, all_are_rolled_out, apply_example, ask, ask_as, at, edges, here,
    json, pods, until, wait_for,
};
use crate::installing::{release, release_of};
use crate::load::Load;
use crate::steps::say;

/// Changes the pool as `kubectl edit` would.
fn patch(changes: &Value) {
    here(&["patch", "edgepool/quickstart", "--type=json", "--patch", &changes.to_string()]);
}

pub(crate) fn a_change_reaches_edges_that_run_on(_: &mut Cluster) {
    let before = edges();
    let stored = ask(&at(&before[0]), "/big?mib=1").unwrap();
    assert_eq!(stored.status, "200");
    let status = |edge: &Pod| ask_as(&at(edge), "/hello", "new.example.com", "").map(|a| a.status);
    assert!(before.iter().all(|edge| status(edge).unwrap() == "421"), "nobody knows that host");
    let site = json!({ "hosts": ["new.example.com"], "shield": { "name": "quickstart" } });
    patch(&json!([{ "op": "add", "path": "/spec/sites/-", "value": site }]));
    until("all edges serve the new host", || {
        let all: Result<Vec<_>, _> = before.iter().map(status).collect();
        let all = all?;
        if all.iter().all(|status| status == "200") { Ok(()) } else { Err(format!("{all:?}")) }
    });
    assert_eq!(edges(), before, "the same pods, none of them started again");
    let stored = ask(&at(&before[0]), "/big?mib=1").unwrap();
    assert_eq!(stored.word(), "HIT", "what they stored stays");
}

pub(crate) fn a_refused_change_says_why_and_the_former_serves_on(_: &mut Cluster) {
    let edges = edges();
    let name = "/spec/sites/1/shield/name";
    patch(&json!([{ "op": "replace", "path": name, "value": "nowhere" }]));
    wait_for(&["edgepool/quickstart"], "condition=Accepted=false");
    let said = here(&["describe", "edgepool/quickstart"]);
    for part in
        ["spec.sites[1].shield.name", "there is no OriginShield `nowhere`", "Warning  Invalid"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    for edge in &edges {
        let answer = ask_as(&at(edge), "/hello", "new.example.com", "").unwrap();
        assert_eq!(answer.status, "200", "{answer:?}");
    }
    patch(&json!([{ "op": "replace", "path": name, "value": "quickstart" }]));
    for condition in ["condition=Accepted", "condition=Ready"] {
        wait_for(&["edgepool/quickstart"], condition);
    }
    assert_eq!(self::edges(), edges);
}

pub(crate) fn traffic_goes_on_when_operators_are_killed(_: &mut Cluster) {
    let load = Load::begin("fra");
    let operators = "app.kubernetes.io/component=operator";
    let former = pods(operators);
    assert_eq!(former.len(), 2, "{former:?}");
    let selector = format!("--selector={operators}");
    here(&["delete", "pods", &selector, "--force", "--grace-period=0"]);
    apply_example("purge/tag.yaml");
    until("others are in their place", || {
        let now = pods(operators);
        let new = now.len() == 2 && now.iter().all(|pod| !former.contains(pod));
        if new { Ok(()) } else { Err(format!("{now:?}")) }
    });
    // They do what was ordered meanwhile.
    wait_for(&["purgerequest/shoes"], "jsonpath={.status.phase}=Complete");
    load.end();
}

/// Waits until all pods of the release and of the pool run the images called `tag`, and nothing is on its way.
fn all_run(tag: &str) {
    let deployments = || {
        let all = json(&["get", "deployments", "--selector=app.kubernetes.io/name=blue-origin"]);
        let image = |deployment: &Value| {
            let pod = &deployment["spec"]["template"]["spec"];
            pod["containers"][0]["image"].as_str().unwrap_or_default().to_owned()
        };
        all["items"].as_array().unwrap().iter().map(image).collect::<Vec<_>>()
    };
    until("everything is to be of the new images", || {
        let images = deployments();
        assert_eq!(images.len(), 6, "operator, GeoDNS, three places, a shield: {images:?}");
        let new = images.iter().all(|image| image.ends_with(&format!(":{tag}")));
        if new { Ok(()) } else { Err(format!("{images:?}")) }
    });
    all_are_rolled_out();
    for what in ["edgepool/quickstart", "originshield/quickstart"] {
        wait_for(&[what], "condition=Ready");
    }
    let ours = "app.kubernetes.io/name=blue-origin,app.kubernetes.io/component!=redis";
    until("the former pods are gone", || {
        let all = here(&["get", "pods", &format!("--selector={ours}"), "--output=name"]);
        let (all, ready) = (all.lines().count(), pods(ours));
        let new = ready.iter().all(|pod| pod.image.ends_with(&format!(":{tag}")));
        if all == ready.len() && new { Ok(()) } else { Err(format!("{all}, {ready:?}")) }
    });
}

/// Chart and programs of the commit before this one, or else, in capitals, those of this one under the same name.
fn former() -> (String, String) {
    match (std::env::var("E2E_FORMER_CHART"), std::env::var("E2E_FORMER_TAG")) {
        (Ok(chart), Ok(tag)) => (chart, tag),
        _ => {
            say(
                "  THERE IS NO FORMER COMMIT HERE, SO THIS UPGRADES FROM WHAT IS NEW TO WHAT IS NEW",
            );
            (path("charts/blue-origin"), told("E2E_TAG"))
        }
    }
}

pub(crate) fn going_back_to_the_former_commit_under_load_fails_no_request(_: &mut Cluster) {
    let (chart, tag) = former();
    let load = Load::begin("fra");
    release_of(&chart, "upgrade", &tag, &[]);
    all_run(&tag);
    load.end();
    apply_example("purge/ban.yaml");
    wait_for(&["banrule/plain-text"], "condition=Active");
}

/// Values are other ones, too.
pub(crate) fn an_upgrade_from_the_former_commit_under_load_fails_no_request(_: &mut Cluster) {
    let load = Load::begin("fra");
    let more = [
        "--set=geodns.nameServer.name=ns1.example.net",
        "--set=operator.extraArgs={--drain-notice=6}",
    ];
    release("upgrade", &told("E2E_TAG"), &more);
    all_run(&told("E2E_TAG"));
    load.end();
    let zones = here(&["get", &format!("configmap/{RELEASE}-zones"), "--output=yaml"]);
    assert!(zones.contains("ns1.example.net"), "{zones}");
    // What the former one gave.
    here(&["delete", "banrule/plain-text", "--timeout=60s"]);
}

/// To the values that it was installed with.
pub(crate) fn a_rollback_under_load_fails_no_request(_: &mut Cluster) {
    let load = Load::begin("fra");
    helm(&["rollback", RELEASE, "1", "--namespace", SPACE, "--wait", "--timeout=4m"]);
    all_run(&told("E2E_TAG"));
    load.end();
    let zones = here(&["get", &format!("configmap/{RELEASE}-zones"), "--output=yaml"]);
    assert!(!zones.contains("ns1.example.net"), "{zones}");
}
