//! PoPs that somebody takes out.

use crate::stage::{Stage, ZONES};

fn fra(stage: &Stage) -> serde_json::Value {
    let shown = stage.page("/where?ip=10.1.7.1&name=cdn.example.com").1;
    let candidates = shown["candidates"].as_array().unwrap();
    candidates.iter().find(|candidate| candidate["pop"] == "fra").unwrap().clone()
}

#[test]
fn by_command_a_pop_leaves_is_quiet_and_comes_back() {
    let stage = Stage::new(&ZONES.replace("ttl: 30}", "ttl: 1, pendingTtl: 1, ramp: 1}"));
    stage.service.maintenance.keep_in(&stage.folder.path().join("state.json")).unwrap();
    assert_eq!(stage.ask("10.1.7.0/24"), ["192.0.2.1"]);
    let (status, said) = stage.page_with("POST", "/maintenance?pool=web&pop=fra&on=true");
    assert_eq!((status, &said["changed"]), (200, &true.into()), "{said}");
    stage.until(|stage| stage.ask("10.1.7.0/24") == ["192.0.2.2"]);
    stage.until(|stage| fra(stage)["share"] == 0.0);
    stage.until(|stage| stage.counts(r#"cdn_dns_maintenance{pool="web",pop="fra"} 2"#));
    let shown = fra(&stage);
    assert_eq!((&shown["state"], &shown["verdict"]), (&"maintenance".into(), &"out".into()));
    assert_eq!((&shown["quiet"], &shown["maintenance"][0]), (&true.into(), &"command".into()));
    let list = stage.page("/maintenance").1;
    let expected =
        serde_json::json!([{"pool": "web", "pop": "fra", "by": ["command"], "quiet": true}]);
    assert_eq!(list["maintenance"], expected);
    let written = std::fs::read_to_string(stage.folder.path().join("state.json")).unwrap();
    assert!(written.contains(r#""pop": "fra""#), "{written}");

    let (status, _) = stage.page_with("POST", "/maintenance?pool=web&pop=fra&on=false");
    assert_eq!(status, 200);
    stage.until(|stage| stage.ask("10.1.7.0/24") == ["192.0.2.1"]);
    stage.until(|stage| !stage.registry.text().contains("cdn_dns_maintenance{"));
}

#[test]
fn the_document_can_say_it_too() {
    let zones = ZONES.replace("{name: fra,", "{name: fra, maintenance: true,");
    let stage = Stage::new(&zones);
    stage.until(|stage| stage.ask("10.1.7.0/24") == ["192.0.2.2"]);
    assert_eq!(fra(&stage)["maintenance"], serde_json::json!(["document"]));
    // Still out once the command that repeats it is taken back.
    for on in ["true", "false"] {
        stage.page_with("POST", &format!("/maintenance?pool=web&pop=fra&on={on}"));
    }
    assert_eq!(
        stage.page("/maintenance").1["maintenance"][0]["by"],
        serde_json::json!(["document"])
    );
}

#[test]
fn commands_that_mean_nothing_are_refused() {
    let stage = Stage::new(ZONES);
    for (query, expected) in [
        ("", 400),
        ("?pool=web&pop=fra", 400),
        ("?pool=web&pop=fra&on=perhaps", 400),
        ("?pool=web&pop=fra&on=true&more=1", 400),
        ("?pool=web&pop=ber&on=true", 404),
        ("?pool=api&pop=fra&on=true", 404),
    ] {
        let (status, said) = stage.page_with("POST", &format!("/maintenance{query}"));
        assert_eq!(status, expected, "{query}: {said}");
        assert!(said["error"].as_str().is_some_and(|text| !text.is_empty()), "{query}: {said}");
    }
    assert_eq!(stage.page("/maintenance").1["maintenance"], serde_json::json!([]));
    let gone = stage.page_with("POST", "/maintenance?pool=api&pop=fra&on=false");
    assert_eq!((gone.0, &gone.1["changed"]), (200, &false.into()), "who is gone can be let in");
}
