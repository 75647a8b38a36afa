use runtime::metrics::Metrics;
use runtime::{Clock, Drain};
use serde_json::json;
use wire::Fleet;

use crate::config::Config;
use crate::metrics::ProxyMetrics;

use super::*;

fn node() -> Arc<Node> {
    let snapshot = json!({
        "format": 1, "version": "one", "pool": "main", "tier": "shield",
        "sites": [{ "name": "a", "hosts": ["a.example"], "origins": [{ "url": "http://b.example" }] }],
    });
    let config = Config::new(serde_json::from_value(snapshot).unwrap(), &[]).unwrap();
    let metrics = ProxyMetrics::new(&Metrics::default()).unwrap();
    Node::new("shield-0", config, Clock::system(), metrics, Drain::new())
}

fn fleet(ring: &str, members: &[&str]) -> Fleet {
    let member = |name: &&str| json!({ "name": name, "url": format!("http://{name}.example") });
    let members: Vec<_> = members.iter().map(member).collect();
    let fleet = json!({ "format": 1, "version": "one", "rings": { ring: { "members": members } } });
    serde_json::from_value(fleet).unwrap()
}

#[test]
fn rings_are_shown_as_they_are_now() {
    let node = node();
    let text = || node.metrics.registry().text();
    assert!(!text().contains("cdn_ring_members{"));
    node.set_fleet(fleet("shield/main", &["shield-0", "shield-1"])).unwrap();
    assert!(text().contains("cdn_ring_members{ring=\"shield/main\"} 2\n"));
    assert!(text().contains("cdn_ring_usable_members{ring=\"shield/main\"} 2\n"));
    let share = text();
    let share = share
        .lines()
        .find_map(|l| l.strip_prefix("cdn_ring_own_share_ratio{ring=\"shield/main\"} "));
    let share: f64 = share.unwrap().parse().unwrap();
    assert!((0.4..0.6).contains(&share), "{share}");
    // Somebody else's: nothing of it is this node's, and the other ring is gone.
    node.set_fleet(fleet("shield/other", &["shield-2"])).unwrap();
    assert!(text().contains("cdn_ring_members{ring=\"shield/other\"} 1\n"));
    assert!(!text().contains("cdn_ring_own_share_ratio{"));
    assert!(!text().contains("shield/main"));
}
