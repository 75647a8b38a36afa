//! Whatever comes: no panic, and no answer larger than the question warrants.

use proptest::prelude::*;

use super::*;

/// What an honest answer here may have: the question, two addresses of 28 bytes or a SOA record or the name servers,
/// and what EDNS adds.
const MOST: usize = 512;

fn check(packet: &[u8], view: &View, places: &Database) -> Result<(), TestCaseError> {
    let mut out = [0; MAX_TCP];
    for transport in [Transport::Udp, Transport::Tcp] {
        let peer = PEER.parse().unwrap();
        let answered = answer(packet, peer, transport, view, Some(places), &mut out);
        prop_assert!(answered.length <= MOST, "{}", answered.length);
        if answered.length == 0 {
            prop_assert_eq!(answered.outcome, Outcome::Silent);
            continue;
        }
        prop_assert!(packet.len() >= 12);
        prop_assert_eq!(&out[..2], &packet[..2], "the number");
        prop_assert!(out[2] & 0x80 != 0, "a response");
        let bytes = out[..answered.length].to_vec();
        let theirs = Message::from_vec(&bytes);
        // It does not know the family 0 of clients that do not want to tell, as dig sends it.
        let known = |error: &String| error.contains("UnknownAddressFamily(0)");
        let error = theirs.err().map(|error| format!("{error:?}"));
        prop_assert!(error.as_ref().is_none_or(known), "{:?}: {:?}", error, bytes);
        let again = answer(&bytes, peer, transport, view, None, &mut out);
        prop_assert_eq!(again.silence, Some(Silence::Response), "no answers to answers");
    }
    Ok(())
}

fn honest() -> Vec<Vec<u8>> {
    use RecordType::{A, AAAA, ANY, NS, SOA};
    vec![
        query("cdn.example.com.", A, Some("8.8.8.0/24")),
        query("x.cdn.example.com.", AAAA, Some("2001:db8::/56")),
        query("cdn.example.com.", NS, Some("")),
        query("eu.cdn.example.com.", SOA, None),
        query("b.deep.cdn.example.com.", ANY, Some("0.0.0.0/0")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes(packet in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&packet, &view(), &places())?;
    }
}

/// A small generator of numbers, the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn mutated(random: &mut Random, honest: &[Vec<u8>]) -> Vec<u8> {
    let mut packet = honest[random.below(honest.len())].clone();
    for _ in 0..=random.below(4) {
        let (at, other) = (random.below(packet.len()), random.below(honest.len()));
        match random.below(6) {
            0 if !packet.is_empty() => packet[at] = random.next() as u8,
            1 if !packet.is_empty() => packet[at] ^= 1 << random.below(8),
            2 => packet.truncate(at),
            3 => packet.insert(at, random.next() as u8),
            4 if !packet.is_empty() => packet[at] = [0, 0xC0, 0xFF, 0x3F, 0x0C][random.below(5)],
            _ => {
                let tail = &honest[other][random.below(honest[other].len())..];
                packet.extend_from_slice(tail);
            }
        }
    }
    packet
}

#[test]
fn mutated_packets() {
    let (view, places, honest) = (view(), places(), honest());
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    for _ in 0..20_000 {
        let packet = mutated(&mut random, &honest);
        check(&packet, &view, &places).unwrap_or_else(|error| panic!("{error}: {packet:?}"));
    }
}

/// A million of them, without the other implementation.
#[test]
#[ignore = "takes some seconds"]
fn a_million_mutated_packets() {
    let (view, places, honest) = (view(), places(), honest());
    let mut random = Random(0xFEDC_BA98_7654_3211);
    let mut out = [0; MAX_TCP];
    let mut answered = 0;
    for _ in 0..1_000_000 {
        let packet = mutated(&mut random, &honest);
        let peer = PEER.parse().unwrap();
        let got = answer(&packet, peer, Transport::Udp, &view, Some(&places), &mut out);
        assert!(got.length <= MOST, "{packet:?}");
        answered += u32::from(got.length > 0);
    }
    assert!(answered > 500_000, "{answered}");
}
