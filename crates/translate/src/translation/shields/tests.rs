use crds::{EdgePool, OriginShieldSpec};

use super::*;
use crate::translation::{Translation, translate, translate_after};
use crate::{Former, Resources};

/// Two pools through the shield `main`, and what `a` is in the end is up to `change`.
fn two_behind_a_shield(change: impl FnOnce(&mut EdgePool)) -> Resources {
    let shield = |name: &str| {
        let spec = serde_json::json!({"origins": [{"url": "http://behind"}]});
        let spec: OriginShieldSpec = serde_json::from_value(spec).unwrap();
        let mut shield = OriginShield::new(name, spec);
        shield.metadata.namespace = Some("cdn".to_owned());
        shield.into()
    };
    let through = |name: &str, host: &str| -> Located<EdgePool> {
        let site = serde_json::json!({"hosts": [host], "shield": {"name": "main"}});
        let spec = serde_json::json!({"pops": [{"name": "one"}], "sites": [site]});
        let mut pool = EdgePool::new(name, serde_json::from_value(spec).unwrap());
        pool.metadata.namespace = Some("cdn".to_owned());
        pool.into()
    };
    let mut a = through("a", "a.example.com");
    change(&mut a.value);
    Resources {
        pools: vec![a, through("b", "b.example.com")],
        shields: vec![shield("main"), shield("other")],
        ..Resources::default()
    }
}

fn behind<'a>(translation: &'a Translation, shield: &str) -> (bool, Vec<&'a str>) {
    let shield = translation.shields.iter().find(|s| s.name == format!("cdn/{shield}")).unwrap();
    let hosts = shield.snapshot.sites.iter().flat_map(|site| &site.hosts);
    (shield.complete, hosts.map(String::as_str).collect())
}

/// Refused for what is wrong with it, it asks for another host and another shield now.
fn broken(pool: &mut EdgePool) {
    let site = &mut pool.spec.sites[0];
    site.shield = Some(crds::ShieldRef { name: "other".to_owned() });
    site.hosts = vec!["new.example.com".to_owned()];
    pool.spec.cache.max_variants = -1;
}

#[test]
fn a_shield_keeps_the_sites_that_a_refused_pool_serves_on_with() {
    let good = translate(&two_behind_a_shield(|_| {}));
    assert_eq!(behind(&good, "main"), (true, vec!["a.example.com", "b.example.com"]));
    let bad = two_behind_a_shield(broken);
    let served = good.pools[0].snapshot.clone();
    let former = |name: &str| {
        assert_eq!(name, "cdn/a", "nobody else is refused");
        Former::Snapshot(Box::new(served.clone()))
    };
    let after = translate_after(&bad, former);
    assert_eq!(after.pools.len(), 1);
    assert_eq!(after.shields, good.shields, "its sites are still asked for, and nothing else is");
    // Where nobody knows what it serves on with, it may come through any shield of its namespace.
    let unknown = translate(&bad);
    assert_eq!(behind(&unknown, "main"), (false, vec!["b.example.com"]));
    assert_eq!(behind(&unknown, "other"), (false, vec![]));
    // What was never accepted is in nobody's way.
    let never = translate_after(&bad, |_| Former::Nothing);
    assert_eq!(behind(&never, "main"), (true, vec!["b.example.com"]));
    assert_eq!(behind(&never, "other"), (true, vec![]));
}

#[test]
fn a_pool_that_cannot_even_be_read_serves_on_too() {
    let mut resources = two_behind_a_shield(|_| {});
    let good = translate(&resources);
    let served = good.pools[0].snapshot.clone();
    resources.pools.remove(0);
    resources.refused.push(("cdn".to_owned(), "a".to_owned()));
    let after = translate_after(&resources, |_| Former::Snapshot(Box::new(served.clone())));
    assert_eq!(after.shields, good.shields);
}

#[test]
fn the_hosts_that_a_refused_pool_serves_on_with_are_not_free() {
    let good = translate(&two_behind_a_shield(|_| {}));
    let mut bad = two_behind_a_shield(broken);
    bad.pools[1].value.spec.sites[0].hosts.push("a.example.com".to_owned());
    let served = good.pools[0].snapshot.clone();
    let former = |name: &str| match name {
        "cdn/a" => Former::Snapshot(Box::new(served.clone())),
        _ => Former::Nothing,
    };
    let after = translate_after(&bad, former);
    let told = after.diagnostics.last().unwrap().to_string();
    assert_eq!(
        told,
        "EdgePool/cdn/b: spec.sites[0].hosts[1]: `a.example.com` already belongs to EdgePool/cdn/a, \
         which is refused and serves on as it was; remove it from one of the two"
    );
    // Who asked before it was refused has it, also on the shield.
    bad.pools.reverse();
    let after = translate_after(&bad, former);
    assert_eq!(after.pools.len(), 1);
    assert_eq!(behind(&after, "main"), (true, vec!["b.example.com", "a.example.com"]));
}
