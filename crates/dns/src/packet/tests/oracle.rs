//! What is written, read by another implementation, and the other way round.

use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{RData, RecordType};
use proptest::prelude::*;

use super::*;

fn answer(packet: &[u8], limit: usize, addresses: &[[u8; 4]]) -> Vec<u8> {
    let query = read(packet).expect("a query");
    let mut out = [0; 4_096];
    let mut writer = Writer::new(&mut out, limit, query.head, Some(&query.question)).unwrap();
    writer.authoritative();
    writer.reserve(query.edns.as_ref().map_or(0, Writer::opt_length));
    if addresses.iter().any(|a| writer.record(Section::Answer, 0, rtype::A, 30, a).is_err()) {
        writer.truncate();
    }
    if query.edns.is_some() {
        writer.opt(Rcode::NoError, query.edns.as_ref(), 20).unwrap();
    }
    let length = writer.finish(Rcode::NoError);
    out[..length].to_vec()
}

//= rfc1035#4.1.2
//= rfc1035#4.1.3
//= rfc6891#7
//= rfc7871#7.2.1
#[test]
fn an_answer_is_read_by_another_as_it_was_meant() {
    let packet = with_options(&subnet(1, 20, 0, &[1, 2, 0xF0]));
    let bytes = answer(&packet, MAX_UDP, &[[192, 0, 2, 1], [192, 0, 2, 2]]);
    let message = Message::from_vec(&bytes).expect("a message");
    assert_eq!(message.metadata.message_type, MessageType::Response);
    assert!(message.metadata.authoritative && !message.metadata.truncation);
    assert_eq!(message.metadata.id, 0x1234);
    assert_eq!(message.queries[0].name().to_ascii(), "a.example.com.");
    assert_eq!(message.answers.len(), 2);
    assert_eq!(message.answers[1].name.to_ascii(), "a.example.com.");
    assert_eq!(message.answers[1].ttl, 30);
    assert_eq!(message.answers[1].record_type(), RecordType::A);
    assert!(matches!(&message.answers[1].data, RData::A(a) if a.0.octets() == [192, 0, 2, 2]));
    let edns = message.edns.expect("EDNS");
    assert_eq!(usize::from(edns.max_payload()), MAX_UDP);
    assert!(edns.flags().dnssec_ok);
    let option = &edns.options().as_ref()[0].1;
    let EdnsOption::Subnet(subnet) = option else { panic!("{option:?}") };
    assert_eq!((subnet.source_prefix(), subnet.scope_prefix()), (20, 20));
    assert_eq!(subnet.addr(), "1.2.240.0".parse::<IpAddr>().unwrap());
}

//= rfc2181#9
#[test]
fn what_does_not_fit_is_cut_to_nothing_and_says_so() {
    let packet = query("a.example.com", rtype::A, [1, 0, 0, 0], &[]);
    let many = [[192, 0, 2, 1]; 40];
    let bytes = answer(&packet, 512, &many);
    let message = Message::from_vec(&bytes).expect("a message");
    assert!(message.metadata.truncation && message.answers.is_empty());
    assert_eq!(bytes.len(), packet.len());
    assert_eq!(answer(&packet, 1_232, &many).len(), packet.len() + 40 * 16);
    let packet = with_options(&[]);
    // Held back for the OPT record: 11 bytes.
    let room = packet.len() + 16;
    assert!(Message::from_vec(&answer(&packet, room, &many[..1])).unwrap().edns.is_some());
    let short = Message::from_vec(&answer(&packet, room - 1, &many[..1])).unwrap();
    assert!(short.metadata.truncation && short.edns.is_some());
}

#[test]
fn a_writer_without_room_says_so() {
    let packet = query("a.example.com", rtype::A, [1, 0, 0, 0], &[]);
    let query = read(&packet).unwrap();
    for room in 0..packet.len() {
        let mut out = vec![0; room];
        assert_eq!(
            Writer::new(&mut out, 512, query.head, Some(&query.question)).err(),
            Some(Full),
            "{room}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_and_what_is_read_here_is_read_there(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let _ = read(&bytes);
        let _ = frame(&bytes);
    }

    #[test]
    fn mutated_queries_do_not_panic_and_the_oracle_agrees(
        place in 0usize..80, value: u8, cut in 0usize..80, swap: bool,
    ) {
        let mut packet = with_options(&subnet(1, 24, 0, &[192, 0, 2]));
        let last = packet.len() - 1;
        packet[place.min(last)] = value;
        if swap {
            packet.truncate(cut);
        }
        if let Ok(query) = read(&packet) {
            let theirs = Message::from_vec(&packet);
            // The other one looks into options and types more closely, or differently.
            if let Ok(theirs) = theirs {
                prop_assert_eq!(theirs.metadata.id, query.head.id);
                prop_assert_eq!(theirs.queries.len(), 1);
                prop_assert_eq!(u16::from(theirs.queries[0].query_type()), query.question.qtype);
            }
            let bytes = answer(&packet, query.udp_limit(), &[[1, 2, 3, 4]; 60]);
            prop_assert!(bytes.len() <= query.udp_limit());
        }
    }
}
