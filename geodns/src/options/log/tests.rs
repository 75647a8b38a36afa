use clap::{CommandFactory, Parser};

use crate::Options;

fn read(more: &[&str]) -> Result<Options, clap::Error> {
    Options::try_parse_from([&["geodns", "--zones", "zones.yaml"], more].concat())
}

#[test]
fn the_log_is_named_as_edges_name_it() {
    Options::command().debug_assert();
    let options = read(&["--log", "redis://x", "--name", "ns1", "--log-prefix", "p"]).unwrap();
    let log = options.log;
    assert_eq!((log.log.as_deref(), &*log.log_prefix), (Some("redis://x"), "p"));
    assert_eq!(log.name(), "ns1");
    let host = read(&["--redis", "redis://y"]).unwrap().log;
    assert_eq!(host.log.as_deref(), Some("redis://y"));
    assert!(!host.name().is_empty());
    assert!(read(&["--name", "a b"]).is_err());
    assert!(read(&["--log", "redis://x", "--log-file", "y"]).is_err());
}

#[tokio::test]
async fn a_log_that_cannot_be_named_is_an_error() {
    assert!(read(&[]).unwrap().log.open().unwrap().is_none());
    let wrong = read(&["--log", "http://x"]).unwrap().log.open().unwrap_err();
    assert!(wrong.is::<bus::redis::BadUrl>(), "{wrong:#}");
    let missing = read(&["--log-file", "/does/not/exist"]).unwrap().log.open().unwrap_err();
    assert!(missing.to_string().contains("/does/not/exist"), "{missing:#}");
    let away = read(&["--log", "redis://127.0.0.1:1"]).unwrap().log.open();
    assert!(away.unwrap().is_some());
}
