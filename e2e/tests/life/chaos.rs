//! What clients notice when something breaks: each time it is told how many requests failed, and how soon all was well.

use std::process::Command;
use std::time::Duration;

use e2e::kubectl::{path, told};
use runtime::Clock;
use serde_json::{Value, json};

use crate::cluster::{
    Cluster, RELEASE, SPACE, all_are_rolled_out, apply, edges, here, json, pods, until, wait_for,
};
use crate::load::Load;
use crate::steps::say;

/// How long a machine's kubelet says nothing: less than what Kubernetes takes for the end of the machine.
const SILENCE: Duration = Duration::from_secs(30);

const OPERATORS: &str = "app.kubernetes.io/component=operator";

fn kill(names: &[String]) {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    here(
        &[&["delete", "pods", "--force", "--grace-period=0", "--wait=false"], &names[..]].concat(),
    );
}

fn names(selector: &str) -> Vec<String> {
    pods(selector).into_iter().map(|pod| pod.name).collect()
}

/// A purge completes, so operator, log, edges and shields are well.
fn purge(name: &str) {
    let purge = json!({
        "apiVersion": "cdn.blueorigin.dev/v1alpha1", "kind": "PurgeRequest",
        "metadata": { "name": name }, "spec": { "tags": [name] },
    });
    apply(SPACE, &purge.to_string());
    wait_for(&[&format!("purgerequest/{name}")], "jsonpath={.status.phase}=Complete");
}

fn recovered(clock: &Clock) {
    say(&format!("  all is well after {:.1} s", clock.monotonic().as_secs_f64()));
}

pub(crate) fn operators_are_killed_during_a_rollout(_: &mut Cluster) {
    let load = Load::begin("fra");
    let clock = Clock::system();
    let former = edges();
    let pods_of = json!([{ "op": "add", "path": "/spec/pods", "value": { "annotations": { "rollout": "two" } } }]);
    here(&["patch", "edgepool/quickstart", "--type=json", "--patch", &pods_of.to_string()]);
    until("the first pod is replaced", || {
        let now = edges();
        if now.iter().any(|pod| !former.contains(pod)) { Ok(()) } else { Err(format!("{now:?}")) }
    });
    kill(&names(OPERATORS));
    until("every pod is replaced", || {
        let now = edges();
        let new = now.len() == former.len() && now.iter().all(|pod| !former.contains(pod));
        if new { Ok(()) } else { Err(format!("{now:?}")) }
    });
    all_are_rolled_out();
    wait_for(&["edgepool/quickstart"], "condition=Ready");
    purge("after-a-rollout");
    recovered(&clock);
    load.end();
}

pub(crate) fn the_log_is_lost_and_made_anew(_: &mut Cluster) {
    let load = Load::begin("fra");
    let clock = Clock::system();
    let redis = format!("statefulset/{RELEASE}-redis");
    here(&["scale", &redis, "--replicas=0"]);
    until("the log is gone", || {
        let left = names("app.kubernetes.io/component=redis");
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
    let lost = json!({
        "apiVersion": "cdn.blueorigin.dev/v1alpha1", "kind": "PurgeRequest",
        "metadata": { "name": "while-there-is-no-log" }, "spec": { "tags": ["none"] },
    });
    apply(SPACE, &lost.to_string());
    wait_for(&["purgerequest/while-there-is-no-log"], "jsonpath={.status.phase}=Pending");
    here(&["scale", &redis, "--replicas=1"]);
    wait_for(&["purgerequest/while-there-is-no-log"], "jsonpath={.status.phase}=Complete");
    recovered(&clock);
    load.end();
}

pub(crate) fn an_edge_goes_as_it_should_and_another_at_once(_: &mut Cluster) {
    let of = || pods("cdn.blueorigin.dev/pop=fra");
    let two = |gone: &str| {
        until("there are two edges again", || {
            let now = of();
            let whole = now.len() == 2 && now.iter().all(|pod| pod.name != gone);
            if whole { Ok(()) } else { Err(format!("{now:?}")) }
        });
    };
    let (load, clock) = (Load::begin("fra"), Clock::system());
    let gone = of().remove(0).name;
    here(&["delete", "pod", &gone]);
    two(&gone);
    recovered(&clock);
    load.end();

    let (load, clock) = (Load::begin("fra"), Clock::system());
    let gone = of().remove(0).name;
    kill(std::slice::from_ref(&gone));
    two(&gone);
    recovered(&clock);
    let counts = load.stop();
    // Those that it had in hand, and those that were sent to its address until the machines knew better.
    assert!(counts.failed * 20 <= counts.pages, "more than one in twenty failed: {counts:?}");
}

/// Sends the machine's kubelet a signal, where it can be sent one.
fn signal(name: &str) -> Result<(), String> {
    let cluster = path("e2e/cluster");
    let done = Command::new("python3").args([&cluster, "signal", "kubelet", name]).output();
    let done = done.map_err(|error| format!("python3: {error}"))?;
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if done.status.success() { Ok(()) } else { Err(said) }
}

pub(crate) fn a_kubelet_is_silent_for_half_a_minute(_: &mut Cluster) {
    let (load, former) = (Load::begin("fra"), edges());
    if let Err(why) = signal("STOP") {
        // Where the cluster is ours we can.
        assert_eq!(told("E2E_CLUSTER"), "existing", "{why}");
        say(&format!("  NOT TRIED: {why}"));
        return load.end();
    }
    std::thread::sleep(SILENCE);
    let clock = Clock::system();
    signal("CONT").unwrap();
    until("the machine is ready", || {
        let nodes: Value = json(&["get", "nodes"]);
        let ready = |node: &Value| {
            let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
            conditions.into_iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
        };
        let all = nodes["items"].as_array().is_some_and(|nodes| nodes.iter().all(ready));
        if all { Ok(()) } else { Err(nodes.to_string()) }
    });
    purge("after-a-silence");
    recovered(&clock);
    load.end();
    assert_eq!(edges(), former, "nobody was taken for dead");
}
