//! `/where`, with an object.

use std::sync::Arc;

use geodns::FleetFile;
use upstream::HashRing;
use upstream::ring::hash_key;

use crate::stage::{Stage, ZONES};

const FLEET: &str = "
format: 1
version: f1
rings:
  pop/web/fra:
    members:
      - {name: fra-0, url: \"http://10.0.0.1:80\"}
      - {name: fra-1, url: \"http://10.0.0.2:80\"}
      - {name: fra-2, url: \"http://10.0.0.3:80\"}
  shield/main:
    members:
      - {name: shield-0, url: \"http://10.0.0.9:80\"}
";

/// The owner in a PoP, as a ring of its own says.
fn owner(key: &str) -> String {
    let fleet: wire::Fleet = serde_saphyr::from_str(FLEET).unwrap();
    let ring = HashRing::new(&fleet.rings["pop/web/fra"].members);
    ring.members()[ring.owner(hash_key(key.as_bytes())).unwrap()].name.clone()
}

#[test]
fn the_owner_of_an_object_is_named_in_each_pop() {
    let zones = ZONES
        .replace("    networks:\n", "      - {name: far, v6: [\"2001:db8::1\"]}\n    networks:\n");
    let stage = Stage::new(&zones);
    let path = stage.folder.path().join("fleet.yaml");
    std::fs::write(&path, FLEET).unwrap();
    let (file, rings) = FleetFile::open(&path, false).unwrap();
    stage.service.rings.store(Some(Arc::new(rings)));
    stage.runtime.spawn(file.watch(Arc::clone(&stage.service)));

    let mut owners = std::collections::BTreeSet::new();
    for nth in 0..20 {
        let (status, shown) =
            stage.page(&format!("/where?ip=10.1.7.1&url=HTTP://CDN.example.com:80/a/../{nth}%3Fx"));
        assert_eq!(status, 200, "{shown}");
        let key = format!("http://cdn.example.com/{nth}?x");
        assert_eq!((shown["key"].as_str(), shown["fleet"].as_str()), (Some(&*key), Some("f1")));
        let told: Vec<_> = shown["candidates"].as_array().unwrap().iter().collect();
        let verdicts: Vec<_> = told
            .iter()
            .map(|pop| (pop["pop"].as_str().unwrap(), pop["verdict"].as_str().unwrap()))
            .collect();
        assert_eq!(verdicts, [("fra", "chosen"), ("syd", "later"), ("far", "no-address")]);
        assert_eq!(told[0]["owner"].as_str(), Some(&*owner(&key)));
        assert!(told[1].get("owner").is_none(), "nobody is known there");
        owners.insert(told[0]["owner"].to_string());
    }
    assert_eq!(owners.len(), 3);
    let by_path = stage.page("/where?ip=10.1.7.1&name=cdn.example.com&url=/7%253Fx").1;
    assert_eq!(by_path["key"], "http://cdn.example.com/7%3Fx");

    std::fs::write(&path, FLEET.replace("f1", "f2").replace("shield-0", " ")).unwrap();
    stage.until(|stage| stage.counts(r#"cdn_dns_reloads_total{file="fleet",result="refused"} 1"#));
    std::fs::write(&path, FLEET.replace("f1", "f3")).unwrap();
    stage.until(|stage| stage.page("/where?ip=10.1.7.1&name=cdn.example.com").1["fleet"] == "f3");
}

#[test]
fn questions_that_mean_nothing_are_refused() {
    let stage = Stage::new(ZONES);
    for (query, expected) in [
        ("ip=10.1.7.1", 400),
        ("ip=10.1.7.1&url=/x", 400),
        ("ip=10.1.7.1&url=ftp://cdn.example.com/", 400),
        ("ip=10.1.7.1&url=http://u@cdn.example.com/", 400),
        ("ip=10.1.7.1&url=a%20b", 400),
        ("ip=10.1.7.1&url=http://other.net/", 404),
        ("ip=10.1.7.1&name=cdn.example.com&family=5", 400),
    ] {
        assert_eq!(stage.page(&format!("/where?{query}")).0, expected, "{query}");
    }
    let shown = stage.page("/where?ip=10.1.7.1&name=cdn.example.com").1;
    assert_eq!(shown["location"], serde_json::json!({"latitude": 50.1, "longitude": 8.7}));
    assert!(shown.get("key").is_none() && shown.get("fleet").is_none());
}
