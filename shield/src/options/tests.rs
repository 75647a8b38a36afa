use clap::CommandFactory;

use super::*;

#[test]
fn it_has_ports_of_its_own_beside_an_edge() {
    Options::command().debug_assert();
    let read = |more: &[&str]| {
        let all = [&["shield", "--config", "snapshot.json"], more].concat();
        Options::try_parse_from(all).unwrap().node
    };
    let usual = read(&[]);
    assert_eq!(usual.listen.to_string(), "0.0.0.0:8081");
    assert_eq!(usual.admin.to_string(), "127.0.0.1:9091");
    assert_eq!(read(&["--listen", "[::1]:1"]).listen.to_string(), "[::1]:1");
}

#[test]
fn help_warns_of_who_may_reach_it() {
    let help = Options::command().render_long_help().to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("Whoever reaches its port is believed"), "{help}");
    assert!(help.contains("Where tiers, and nobody else, can connect"), "{help}");
    assert!(help.contains("[default: 0.0.0.0:8081]"), "{help}");
}
