//! Where clients are sent, and what becomes of that when edges die.

use e2e::kubectl::{kubectl_with, try_kubectl};
use serde_json::json;

use crate::cluster::{
    Cluster, HOST, POPS, RELEASE, SPACE, admin, all_are_rolled_out, client, edges, here, json,
    pods, until,
};

/// Networks of the quickstart: of California and of Switzerland.
const CALIFORNIA: &str = "8.8.8.8";
const SWITZERLAND: &str = "194.158.0.1";

/// The name server of the release.
pub(crate) fn name_server() -> String {
    format!("{RELEASE}-geodns.{SPACE}.svc.cluster.local:53")
}

/// The addresses that a client is told, in order.
fn names_for(from: &str) -> Result<Vec<String>, String> {
    let said = client(&["dns", &name_server(), HOST, from])?;
    Ok(said.lines().map(str::to_owned).collect())
}

/// Where clients reach a place: here, the address of its Service within the cluster.
fn address(pop: &str) -> String {
    let service = json(&["get", &format!("service/edge-quickstart-{pop}")]);
    service["spec"]["clusterIP"].as_str().unwrap().to_owned()
}

/// There is no load balancer that would give the places addresses, so they are written into the pool.
pub(crate) fn dns_names_the_place_that_is_nearest(_: &mut Cluster) {
    let pops = POPS.map(|pop| json!({ "name": pop, "addresses": [address(pop)] }));
    let pool = json!({
        "apiVersion": "cdn.blueorigin.dev/v1alpha1", "kind": "EdgePool",
        "metadata": { "name": "quickstart" }, "spec": { "pops": pops },
    });
    let apply = ["apply", "--server-side", "--field-manager=places", "-n", SPACE, "-f", "-"];
    kubectl_with(&apply, &pool.to_string());
    let [fra, iad, _] = POPS.map(address);
    for (from, wanted) in [(SWITZERLAND, [&fra, &iad]), (CALIFORNIA, [&iad, &fra])] {
        until(&format!("the nearest for {from}"), || {
            let told = names_for(from)?;
            if told.iter().eq(wanted) { Ok(()) } else { Err(format!("{told:?}, not {wanted:?}")) }
        });
    }
}

/// The members of a ring, as a server sees it.
pub(crate) fn ring(server: &str, name: &str) -> Result<Vec<String>, String> {
    let page = format!("/debug/ring?key=http://{HOST}/hello");
    let seen = admin(server, &page)?;
    let rings = seen["rings"].as_array().cloned().unwrap_or_default();
    let ring = rings.iter().find(|ring| ring["name"] == *name).ok_or("no such ring")?;
    let members = ring["members"].as_array().into_iter().flatten();
    Ok(members.map(|member| member["name"].as_str().unwrap_or_default().to_owned()).collect())
}

pub(crate) fn ring_and_dns_follow_when_edges_are_killed(_: &mut Cluster) {
    let of = |pop: &str| pods(&format!("cdn.blueorigin.dev/pop={pop}"));
    let (fra, iad) = (of("fra"), of("iad"));
    let fra_ring = format!("pop/{SPACE}/quickstart/fra");
    let [killed, left] = &fra[..] else { panic!("{fra:?}") };
    assert_eq!(ring(&left.address, &fra_ring).unwrap().len(), 2);
    // Until this is over, nobody takes the place of the dead.
    here(&["create", "quota", "no-more", "--hard=pods=0"]);
    let kill = |pods: &[&str]| {
        here(&[&["delete", "pods", "--force", "--grace-period=0"], pods].concat());
    };
    kill(&[&killed.name]);
    until("the ring has but one", || {
        let members = ring(&left.address, &fra_ring)?;
        if members == [left.name.clone()] { Ok(()) } else { Err(format!("{members:?}")) }
    });
    let names: Vec<_> = iad.iter().map(|pod| pod.name.as_str()).collect();
    kill(&names);
    let (alive, dead) = (address("fra"), address("iad"));
    let mut in_a_row = 0;
    until("no name server names the dead place", || {
        let told = names_for(CALIFORNIA)?;
        assert!(!told.is_empty(), "there is an answer at any time");
        in_a_row = if told.contains(&dead) { 0 } else { in_a_row + 1 };
        // There are three of them, and each question goes to any.
        if in_a_row >= 12 && told.contains(&alive) { Ok(()) } else { Err(format!("{told:?}")) }
    });
    here(&["delete", "quota", "no-more"]);
    // Whoever was refused pods tries again later and later; a look at it makes it try now.
    until("the dead are replaced", || {
        let sets = "--selector=app.kubernetes.io/component=edge";
        try_kubectl(
            &["annotate", "replicasets", sets, "look=now", "-n", SPACE, "--overwrite"],
            "",
        )?;
        try_kubectl(&["annotate", "replicasets", sets, "look-", "-n", SPACE], "")?;
        if edges().len() == 6 { Ok(()) } else { Err(format!("{:?}", edges())) }
    });
    all_are_rolled_out();
    until("the ring has two again", || {
        let members = ring(&left.address, &fra_ring)?;
        if members.len() == 2 { Ok(()) } else { Err(format!("{members:?}")) }
    });
    until("the place is named again", || {
        let told = names_for(CALIFORNIA)?;
        if told.first() == Some(&dead) { Ok(()) } else { Err(format!("{told:?}")) }
    });
}
