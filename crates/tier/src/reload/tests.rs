use std::fs;
use std::sync::Arc;

use proxy::metrics::ProxyMetrics;
use runtime::metrics::Metrics;
use runtime::{Clock, Drain};

use super::*;

const EDGES: &str = "format: 1\nversion: one\npool: web\n\
    sites: [{name: a, hosts: [a], origins: [{url: http://o}]}]\n";
const SHIELDS: &str = "format: 1\nversion: s\npool: cdn/main\ntier: shield\nsites: []\n";
const FLEET: &str = "format: 1\nversion: one\nrings:\n  pop/web/fra:\n    members:\n\
    \x20     - {name: e0, url: \"http://10.0.0.1:8080\"}\n";

struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.yaml");
    fs::write(&path, text).unwrap();
    File { _folder: folder, path }
}

fn node(config: Config) -> Arc<Node> {
    let metrics = ProxyMetrics::new(&Metrics::default()).unwrap();
    Node::new("n", config, Clock::system(), metrics, Drain::new())
}

fn config() -> Config {
    snapshot(&file(EDGES).path, Tier::Edge).unwrap().1
}

/// The value of a metric's line.
fn shown(node: &Node, line: &str) -> Option<u64> {
    let all = node.metrics.registry().text();
    all.lines().find_map(|l| l.strip_prefix(line)?.trim().parse().ok())
}

#[test]
fn a_snapshot_runs_on_its_own_tier_alone() {
    let (edges, shields) = (file(EDGES), file(SHIELDS));
    assert!(snapshot(&edges.path, Tier::Edge).is_ok());
    assert!(snapshot(&shields.path, Tier::Shield).is_ok());
    for (file, reader, told) in [
        (
            &shields,
            Tier::Edge,
            "this snapshot is for the tier `shield` (cdn/main); `edge` was expected",
        ),
        (&edges, Tier::Shield, "this snapshot is for the tier `edge` (web); `shield` was expected"),
    ] {
        let error = snapshot(&file.path, reader).err().unwrap().to_string();
        assert_eq!(error, format!("{}: {told}", file.path.display()));
    }
}

#[test]
fn a_new_snapshot_is_taken_over_and_one_of_another_tier_is_not() {
    let file = file(EDGES);
    let (mut watched, config) = snapshot(&file.path, Tier::Edge).unwrap();
    let node = node(config);
    assert!(watched.look().is_none());
    for (text, version) in [
        (EDGES.replace("one", "two"), "two"),
        (SHIELDS.to_owned(), "two"),
        ("sites: [".to_owned(), "two"),
        (EDGES.replace("one", "three"), "three"),
    ] {
        fs::write(&file.path, text).unwrap();
        offer_snapshot(&node, watched.look().expect("something new"));
        assert_eq!(node.config().snapshot().version, version);
        assert!(watched.look().is_none(), "it is told once");
    }
    assert_eq!(shown(&node, "cdn_config_reloads_total{result=\"taken-over\"}"), Some(2));
    assert_eq!(shown(&node, "cdn_config_reloads_total{result=\"refused\"}"), Some(2));
    assert_eq!(shown(&node, "cdn_fleet_reloads_total{result=\"refused\"}"), None);
}

#[test]
fn a_new_fleet_is_taken_over_and_a_broken_one_keeps_the_old() {
    let file = file(FLEET);
    let node = node(config());
    assert_eq!(node.fleet(), None);
    let (mut watched, first) = fleet(&file.path).unwrap();
    node.set_fleet(first).unwrap();
    assert_eq!(node.fleet().unwrap().rings["pop/web/fra"].members[0].name, "e0");
    for (text, version) in [
        (FLEET.replace("10.0.0.1:8080", "10.0.0.1"), "one"),
        ("rings: [".to_owned(), "one"),
        (FLEET.replace("version: one", "version: two"), "two"),
    ] {
        fs::write(&file.path, text).unwrap();
        offer_fleet(&node, watched.look().expect("something new"));
        assert_eq!(node.fleet().unwrap().version, version);
        assert_eq!(
            node.fleet().unwrap().rings["pop/web/fra"].members[0].url,
            "http://10.0.0.1:8080"
        );
    }
    assert_eq!(shown(&node, "cdn_fleet_reloads_total{result=\"taken-over\"}"), Some(1));
    assert_eq!(shown(&node, "cdn_fleet_reloads_total{result=\"refused\"}"), Some(2));
    assert_eq!(shown(&node, "cdn_config_reloads_total{result=\"refused\"}"), None);
}

#[test]
fn a_fleet_that_is_missing_or_wrong_is_named() {
    let missing = fleet(Path::new("/nowhere/fleet.yaml")).err().unwrap().to_string();
    assert!(missing.starts_with("/nowhere/fleet.yaml: cannot be read: "), "{missing}");
    let file = file(&FLEET.replace("10.0.0.1:8080", "10.0.0.1"));
    let wrong = fleet(&file.path).err().unwrap().to_string();
    assert!(wrong.starts_with(&format!("{}:6: Fleet/one: ", file.path.display())), "{wrong}");
    assert!(wrong.contains("must be http://host:port"), "{wrong}");
}

#[tokio::test(start_paused = true)]
async fn what_changed_between_the_first_look_and_the_watch_is_seen() {
    let file = file(FLEET);
    let (watched, _) = fleet(&file.path).unwrap();
    fs::write(&file.path, FLEET.replace("version: one", "version: two")).unwrap();
    let (drain, seen) = (Drain::new(), Arc::new(std::sync::Mutex::new(Vec::new())));
    let told = seen.clone();
    let offer = move |found: Result<Fleet, LoadError>| told.lock().unwrap().push(found.unwrap());
    let watching = tokio::spawn(watched.watch(drain.clone(), offer));
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    // Away for a moment, then a link to another file, as a ConfigMap is replaced.
    fs::remove_file(&file.path).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let beside = file.path.with_extension("next");
    fs::write(&beside, FLEET.replace("version: one", "version: three")).unwrap();
    std::os::unix::fs::symlink(&beside, &file.path).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    drain.advance(runtime::drain::Stage::Draining);
    watching.await.unwrap();
    let versions: Vec<_> = seen.lock().unwrap().iter().map(|f| f.version.clone()).collect();
    assert_eq!(versions, ["two", "three"]);
}
