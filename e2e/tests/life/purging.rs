//! Orders by kubectl, and an origin that is not there.

use e2e::kubectl::kubectl;

use crate::cluster::{
    Answer, Cluster, ORIGIN_SPACE, Pod, admin, apply_example, ask, at, edges, here, json, until,
    wait_for,
};

/// Asks an edge until it has the page.
fn warm(edge: &Pod, path: &str) {
    until(&format!("{path} stored by {}", edge.name), || {
        let answer = ask(&at(edge), path)?;
        // What is fresh for two seconds may be stale already when it comes from the shield.
        let is_stored = ["HIT", "STALE"].contains(&answer.word());
        if is_stored { Ok(()) } else { Err(format!("{answer:?}")) }
    });
}

/// What an edge says, whatever it is.
fn of(edge: &Pod, path: &str) -> Answer {
    ask(&at(edge), path).unwrap_or_else(|said| panic!("{}: {said}", edge.name))
}

pub(crate) fn a_purge_completes_and_the_next_request_misses(_: &mut Cluster) {
    let edges = edges();
    edges.iter().for_each(|edge| warm(edge, "/hello"));
    apply_example("purge/url.yaml");
    wait_for(&["purgerequest/greeting"], "jsonpath={.status.phase}=Complete");
    let status = json(&["get", "purgerequest/greeting"])["status"].clone();
    let nodes = status["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), edges.len() + 2, "every edge and both shields: {status}");
    assert!(nodes.iter().all(|node| node["state"] == "Done"), "{status}");
    let matched = status["matched"].as_u64().unwrap();
    assert!(matched > edges.len() as u64, "one of each edge, and the shield's: {status}");
    for edge in &edges {
        let answer = of(edge, "/hello");
        assert_eq!((&*answer.status, answer.word()), ("200", "MISS"), "{answer:?}");
    }
}

/// A ban is tested when somebody asks: it matches what it meets, and spares what nobody asked for in its time.
pub(crate) fn a_ban_matches_until_it_is_deleted(_: &mut Cluster) {
    let edges = edges();
    for edge in &edges {
        warm(edge, "/tagged/met");
        warm(edge, "/tagged/spared");
    }
    apply_example("purge/ban.yaml");
    wait_for(&["banrule/plain-text"], "condition=Active");
    for edge in &edges {
        let answer = of(edge, "/tagged/met");
        assert_eq!((&*answer.status, answer.word()), ("200", "MISS"), "{answer:?}");
        // What was stored since is not meant.
        let answer = of(edge, "/tagged/met");
        assert_eq!(answer.word(), "HIT", "{answer:?}");
    }
    let id = json(&["get", "banrule/plain-text"])["status"]["id"].clone();
    for edge in &edges {
        let bans = admin(&edge.address, "/ban").unwrap();
        let ban = bans["bans"].as_array().unwrap().iter().find(|ban| ban["id"] == id).unwrap();
        assert_eq!((&ban["matched"], &ban["state"]), (&1.into(), &"active".into()), "{ban}");
    }
    here(&["delete", "banrule/plain-text", "--timeout=60s"]);
    for edge in &edges {
        until("the ban is lifted", || {
            let bans = admin(&edge.address, "/ban")?;
            let bans = bans["bans"].as_array().ok_or_else(|| bans.to_string())?;
            if bans.iter().any(|ban| ban["id"] == id) { Err(format!("{bans:?}")) } else { Ok(()) }
        });
        // At the first question: a look must not change what is looked at.
        let answer = of(edge, "/tagged/spared");
        assert_eq!(answer.word(), "HIT", "{answer:?}");
    }
}

pub(crate) fn stale_is_served_while_the_origin_is_dead(_: &mut Cluster) {
    let edges = edges();
    edges.iter().for_each(|edge| warm(edge, "/stale"));
    let scale = |replicas: &str| {
        let to = format!("--replicas={replicas}");
        kubectl(&["scale", "deploy/origin", &to, "--namespace", ORIGIN_SPACE]);
    };
    scale("0");
    let gone = ["wait", "--for=delete", "pod", "--selector=app=origin", "--timeout=60s"];
    kubectl(&[&gone[..], &["--namespace", ORIGIN_SPACE]].concat());
    for edge in &edges {
        until("stale", || {
            let answer = ask(&at(edge), "/stale")?;
            assert_eq!(answer.status, "200", "{answer:?}");
            if answer.word() == "STALE" { Ok(()) } else { Err(format!("{answer:?}")) }
        });
    }
    let never_seen = of(&edges[0], "/never-seen");
    assert!(never_seen.status.starts_with('5'), "the origin is dead: {never_seen:?}");
    scale("1");
    until("fresh again", || {
        let answer = ask(&at(&edges[0]), "/big?mib=1")?;
        if answer.status == "200" {
            Ok(())
        } else {
            Err(format!("{answer:?}").chars().take(300).collect())
        }
    });
}
