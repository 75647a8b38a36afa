use super::*;
use crate::files::{File, translation};
use crate::plan::{Plan, Ports, Wanted};

fn pools(pools: &[(&str, &[(&str, u32)])]) -> Vec<TranslatedPool> {
    let mut text = String::new();
    for (name, pops) in pools {
        let pops =
            pops.iter().map(|(pop, replicas)| format!("{{name: {pop}, replicas: {replicas}}}"));
        let pops = pops.collect::<Vec<_>>().join(", ");
        text += &format!(
            "---\napiVersion: cdn.blueorigin.dev/v1alpha1\nkind: EdgePool\nmetadata: {{name: {name}}}\nspec:\n  \
             pops: [{pops}]\n  sites: [{{hosts: [{name}.example.com], origins: [{{url: \"http://o\"}}]}}]\n"
        );
    }
    let translation = translation(&[File { name: "test.yaml".into(), text }]);
    assert_eq!(translation.diagnostics, []);
    translation.pools
}

fn assigned(pools: Vec<TranslatedPool>, numbers: &Numbers) -> Vec<String> {
    let mut plan = Plan::new(&Wanted::from(pools), Ports::Free, &BTreeMap::new()).unwrap();
    numbers.assign(&mut plan.edges, 8480);
    let own = plan.edges.iter().map(|edge| edge.own.map(|own| own.to_string()));
    own.map(Option::unwrap_or_default).collect()
}

#[test]
fn pops_are_counted_over_all_pools() {
    let both = pools(&[("a", &[("fra", 2), ("ams", 0), ("iad", 1)]), ("b", &[("fra", 1)])]);
    let numbers = Numbers::new(&both, &Numbers::default());
    let expected = ["127.1.0.1:8480", "127.1.0.2:8480", "127.3.0.1:8480", "127.4.0.1:8480"];
    assert_eq!(assigned(both, &numbers), expected);
}

#[test]
fn who_stays_keeps_its_number_and_nobody_gets_one_that_is_still_used() {
    let first = Numbers::new(&pools(&[("a", &[("fra", 1), ("iad", 1)])]), &Numbers::default());
    let changed = pools(&[("a", &[("gru", 1), ("iad", 1)])]);
    let second = Numbers::new(&changed, &first);
    assert_eq!(assigned(changed, &second), ["127.3.0.1:8480", "127.2.0.1:8480"]);
    let third = pools(&[("a", &[("sin", 1), ("gru", 1)])]);
    let numbers = Numbers::new(&third, &second);
    assert_eq!(assigned(third, &numbers), ["127.1.0.1:8480", "127.3.0.1:8480"]);
}

#[test]
fn addresses_never_meet_and_are_never_the_usual_one() {
    let mut seen = BTreeSet::new();
    for pop in 1..=600 {
        for edge in [1, 2, 52] {
            let own = SocketAddrV4::new(v4(pop, edge), 8480);
            let published = Published { own, found: own.into() };
            let v6 = published.v6();
            assert_eq!((v6.segments()[6], v6.segments()[7]), (pop, edge));
            assert!(v6.is_unique_local() && own.ip().is_loopback());
            assert_ne!(own.ip().octets()[..3], [127, 0, 0]);
            assert!(seen.insert(*own.ip()) && ![0, 255].contains(&own.ip().octets()[3]));
        }
    }
    assert_eq!(v4(255, 1), Ipv4Addr::new(127, 1, 1, 1));
}
