use clap::{CommandFactory, Parser};

use super::*;

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    node: NodeOptions,
}

fn read(more: &[&str]) -> Result<NodeOptions, clap::Error> {
    let least = ["tier", "--config", "snapshot.json", "--listen", "[::1]:1", "--admin", "[::1]:2"];
    Options::try_parse_from([&least, more].concat()).map(|options| options.node)
}

#[test]
fn without_more_there_are_no_rings_and_no_log_of_others() {
    Options::command().debug_assert();
    let usual = read(&[]).unwrap();
    assert_eq!((usual.fleet, usual.log, usual.log_file), (None, None, None));
    assert_eq!((usual.log_prefix.as_str(), usual.drain_notice), ("blue-origin", 3));
    let fleet = read(&["--fleet", "fleet.yaml"]).unwrap().fleet;
    assert_eq!(fleet, Some(PathBuf::from("fleet.yaml")));
}

#[test]
fn a_name_is_one_that_fields_can_carry() {
    assert_eq!(read(&["--name", "fra-0.a_b"]).unwrap().node_name("edge"), "fra-0.a_b");
    let longest = "n".repeat(63);
    assert_eq!(read(&["--name", &longest]).unwrap().node_name("edge"), longest);
    for wrong in ["", "a b", "a/b", "ä", "a,b", &"n".repeat(64)] {
        assert!(read(&["--name", wrong]).is_err(), "{wrong:?}");
    }
}

#[test]
fn there_is_always_a_name_and_a_worker() {
    let usual = read(&[]).unwrap();
    assert!(!usual.node_name("edge").is_empty());
    assert!(usual.workers() >= 1);
    assert_eq!(read(&["--threads", "7"]).unwrap().workers(), 7);
    assert!(read(&["--threads", "0"]).is_err());
}

#[test]
fn a_log_is_named_in_one_way() {
    assert!(read(&["--log", "redis://a", "--log-file", "b"]).is_err());
    assert!(read(&["--log-file", "b"]).is_ok());
}
