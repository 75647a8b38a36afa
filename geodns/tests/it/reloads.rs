//! Files that change, and `/where`.

use crate::mmdb::{Value, database, flat};
use crate::stage::{Stage, ZONES};

#[test]
fn new_zones_are_taken_over_and_broken_ones_are_not() {
    let stage = Stage::new(ZONES);
    let file = stage.folder.path().join("zones.yaml");
    let moved = ZONES.replace("192.0.2.1]", "192.0.2.77]").replace("version: one", "version: two");
    std::fs::write(&file, moved).unwrap();
    stage.until(|stage| stage.ask("10.1.7.0/24") == ["192.0.2.77"]);
    let bad = ["no: zones".to_owned(), ZONES.replace("192.0.2.1]", "0.0.0.0]")];
    for (nth, broken) in bad.iter().enumerate() {
        std::fs::write(&file, broken).unwrap();
        let refused = r#"cdn_dns_reloads_total{file="zones",result="refused"}"#;
        stage.until(|stage| stage.counts(&format!("{refused} {}", nth + 1)));
        assert_eq!(stage.ask("10.1.7.0/24"), ["192.0.2.77"]);
    }
    assert!(stage.counts(r#"cdn_dns_reloads_total{file="zones",result="taken-over"} 1"#));
    assert_eq!(stage.page("/where?ip=10.1.7.1&name=cdn.example.com").1["version"], "two");
}

/// Writes the file as a whole, so that nobody sees a part of it.
fn replace(stage: &Stage, bytes: &[u8]) {
    let new = stage.folder.path().join("new");
    std::fs::write(&new, bytes).unwrap();
    std::fs::rename(new, stage.folder.path().join("places.mmdb")).unwrap();
}

fn one_network(latitude: f32, longitude: f32, country: &'static str) -> Vec<u8> {
    let record: Value = flat(country, "", latitude, longitude);
    database(&[("8.8.8.0/24", record)])
}

#[test]
fn a_database_comes_changes_and_breaks() {
    let stage = Stage::new(ZONES);
    let source = |stage: &Stage| stage.page("/where?ip=8.8.8.8&name=cdn.example.com").1;
    assert_eq!(source(&stage)["source"], "unknown");
    replace(&stage, &one_network(48.0, 2.0, "FR"));
    stage.until(|stage| {
        stage.ask("8.8.8.0/24") == ["192.0.2.1"] && source(stage)["country"] == "FR"
    });
    replace(&stage, &one_network(-41.3, 174.8, "NEWZ"));
    stage.until(|stage| stage.ask("8.8.8.0/24") == ["192.0.2.2"]);
    replace(&stage, &[7; 3_000]);
    stage.until(|stage| stage.counts(r#"cdn_dns_reloads_total{file="places",result="refused"} 1"#));
    assert_eq!(stage.ask("8.8.8.0/24"), ["192.0.2.2"], "the last good one goes on");
}

#[test]
fn where_says_what_would_be_chosen_and_why() {
    let stage = Stage::new(ZONES);
    let (status, shown) = stage.page("/where?ip=10.2.0.1&name=CDN.example.com.");
    assert_eq!(status, 200);
    assert_eq!(
        (&shown["pool"], &shown["source"], &shown["scope"], &shown["ttl"]),
        (&"web".into(), &"network-pops".into(), &16.into(), &30.into())
    );
    assert_eq!(shown["candidates"][0]["pop"], "syd");
    assert_eq!(shown["candidates"][0]["verdict"], "chosen");
    assert_eq!(shown["candidates"][1]["verdict"], "later");
    assert_eq!(shown["candidates"][1]["state"], "unknown");
    let far = shown["candidates"][1]["kilometres"].as_u64().unwrap();
    assert!((16_000..17_000).contains(&far), "{far}");
    assert_eq!(stage.page("/where?ip=10.2.0.1&name=example.org").0, 404);
    assert_eq!(stage.page("/where?ip=10.2.0.1&name=a..b").0, 400);
    assert_eq!(stage.page("/where?ip=somewhere&name=cdn.example.com").0, 400);
    let family = |number| format!("/where?ip=10.2.0.1&name=cdn.example.com&family={number}");
    assert_eq!(stage.page(&family(5)).0, 400);
    let other = stage.page(&family(6)).1;
    let told: Vec<_> = other["candidates"].as_array().unwrap().iter().collect();
    assert!(told.len() == 2 && told.iter().all(|pop| pop["verdict"] == "no-address"), "{other}");
}
