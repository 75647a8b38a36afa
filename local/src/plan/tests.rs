use super::*;
use crate::files::{File, translation};

fn pools(text: &str) -> Vec<TranslatedPool> {
    let translation = translation(&[File { name: "test.yaml".into(), text: text.into() }]);
    assert_eq!(translation.diagnostics, []);
    translation.pools
}

fn pool(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: cdn.blueorigin.dev/v1alpha1\nkind: EdgePool\nmetadata: {{name: {name}}}\n\
         spec:\n  pops:\n  - {{name: fra, replicas: {replicas}}}\n  - {{name: iad, replicas: 1}}\n  \
         sites:\n  - hosts: [{name}.example.com]\n    origins: [{{url: \"http://origin\"}}]\n---\n"
    )
}

#[test]
fn edges_are_numbered_from_the_base_port_in_the_order_of_the_files() {
    let plan = Plan::new(&pools(&pool("www", 2)), Ports::From(8400)).unwrap();
    let seen: Vec<_> = plan.edges.iter().map(|e| (e.name.as_str(), e.port)).collect();
    assert_eq!(seen, [("fra-0", 8401), ("fra-1", 8402), ("iad-0", 8403)]);
    assert_eq!(Ports::From(8400).demo_origin(), 8490);
}

#[test]
fn several_pools_have_their_names_in_front() {
    let both = pool("www", 1) + &pool("img", 1);
    let plan = Plan::new(&pools(&both), Ports::Free).unwrap();
    let seen: Vec<_> = plan.edges.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(seen, ["www-fra-0", "www-iad-0", "img-fra-0", "img-iad-0"]);
}

#[test]
fn none_and_too_many_are_refused() {
    assert_eq!(Plan::new(&[], Ports::Free), Err(PlanError::NoPool));
    assert_eq!(Plan::new(&pools(&pool("www", 52)), Ports::Free), Err(PlanError::TooManyEdges(53)));
}
