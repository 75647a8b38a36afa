//! `examples/multi-region`: DNS sends clients to the nearest places, and where it sends them the site answers.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use e2e::client::{Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, TOKEN};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use local::files::{self, File};
use local::{DnsSettings, Ports, World};
use runtime::Clock;
use runtime::token::Token;
use serde_json::{Value, json};

mod asking;

#[allow(dead_code, reason = "not all kinds of values are needed here")]
#[path = "../../../crates/dns/src/place/tests/mmdb.rs"]
mod mmdb;

use asking::{Asked, addresses, flood, query, scope, tcp, udp};

const HOST: &str = "cdn.example.com";
/// California, Switzerland, and the office: what they get first, and then.
const CLIENTS: [(&str, [&str; 2], u8); 3] = [
    ("8.8.8.0/24", ["iad", "fra"], 24),
    ("194.158.0.0/16", ["fra", "iad"], 16),
    ("203.0.113.7/32", ["gru", "fra"], 24),
];

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/multi-region/pool.yaml");
    files::read(&[path]).unwrap().remove(0).text
}

fn wanted(text: &str) -> local::Wanted {
    let translation = files::translation(&[File { name: "pool.yaml".into(), text: text.into() }]);
    assert_eq!(translation.diagnostics, []);
    translation.pools.into()
}

async fn start(text: &str, origin: &Origin) -> World {
    start_with(text, origin, DnsSettings::default()).await
}

async fn start_with(text: &str, origin: &Origin, dns: DnsSettings) -> World {
    let settings = local::Settings {
        ports: Ports::Free,
        origin: Some(origin.url()),
        token: Token::new(TOKEN),
        dns: Some(dns),
        clock: Clock::system(),
    };
    World::start(wanted(text), settings).await.unwrap()
}

fn dns(world: &World) -> SocketAddr {
    world.dns.as_ref().unwrap().address
}

/// The PoPs of some addresses, each once, in order.
fn pops(world: &World, addresses: &[IpAddr]) -> Vec<String> {
    let edges = world.edges.list();
    let mut pops = Vec::new();
    for address in addresses {
        let edge = edges.iter().find(|edge| {
            let published = edge.published.unwrap();
            *address == IpAddr::V4(*published.own.ip()) || *address == IpAddr::V6(published.v6())
        });
        let pop = edge.map_or_else(|| "nobody's".to_owned(), |edge| edge.pop.clone().unwrap());
        if pops.last() != Some(&pop) {
            pops.push(pop);
        }
    }
    pops
}

async fn pops_of(world: &World, subnet: &str) -> Vec<String> {
    let answer = udp(dns(world), &query(HOST, RecordType::A, Some(subnet))).await;
    assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
    let addresses = addresses(&answer);
    assert!(!addresses.is_empty(), "never empty");
    pops(world, &addresses)
}

/// Waits until all clients get what `so` wants; no answer may be empty meanwhile.
async fn until(world: &World, so: impl Fn(&[String]) -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let mut all = true;
            for (subnet, ..) in CLIENTS {
                all &= so(&pops_of(world, subnet).await);
            }
            if all {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    waited.await.expect("the answers do not change");
}

async fn page(world: &World, path: &str) -> Value {
    let request = Request::get(path).field("authorization", &format!("Bearer {TOKEN}"));
    let answer = ask(world.status, request).await.unwrap();
    answer.expect_status(200);
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn clients_get_the_nearest_places_over_udp_and_tcp() {
    let origin = Origin::start().await.unwrap();
    origin.always("/hello", Reply::fresh(60, "hello"));
    let world = start(&example(), &origin).await;
    for (subnet, expected, bits) in CLIENTS {
        let asked = query(HOST, RecordType::A, Some(subnet));
        for answer in [udp(dns(&world), &asked).await, tcp(dns(&world), &asked).await] {
            let found = addresses(&answer);
            assert_eq!(
                (pops(&world, &found), found.len()),
                (expected.map(str::to_owned).to_vec(), 4)
            );
            assert_eq!(scope(&answer), Some(bits), "{subnet}");
            assert!(answer.metadata.authoritative && !answer.metadata.truncation);
        }
        let answer = udp(dns(&world), &query(HOST, RecordType::AAAA, Some(subnet))).await;
        let found = addresses(&answer);
        assert_eq!(pops(&world, &found), expected, "the same in IPv6: {found:?}");
        assert!(found.iter().all(IpAddr::is_ipv6) && found.len() == 4);
    }
    let answer = udp(dns(&world), &query(HOST, RecordType::A, Some("2001:db8:2ff::/48"))).await;
    assert_eq!(pops(&world, &addresses(&answer))[0], "sin", "asked from Tokyo");
    // What is answered is where the site is.
    let answer = udp(dns(&world), &query(HOST, RecordType::A, Some("8.8.8.0/24"))).await;
    let port = world.dns.as_ref().unwrap().port;
    for address in addresses(&answer) {
        let answer = ask(SocketAddr::new(address, port), "/hello").await.unwrap();
        answer.expect_status(200).expect_body("hello");
        assert!(["iad", "fra"].iter().any(|pop| answer.field("via").contains(pop)));
        let by_address = Request::get("/hello").field("host", &format!("{address}:{port}"));
        ask(SocketAddr::new(address, port), by_address).await.unwrap().expect_status(200);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_router_sends_clients_on_over_http() {
    let origin = Origin::start().await.unwrap();
    origin.always("/hello", Reply::fresh(60, "hello"));
    let world = start(&example(), &origin).await;
    let router = world.dns.as_ref().unwrap().router;
    let from = |client: &str, host: &str, path: &str| {
        let request = Request::get(path).field("host", host).field("x-forwarded-for", client);
        ask(router, request)
    };
    for (client, first) in [("8.8.8.8", "iad"), ("194.158.0.1", "fra"), ("203.0.113.7", "gru")] {
        let answer = from(client, HOST, "/hello?a=%20b").await.unwrap();
        answer.expect_status(302);
        let to: http::Uri = answer.field("location").parse().unwrap();
        assert_eq!(to.path_and_query().unwrap().as_str(), "/hello?a=%20b");
        let at: SocketAddr = to.authority().unwrap().as_str().parse().unwrap();
        assert_eq!(pops(&world, &[at.ip()]), [first], "{client}");
        let there = Request::get("/hello?a=%20b").field("host", &at.to_string());
        ask(at, there).await.unwrap().expect_status(200).expect_body("hello");
    }
    let own_name = from("8.8.8.8", &router.to_string(), "/hello").await.unwrap();
    own_name.expect_status(302);
    let wished = from("8.8.8.8", HOST, "/hello?pop=sin").await.unwrap();
    let to: http::Uri = wished.field("location").parse().unwrap();
    let at: SocketAddr = to.authority().unwrap().as_str().parse().unwrap();
    assert_eq!(pops(&world, &[at.ip()]), ["sin"]);
    from("8.8.8.8", "example.net", "/").await.unwrap().expect_status(421);
    world.stop().await;
}

#[tokio::test]
async fn the_name_that_a_router_sends_to_leads_to_the_place_and_to_the_same_objects() {
    let origin = Origin::start().await.unwrap();
    origin.always("/hello", Reply::fresh(600, "hello"));
    let text = ["fra", "iad", "sin", "gru"].iter().fold(example(), |text, pop| {
        let url = format!("    - url: 'http://{pop}.{{host}}'\n      name: {pop} #");
        text.replace(&format!("    - name: {pop} #"), &url)
    });
    let world = start(&text, &origin).await;
    let dns_of = world.dns.as_ref().unwrap();
    let request = Request::get("/hello").field("host", HOST).field("x-forwarded-for", "8.8.8.8");
    let sent = ask(dns_of.router, request).await.unwrap();
    sent.expect_status(302).expect_field("location", &format!("http://iad.{HOST}/hello"));

    let name = format!("iad.{HOST}");
    let switzerland = query(&name, RecordType::A, Some("194.158.0.0/16"));
    let answer = udp(dns(&world), &switzerland).await;
    let found = addresses(&answer);
    assert_eq!((pops(&world, &found), scope(&answer)), (vec!["iad".to_owned()], Some(0)));
    let at = SocketAddr::new(found[0], dns_of.port);
    let by = |host: &str| ask(at, Request::get("/hello").field("host", host));
    by(&name).await.unwrap().expect(200, "MISS").expect_body("hello");
    // Stored soon after it was sent.
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while by(HOST).await.unwrap().field("x-cache") != "HIT" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.expect("the same object under both names");
    by(&name).await.unwrap().expect(200, "HIT").expect_body("hello");
    let other = Request::get("/hello").field("host", &format!("xyz.{HOST}"));
    ask(at, other).await.unwrap().expect_status(421);
    world.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_with_the_soa() {
    let origin = Origin::start().await.unwrap();
    let world = start(&example(), &origin).await;
    let asked = query("nobody.cdn.example.com", RecordType::A, None);
    for answer in [udp(dns(&world), &asked).await, tcp(dns(&world), &asked).await] {
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
        assert_eq!(answer.answers, []);
        let [soa] = &answer.authorities[..] else { panic!("{:?}", answer.authorities) };
        assert_eq!((soa.record_type(), soa.name.to_ascii()), (RecordType::SOA, format!("{HOST}.")));
    }
    let other = udp(dns(&world), &query("example.net", RecordType::A, None)).await;
    assert_eq!(other.metadata.response_code, ResponseCode::Refused);
    world.stop().await;
}

#[tokio::test]
async fn what_comes_too_often_over_udp_is_asked_for_again_by_tcp() {
    let origin = Origin::start().await.unwrap();
    let world = start(&example(), &origin).await;
    let asked = query("nobody.cdn.example.com", RecordType::A, None);
    let truncated = flood(dns(&world), &asked, |answer| answer.metadata.truncation).await;
    let truncated = truncated.expect("a limit to what does not exist");
    assert_eq!((truncated.answers.len(), truncated.authorities.len()), (0, 0));
    let answer = tcp(dns(&world), &asked).await;
    assert!(!answer.metadata.truncation && answer.authorities.len() == 1);
    world.stop().await;
}

#[tokio::test]
async fn no_more_edges_of_a_place_are_named_than_fit() {
    let origin = Origin::start().await.unwrap();
    let pops = ["a", "b"].map(|name| json!({ "name": name, "replicas": 9 }));
    let world = Setup::new(&origin).spec(json!({ "pops": pops })).dns().start().await.unwrap();
    let world = world.local.unwrap();
    let answer = udp(dns(&world), &query(HOST, RecordType::AAAA, None)).await;
    assert!(!answer.metadata.truncation);
    assert_eq!(addresses(&answer).len(), 8);
    world.stop().await;
}

#[tokio::test]
async fn a_place_without_edges_leaves_all_answers() {
    let origin = Origin::start().await.unwrap();
    let world = start(&example(), &origin).await;
    until(&world, |pops| pops.len() == 2).await;
    for edge in world.edges.list().iter().filter(|edge| edge.pop.as_deref() == Some("iad")) {
        edge.stop().await;
    }
    until(&world, |pops| !pops.iter().any(|pop| pop == "iad")).await;
    assert_eq!(pops_of(&world, "8.8.8.0/24").await[0], "fra", "the next nearest");
    let status = page(&world, "/status").await;
    let seen = status["dns"]["pops"].as_array().unwrap();
    let iad = seen.iter().find(|pop| pop["pop"] == "iad").unwrap();
    let states: Vec<_> = iad["addresses"].as_array().unwrap().iter().map(|a| &a["state"]).collect();
    assert_eq!(states, ["unhealthy", "unhealthy"], "{status:#}");
    let metrics = ask(world.status, "/metrics").await.unwrap().text();
    let state = r#"cdn_dns_address_state{address="127.2.0.1",pool="multi-region",pop="iad"} 3"#;
    assert!(metrics.contains(state), "{metrics}");
    world.stop().await;
}

#[tokio::test]
async fn a_database_of_places_tells_what_networks_do_not() {
    let origin = Origin::start().await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let at_penang = mmdb::flat("MY", "", 5.4, 100.3);
    let at_cancun = mmdb::flat("MX", "", 21.2, -86.8);
    let networks = [("198.51.100.0/24", at_penang), ("192.0.2.0/24", at_cancun)];
    std::fs::write(file.path(), mmdb::database(&networks)).unwrap();
    let dns = DnsSettings { places: vec![file.path().to_owned()] };
    let world = start_with(&example(), &origin, dns).await;
    let there = tokio::time::timeout(Duration::from_secs(30), async {
        while pops_of(&world, "198.51.100.0/24").await != ["sin", "fra"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    there.await.expect("the database is read");
    assert_eq!(pops_of(&world, "192.0.2.0/24").await, ["iad", "gru"], "by the rule for Mexico");
    assert_eq!(pops_of(&world, "8.8.8.0/24").await, ["iad", "fra"], "networks come before");
    world.stop().await;
}

#[tokio::test]
async fn answers_follow_the_files() {
    let origin = Origin::start().await.unwrap();
    let world = start(&example(), &origin).await;
    assert_eq!(pops_of(&world, "8.8.8.0/24").await, ["iad", "fra"]);
    let changed =
        example().replace("iad", "sjc").replace("39.04", "37.3").replace("-77.49", "-121.9");
    assert_ne!(changed, example());
    world.apply(wanted(&changed)).await.unwrap();
    until(&world, |pops| !pops.iter().any(|pop| pop == "nobody's" || pop == "iad")).await;
    let sjc = world.edges.list().into_iter().find(|edge| edge.pop.as_deref() == Some("sjc"));
    let own = sjc.unwrap().published.unwrap().own;
    assert_eq!(own.ip().octets(), [127, 5, 0, 1], "not that of one that left");
    // As a newcomer it gets its clients by degrees.
    let shown = page(&world, &format!("/where?ip=8.8.8.8&name={HOST}")).await;
    let candidates = shown["candidates"].as_array().unwrap();
    assert!(candidates.iter().any(|candidate| candidate["pop"] == "sjc"), "{shown:#}");
    let fra = world.edges.list().into_iter().find(|edge| edge.pop.as_deref() == Some("fra"));
    assert_eq!(fra.unwrap().published.unwrap().own.ip().octets(), [127, 1, 0, 1], "as before");
    world.stop().await;
}

#[tokio::test]
async fn where_tells_which_way_dns_sends_a_client() {
    let origin = Origin::start().await.unwrap();
    let world = start(&example(), &origin).await;
    let asked = Asked::of(&world);
    for what in ["http://cdn.example.com/hello", HOST] {
        let (code, out, err) = asked.run(&[what, "--from", "8.8.8.8"]).await;
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        let lines: Vec<_> = out.lines().collect();
        let client =
            "client  8.8.8.8, place known by: network-place; 24 bits of the address matter";
        assert_eq!(lines[0], client, "{out}");
        assert!(
            lines[1].starts_with("name    cdn.example.com, of pool multi-region, zones "),
            "{out}"
        );
        let order: Vec<_> = lines[5..].iter().map(|line| &line[..3]).collect();
        assert_eq!(order, ["iad", "fra", "gru", "sin"], "{out}");
        assert!(lines[5].contains("chosen") && lines[7].contains("later"), "{out}");
    }
    let (code, out, _) = asked.run(&[HOST, "--from", "2001:db8:200::1", "--json"]).await;
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &said["family"], &said["candidates"][0]["pop"]),
        (0, &json!(6), &json!("sin"))
    );
    for (args, status, part) in [
        (&["other.example", "--from", "8.8.8.8"][..], 1, "knows no place for other.example"),
        (&["/hello", "--from", "8.8.8.8"], 2, "`/hello` is neither a URL nor the name of a host"),
        (&[HOST, "--from", "here"], 2, "invalid value 'here' for '--from <ADDRESS>'"),
    ] {
        let (code, _, err) = asked.run(args).await;
        assert!(code == status && err.contains(part), "{args:?}: {code} {err}");
    }
    world.stop().await;
}
