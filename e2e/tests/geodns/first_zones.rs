//! A GeoDNS whose zones are written after it was started, as by an operator.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use e2e::client::{HOST, Request};
use e2e::dns;
use e2e::program::{Program, free_ports};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

async fn ready(admin: SocketAddr) -> (u16, String) {
    let request = Request::get("/readyz").field("host", "admin");
    let answer = e2e::client::ask(admin, request).await.unwrap();
    (answer.status, answer.text())
}

#[tokio::test]
async fn it_waits_for_its_first_zones_and_judges_the_places_before_it_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, free_ports(1)));
    let (zones, at) = (path("zones.json"), admin.to_string());
    let mut options = vec!["--zones", &zones, "--listen", "127.0.0.1:0", "--admin", &at];
    let (code, written) = Program::start("geodns", &options).unwrap().end().await.unwrap();
    assert_eq!(code, Some(2), "{written}");
    assert!(written.contains("cannot be read"), "{written}");

    let fleet = path("fleet.json");
    options.extend(["--wait", "--fleet", &fleet]);
    let mut program = Program::start("geodns", &options).unwrap();
    let server = dns::listening(&mut program).await.unwrap();
    let (status, text) = ready(admin).await;
    assert_eq!(status, 503);
    assert!(text.contains("not ready: zones: not yet"), "{text}");
    let (client, patience) = (Ipv4Addr::new(10, 0, 0, 1), Duration::from_secs(10));
    assert!(!dns::ask(server, HOST, client, patience).await.unwrap().is_fine);

    // Nobody answers there, which takes some probes to find out.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let document = json!({
        "format": 1, "version": "one",
        "zones": { HOST: {
            "nameServers": [{ "name": "ns1.example.net" }], "hosts": { HOST: "web" },
        }},
        "pools": { "web": {
            "pops": [{ "name": "p1", "v4": ["192.0.2.1"], "probeAt": { "192.0.2.1": dead } }],
            "probe": {},
        }},
    });
    std::fs::write(path("new"), document.to_string()).unwrap();
    std::fs::rename(path("new"), &zones).unwrap();
    let began = Instant::now();
    while ready(admin).await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", program.written());
        sleep(Duration::from_millis(20)).await;
    }
    let request = Request::get("/metrics").field("host", "admin");
    let metrics = e2e::client::ask(admin, request).await.unwrap().text();
    let dead = "cdn_dns_address_state{address=\"192.0.2.1\",pool=\"web\",pop=\"p1\"} 3";
    assert!(metrics.lines().any(|line| line == dead), "{metrics}");
    let answered = dns::ask(server, HOST, client, patience).await.unwrap();
    assert!(answered.is_fine && answered.addresses.len() == 1, "{answered:?}");
}
