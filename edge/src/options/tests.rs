use clap::CommandFactory;

use super::*;

#[test]
fn it_listens_for_clients_unless_told_otherwise() {
    Options::command().debug_assert();
    let read = |more: &[&str]| {
        let all = [&["edge", "--config", "snapshot.json"], more].concat();
        Options::try_parse_from(all).unwrap().node
    };
    let usual = read(&[]);
    assert_eq!(usual.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(usual.admin.to_string(), "127.0.0.1:9090");
    let told = read(&["--listen", "[::1]:1", "--admin", "[::1]:2"]);
    assert_eq!(told.listen.to_string(), "[::1]:1");
    assert_eq!(told.admin.to_string(), "[::1]:2");
    assert!(Options::try_parse_from(["edge"]).is_err());
}

#[test]
fn it_may_have_a_place_and_peers_only_with_one() {
    let read = |more: &[&str]| {
        let all = [&["edge", "--config", "snapshot.json"], more].concat();
        Options::try_parse_from(all)
    };
    let alone = read(&["--pop", "fra"]).unwrap().program();
    assert_eq!(alone.pop.as_deref(), Some("fra"));
    assert!(alone.peers.is_none());
    let peers = ["--pop", "fra", "--peer-listen", "127.0.0.1:1", "--fleet", "fleet.json"];
    let among = read(&peers).unwrap().program();
    assert_eq!(among.peers.map(|peers| peers.listen.port()), Some(1));
    for lacking in [&peers[..4], &peers[2..]] {
        assert!(read(lacking).is_err(), "{lacking:?}");
    }
}
