use super::*;
use crate::files::{File, translation};

fn wanted(text: &str) -> Wanted {
    let translation = translation(&[File { name: "test.yaml".into(), text: text.into() }]);
    assert_eq!(translation.diagnostics, []);
    Wanted { pools: translation.pools, shields: translation.shields }
}

fn pool(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: cdn.blueorigin.dev/v1alpha1\nkind: EdgePool\nmetadata: {{name: {name}}}\n\
         spec:\n  pops:\n  - {{name: fra, replicas: {replicas}}}\n  - {{name: iad, replicas: 1}}\n  \
         sites:\n  - hosts: [{name}.example.com]\n    origins: [{{url: \"http://origin\"}}]\n---\n"
    )
}

fn shield(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: cdn.blueorigin.dev/v1alpha1\nkind: OriginShield\nmetadata: {{name: {name}}}\n\
         spec:\n  replicas: {replicas}\n  origins: [{{url: \"http://origin\"}}]\n---\n"
    )
}

fn planned(text: &str) -> Result<Plan, PlanError> {
    Plan::new(&wanted(text), Ports::From(8400), &Held::new())
}

/// The plan when all of another one runs.
fn after(before: &Plan, text: &str) -> Plan {
    let holding = |server: &ServerPlan| {
        let holding = Holding { name: server.name.clone(), port: server.port };
        (server.id.clone(), holding)
    };
    let held = before.edges.iter().chain(&before.shields).map(holding).collect();
    let plan = Plan::new(&wanted(text), Ports::From(8400), &held).unwrap();
    let names = plan.edges.iter().chain(&plan.shields).map(|server| &server.name);
    let all: Vec<_> = names.collect();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{all:?}");
    plan
}

fn edges_of(plan: &Plan) -> Vec<(&str, u16)> {
    plan.edges.iter().map(|e| (e.name.as_str(), e.port)).collect()
}

fn shields_of(plan: &Plan) -> Vec<(&str, u16)> {
    plan.shields.iter().map(|s| (s.name.as_str(), s.port)).collect()
}

#[test]
fn edges_are_numbered_from_the_base_port_in_the_order_of_the_files() {
    let plan = planned(&pool("www", 2)).unwrap();
    assert_eq!(edges_of(&plan), [("fra-0", 8401), ("fra-1", 8402), ("iad-0", 8403)]);
    assert_eq!(Ports::From(8400).demo_origin(), 8490);
    assert_eq!(plan.edges[2].id.ring, "pop/www/iad");
    assert_eq!(plan.shields, []);
}

#[test]
fn several_pools_have_their_names_in_front() {
    let both = pool("www", 1) + &pool("img", 1);
    let plan = planned(&both).unwrap();
    let seen: Vec<_> = plan.edges.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(seen, ["www-fra-0", "www-iad-0", "img-fra-0", "img-iad-0"]);
}

#[test]
fn none_and_too_many_are_refused() {
    assert_eq!(planned(""), Err(PlanError::NoPool));
    assert_eq!(planned(&shield("main", 1)), Err(PlanError::NoPool));
    assert_eq!(planned(&pool("www", 52)), Err(PlanError::TooManyEdges(53)));
    let text = pool("www", 1) + &shield("a", 20);
    assert_eq!(planned(&(text.clone() + &shield("b", 10))), Err(PlanError::TooManyShields(30)));
    let plan = planned(&(text + &shield("b", 9))).unwrap();
    assert_eq!(plan.shields.last().map(|s| s.port), Some(8488));
}

#[test]
fn shields_run_whether_a_pool_uses_them_or_not() {
    let plan = planned(&(pool("www", 1) + &shield("main", 2))).unwrap();
    assert_eq!(shields_of(&plan), [("shield-0", 8460), ("shield-1", 8461)]);
    let [first, _] = &plan.shields[..] else { panic!() };
    assert_eq!((first.id.ring.as_str(), &first.pop), ("shield/main", &None));
    assert_eq!((first.snapshot.tier, first.snapshot.sites.len()), (Tier::Shield, 0));
    let text = pool("www", 1) + &shield("a", 1) + &shield("b", 2);
    let plan = planned(&text).unwrap();
    let seen = [("a-shield-0", 8460), ("b-shield-0", 8461), ("b-shield-1", 8462)];
    assert_eq!(shields_of(&plan), seen);
}

#[test]
fn no_two_servers_have_one_name() {
    let text = pool("www", 1).replace("iad", "shield") + &shield("main", 1);
    let plan = planned(&text).unwrap();
    assert_eq!(plan.edges[1].name, "shield-0");
    assert_eq!(plan.shields[0].name, "main-shield-0");
}

#[test]
fn an_edge_that_runs_keeps_its_port() {
    let before = planned(&(pool("www", 2) + &shield("main", 1))).unwrap();
    let plan = after(&before, &(pool("www", 3) + &shield("main", 1)));
    let seen = [("fra-0", 8401), ("fra-1", 8402), ("fra-2", 8404), ("iad-0", 8403)];
    assert_eq!(edges_of(&plan), seen);
    assert_eq!(shields_of(&plan), [("shield-0", 8460)]);
}

#[test]
fn a_shield_that_runs_keeps_its_port() {
    let before = planned(&(pool("www", 1) + &shield("a", 1) + &shield("b", 1))).unwrap();
    let text = pool("www", 1) + &shield("a", 2) + &shield("b", 1);
    let seen = [("a-shield-0", 8460), ("a-shield-1", 8462), ("b-shield-0", 8461)];
    assert_eq!(shields_of(&after(&before, &text)), seen);
    // What a leaver gives up is taken last: it is free only later.
    let before = planned(&(pool("www", 1) + &shield("a", 1) + &shield("gone", 1))).unwrap();
    let plan = after(&before, &(pool("www", 1) + &shield("a", 28) + &shield("b", 1)));
    assert_eq!(shields_of(&plan)[1], ("a-shield-1", 8462));
    assert_eq!(shields_of(&plan)[28], ("b-shield-0", 8461));
}

#[test]
fn who_runs_stays_as_it_is_when_pools_and_shields_come_and_go() {
    let one = pool("www", 1) + &shield("main", 1);
    let alone = planned(&one).unwrap();
    let both = after(&alone, &(pool("img", 1) + &shield("far", 1) + &one));
    let seen = [("img-fra-0", 8403), ("img-iad-0", 8404), ("fra-0", 8401), ("iad-0", 8402)];
    assert_eq!(edges_of(&both), seen);
    assert_eq!(shields_of(&both), [("far-shield-0", 8461), ("shield-0", 8460)]);
    assert_eq!(after(&both, &one), alone);

    // The one that is left is called as when there were two, and its newcomers as where there is one.
    let rest = after(&both, &(pool("img", 2) + &shield("far", 2)));
    assert_eq!(edges_of(&rest), [("img-fra-0", 8403), ("fra-1", 8405), ("img-iad-0", 8404)]);
    assert_eq!(shields_of(&rest), [("far-shield-0", 8461), ("shield-1", 8462)]);
}

#[test]
fn a_newcomer_has_another_name_than_who_runs() {
    // Its plain name is an edge's.
    let named = pool("www", 1).replace("iad", "shield");
    let before = planned(&named).unwrap();
    let plan = after(&before, &(named + &shield("main", 1)));
    assert_eq!((&*plan.edges[1].name, &*plan.shields[0].name), ("shield-0", "main-shield-0"));
    // So is the longer one.
    let named = pool("www", 1).replace("iad", "shield").replace("fra", "main-shield");
    let before = planned(&named).unwrap();
    let plan = after(&before, &(named + &shield("main", 1)));
    assert_eq!(plan.shields[0].name, "main-shield-0-b");
}

#[test]
fn peers_are_where_the_pool_says_so() {
    let text = pool("www", 1) + &shield("main", 1);
    assert!(!planned(&text).unwrap().edges[0].has_peers());
    let plan = planned(&text.replace("  pops", "  peering: {mode: Peer}\n  pops")).unwrap();
    assert!(plan.edges.iter().all(ServerPlan::has_peers));
    assert!(!plan.shields[0].has_peers());
}
