use std::sync::Arc;

use hickory_proto::op::{Edns as TheirEdns, Message, Query as TheirQuery, ResponseCode};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsOption};
use hickory_proto::rr::{Name as TheirName, RecordType};

use super::*;
use crate::fleet::{Fleet, tests::document};
use crate::packet::MAX_UDP;
use crate::place::tests::mmdb::{database, flat, nested};
use crate::steer::{Planner, PopState, Seen};

mod corpus;
mod hostile;
mod nearest;
mod speed;

const PEER: &str = "194.158.9.9";

fn view() -> View {
    View::calm(Arc::new(Fleet::new(&document()).expect("a fleet")))
}

fn places() -> Database {
    let bytes = database(&[
        ("8.8.8.0/24", nested("EU", "DE", "HE", 50.0, 8.0)),
        ("194.158.0.0/16", flat("AD", "", 42.5, 1.5)),
    ]);
    Database::new(vec![bytes]).expect("a database")
}

/// A query as another implementation writes it.
fn query(name: &str, qtype: RecordType, subnet: Option<&str>) -> Vec<u8> {
    let mut message = Message::query();
    message.metadata.id = 77;
    message.metadata.recursion_desired = true;
    message.add_query(TheirQuery::query(TheirName::from_ascii(name).expect("a name"), qtype));
    if let Some(subnet) = subnet {
        let mut edns = TheirEdns::new();
        edns.set_max_payload(4_096);
        if let Some((address, bits)) = subnet.split_once('/') {
            let (address, bits) = (address.parse().unwrap(), bits.parse().unwrap());
            let option = EdnsOption::Subnet(ClientSubnet::new(address, bits, 0));
            edns.options_mut().insert(option);
        }
        message.set_edns(edns);
    }
    message.to_vec().expect("a query")
}

/// What the query got, and the answer as another implementation reads it.
fn ask_view(packet: &[u8], transport: Transport, view: &View) -> (Answered, Message) {
    let mut out = [0; MAX_TCP];
    let places = places();
    let answered = answer(packet, PEER.parse().unwrap(), transport, view, Some(&places), &mut out);
    let message = Message::from_vec(&out[..answered.length]).expect("a message");
    assert_eq!(message.metadata.id, 77);
    (answered, message)
}

fn ask(name: &str, qtype: RecordType, subnet: Option<&str>) -> (Answered, Message) {
    ask_view(&query(name, qtype, subnet), Transport::Udp, &view())
}

/// The data of the answers, as text.
fn data(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.data.to_string()).collect()
}

/// The scope of the client's subnet in the answer.
fn scope(message: &Message) -> Option<(u8, u8)> {
    let edns = message.edns.as_ref()?;
    edns.options().as_ref().iter().find_map(|(_, option)| match option {
        EdnsOption::Subnet(subnet) => Some((subnet.source_prefix(), subnet.scope_prefix())),
        _ => None,
    })
}

//= rfc7871#7.2.1
#[test]
fn addresses_are_those_of_the_nearest_with_the_scope_that_was_looked_at() {
    let (answered, message) = ask("CDN.example.com.", RecordType::A, Some("8.8.8.0/24"));
    assert_eq!(data(&message), ["192.0.2.1", "192.0.2.4"]);
    assert_eq!(scope(&message), Some((24, 24)));
    assert!(message.metadata.authoritative && !message.metadata.recursion_available);
    assert!(message.metadata.recursion_desired);
    assert_eq!(message.queries[0].name().to_string(), "CDN.example.com.", "in its case");
    assert_eq!(message.answers[0].ttl, 30);
    assert_eq!((answered.outcome, answered.has_subnet), (Outcome::Pops, true));
    let (_, message) = ask("cdn.example.com.", RecordType::AAAA, Some("194.158.0.0/16"));
    assert_eq!(data(&message), ["2001:db8::4", "2001:db8::1"]);
    assert_eq!(scope(&message), Some((16, 16)));
    let (_, message) = ask("x.cdn.example.com.", RecordType::A, Some("10.9.8.0/24"));
    assert_eq!((data(&message)[0].as_str(), scope(&message)), ("192.0.2.3", Some((24, 8))));
}

#[test]
fn a_place_asked_for_by_its_own_name_is_answered_alone() {
    let mut document = document();
    let fra = &mut document.pools.get_mut("web").unwrap().pops[0];
    fra.url = Some("https://{host}.fra.cdn.example.com".into());
    let view = View::calm(Arc::new(Fleet::new(&document).unwrap()));
    let ask = |qtype| {
        let name = "cdn.example.com.FRA.cdn.example.com.";
        ask_view(&query(name, qtype, Some("194.158.0.0/16")), Transport::Udp, &view)
    };
    let (answered, message) = ask(RecordType::A);
    assert_eq!((answered.outcome, data(&message)), (Outcome::Place, vec!["192.0.2.1".into()]));
    assert_eq!((answered.sent, scope(&message)), (None, Some((16, 0))));
    let (_, message) = ask(RecordType::AAAA);
    assert_eq!(data(&message), ["2001:db8::1"]);
    let (answered, _) = ask(RecordType::TXT);
    assert_eq!(answered.outcome, Outcome::NoData);
}

//= rfc7871#7.1.2
#[test]
fn who_does_not_tell_is_where_its_resolver_is() {
    let (answered, message) = ask("cdn.example.com.", RecordType::A, None);
    assert_eq!((data(&message)[0].as_str(), message.edns.is_none()), ("192.0.2.4", true));
    assert!(!answered.has_subnet);
    let (_, message) = ask("cdn.example.com.", RecordType::A, Some("0.0.0.0/0"));
    assert_eq!((data(&message)[0].as_str(), scope(&message)), ("192.0.2.4", Some((0, 0))));
    let (_, message) = ask("cdn.example.com.", RecordType::A, Some(""));
    assert_eq!(scope(&message), None);
    assert_eq!(message.edns.map(|edns| usize::from(edns.max_payload())), Some(MAX_UDP));
}

//= rfc2308#2
//= rfc2308#3
#[test]
fn what_does_not_exist_comes_with_the_soa() {
    let (answered, message) = ask("b.deep.cdn.example.com.", RecordType::A, Some("8.8.8.0/24"));
    assert_eq!(message.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!((answered.outcome, scope(&message)), (Outcome::NxDomain, Some((24, 0))));
    let soa = &message.authorities[0];
    assert_eq!((soa.name.to_string().as_str(), soa.ttl), ("cdn.example.com.", 60));
    assert_eq!(
        soa.data.to_string(),
        "ns1.cdn.example.com. hostmaster.cdn.example.com. 1 7200 900 604800 60"
    );
    for (name, qtype) in [
        ("cdn.example.com.", RecordType::TXT),
        ("deep.cdn.example.com.", RecordType::A),
        ("x.cdn.example.com.", RecordType::NS),
        ("x.cdn.example.com.", RecordType::SOA),
        ("eu.cdn.example.com.", RecordType::AAAA),
        ("deep.cdn.example.com.", RecordType::ANY),
    ] {
        let (answered, message) = ask(name, qtype, None);
        assert_eq!(answered.outcome, Outcome::NoData, "{name} {qtype}");
        assert_eq!(message.metadata.response_code, ResponseCode::NoError);
        assert_eq!((message.answers.len(), message.authorities.len()), (0, 1));
        assert!(message.metadata.authoritative);
    }
}

#[test]
fn a_zone_says_who_serves_it() {
    let (answered, message) = ask("cdn.example.com.", RecordType::NS, None);
    assert_eq!(answered.outcome, Outcome::Servers);
    assert_eq!(data(&message), ["ns1.cdn.example.com.", "ns.other.net."]);
    let glue: Vec<_> = message.additionals.iter().map(|r| r.data.to_string()).collect();
    assert_eq!(glue, ["192.0.2.53", "2001:db8::53"]);
    let (answered, message) = ask("cdn.example.com.", RecordType::SOA, None);
    assert_eq!((answered.outcome, message.answers.len()), (Outcome::Soa, 1));
    let (answered, message) = ask("ns1.cdn.example.com.", RecordType::A, None);
    assert_eq!((answered.outcome, data(&message)), (Outcome::Server, vec!["192.0.2.53".into()]));
}

//= rfc8482#4.2
#[test]
fn any_gets_no_more_than_a_word() {
    let (answered, message) = ask("cdn.example.com.", RecordType::ANY, None);
    assert_eq!(answered.outcome, Outcome::Any);
    assert_eq!(message.answers.len(), 1);
    assert_eq!(message.answers[0].record_type(), RecordType::HINFO);
}

#[test]
fn what_is_not_ours_is_refused() {
    for (name, qtype) in [
        ("example.com.", RecordType::A),
        (".", RecordType::NS),
        ("cdn.example.com.", RecordType::AXFR),
        ("cdn.example.com.", RecordType::IXFR),
    ] {
        let (answered, message) = ask(name, qtype, Some("8.8.8.0/24"));
        assert_eq!(answered.outcome, Outcome::Refused, "{name} {qtype}");
        assert_eq!(message.metadata.response_code, ResponseCode::Refused);
        assert!(!message.metadata.authoritative && message.answers.is_empty());
        assert_eq!(scope(&message), Some((24, 0)));
    }
    let mut chaos = query("cdn.example.com.", RecordType::TXT, None);
    let class = chaos.len() - 1;
    chaos[class] = 3;
    assert_eq!(ask_view(&chaos, Transport::Udp, &view()).0.outcome, Outcome::Refused);
}

#[test]
fn a_dead_pop_leaves_the_answers_and_a_bad_address_too() {
    let fleet = Arc::new(Fleet::new(&document()).expect("a fleet"));
    let plan = |state, left_out| {
        Planner::default().plan(&fleet, std::time::Duration::ZERO, |_, _, target| {
            match &*target.name {
                "fra" | "one" => Seen { left_out, ..Seen::new(state) },
                _ => Seen::new(PopState::Healthy),
            }
        })
    };
    let web = query("cdn.example.com.", RecordType::A, Some("8.8.8.0/24"));
    let old = query("eu.cdn.example.com.", RecordType::A, Some("8.8.8.0/24"));
    let dead = plan(PopState::Unhealthy, 0);
    let (answered, message) = ask_view(&web, Transport::Udp, &dead);
    assert_eq!(data(&message), ["192.0.2.4", "192.0.2.2"]);
    assert!(!answered.sent.expect("PoPs").all_bad);
    let (answered, message) = ask_view(&old, Transport::Udp, &dead);
    assert_eq!(data(&message).len(), 2, "the only one is served");
    assert!(answered.sent.expect("PoPs").all_bad);
    assert_eq!(scope(&message), Some((24, 0)));
    let (_, message) = ask_view(&old, Transport::Udp, &plan(PopState::Healthy, 0b01));
    assert_eq!(data(&message), ["192.0.2.98"]);
    let (_, message) = ask_view(&old, Transport::Udp, &plan(PopState::Healthy, 0b11));
    assert_eq!(data(&message).len(), 2, "rather all than none");
}

#[test]
fn the_addresses_of_a_pop_take_turns_among_networks() {
    let view = view();
    let packet = query("eu.cdn.example.com.", RecordType::A, None);
    let mut first = 0;
    for network in 0..200u8 {
        let mut out = [0; MAX_UDP];
        let mut ask = |host| {
            let peer = IpAddr::from([10, 0, network, host]);
            let answered = answer(&packet, peer, Transport::Udp, &view, None, &mut out);
            out[answered.length - 1]
        };
        let last = ask(1);
        assert_eq!(ask(2), last, "the same for one network");
        first += u32::from(last == 98);
    }
    assert!((70..130).contains(&first), "{first}");
}

#[test]
fn errors_are_short_and_say_what_is_wrong() {
    let mut version = query("cdn.example.com.", RecordType::A, Some("8.8.8.0/24"));
    let at = version.len() - 11 - 5 - 6 + 6;
    assert_eq!(version[at - 6..at - 2], [0, 0, 41, 0x10], "the OPT record");
    version[at] = 1;
    let (answered, message) = ask_view(&version, Transport::Udp, &view());
    assert_eq!(answered.outcome, Outcome::BadVers);
    assert_eq!(message.edns.as_ref().map(|edns| (edns.rcode_high(), edns.version())), Some((1, 0)));
    let mut broken = query("cdn.example.com.", RecordType::A, None);
    broken.push(0);
    let (answered, message) = ask_view(&broken, Transport::Udp, &view());
    assert_eq!((answered.outcome, answered.fault), (Outcome::FormErr, Some(FormatFault::Trailing)));
    assert_eq!(message.metadata.response_code, ResponseCode::FormErr);
    assert!(answered.length < broken.len());
}

#[test]
fn a_slip_has_the_question_and_asks_for_tcp() {
    let packet = query("cdn.example.com.", RecordType::A, Some("8.8.8.0/24"));
    let mut out = [0; MAX_UDP];
    let answered = answer(&packet, PEER.parse().unwrap(), Transport::Udp, &view(), None, &mut out);
    let length = slip(&mut out[..answered.length]);
    let message = Message::from_vec(&out[..length]).expect("a message");
    assert!(message.metadata.truncation && message.answers.is_empty() && message.edns.is_none());
    assert_eq!(message.queries[0].name().to_string(), "cdn.example.com.");
    assert!(length < packet.len());
    assert_eq!((slip(&mut []), slip(&mut [0; 12])), (0, 12));
}

#[test]
fn answers_that_differ_are_limited_apart_and_missing_names_together() {
    let bucket = |name, qtype| ask(name, qtype, None).0.bucket;
    assert_ne!(
        bucket("cdn.example.com.", RecordType::A),
        bucket("cdn.example.com.", RecordType::AAAA)
    );
    assert_eq!(
        bucket("CDN.example.com.", RecordType::A),
        bucket("cdn.example.com.", RecordType::A)
    );
    let missing = |name| bucket(name, RecordType::A);
    assert_eq!(missing("x.deep.cdn.example.com."), missing("y.deep.cdn.example.com."));
}
