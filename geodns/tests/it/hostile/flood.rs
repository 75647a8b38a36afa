//! Sends packets and looks at what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::ops::AddAssign;
use std::time::Duration;

use hickory_proto::rr::RecordType;

use super::mutate::Mutator;
use super::process::Process;
use crate::stage::question;

/// How long a reply may take before the process counts as gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// Packets between two honest ones, whose replies say that all before were looked at.
const TOGETHER: u16 = 48;
/// The number of an honest one.
const HONEST: u16 = u16::MAX;
/// An OPT record without options.
const OPT: usize = 11;

/// What packets got.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) silent: u64,
    pub(super) errors: u64,
    pub(super) answers: u64,
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.silent += other.silent;
        self.errors += other.errors;
        self.answers += other.answers;
    }
}

/// What a packet warrants.
pub(super) struct Rules {
    honest: Vec<u8>,
    /// Bytes that an honest question's answer has more than the question at most.
    more: usize,
}

impl Rules {
    /// Learned from what the packets of the corpus get as they are.
    pub(super) fn new(process: &Process, corpus: &[Vec<u8>]) -> Self {
        let mut honest = question("cdn.example.com.", RecordType::NS);
        honest[..2].copy_from_slice(&HONEST.to_be_bytes());
        let mut rules = Self { honest, more: 1_232 };
        let (length, mut more) = (rules.honest.len(), 0);
        for packet in corpus {
            let (replies, last) = exchange(&rules, &socket(process), std::slice::from_ref(packet));
            let reply = replies[0].as_ref().map_or(0, Vec::len);
            more = more.max(reply.saturating_sub(packet.len())).max(last - length);
        }
        assert!((50..200).contains(&more), "{more}");
        rules.more = more;
        rules
    }

    /// Whether a packet may get this reply, or none.
    fn check(&self, packet: &[u8], reply: Option<&[u8]>, seen: &mut Seen) {
        let Some(reply) = reply else {
            seen.silent += 1;
            return;
        };
        let what = || format!("{packet:02x?} got {reply:02x?}");
        assert!(packet.len() >= 12 && packet[2] & 0x80 == 0, "a reply to no question: {}", what());
        assert!(reply.len() >= 12 && reply[2] & 0x80 != 0, "no reply: {}", what());
        assert_eq!(reply[..2], packet[..2], "the number: {}", what());
        // NOERROR and NXDOMAIN are answers; BADVERS looks like the first, but has no records besides OPT.
        let records = reply[6..10].iter().any(|byte| *byte != 0);
        if matches!(reply[3] & 15, 0 | 3) && records {
            assert!(reply.len() <= packet.len() + self.more, "{} more: {}", self.more, what());
            seen.answers += 1;
        } else {
            assert!(
                reply.len() <= packet.len() + OPT,
                "an error with more than it was told: {}",
                what()
            );
            seen.errors += 1;
        }
    }
}

fn socket(process: &Process) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(process.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends packets, numbered anew, and an honest one behind them. What each got, and how large the last reply was.
fn exchange(
    rules: &Rules,
    socket: &UdpSocket,
    packets: &[Vec<u8>],
) -> (Vec<Option<Vec<u8>>>, usize) {
    for packet in packets.iter().chain([&rules.honest]) {
        socket.send(packet).unwrap();
    }
    let mut replies = vec![None; packets.len()];
    let mut reply = [0; 4_096];
    loop {
        let length = socket.recv(&mut reply).expect("a reply to an honest question");
        let reply = &reply[..length];
        if reply[..2] == HONEST.to_be_bytes() {
            assert_eq!((reply[3] & 15, reply[7]), (0, 2), "not the name servers: {reply:02x?}");
            return (replies, length);
        }
        let nth = packets.iter().position(|packet| packet.get(..2) == Some(&reply[..2]));
        let nth = nth.unwrap_or_else(|| panic!("a reply to nobody: {reply:02x?}"));
        assert!(replies[nth].is_none(), "two replies to {:02x?}", packets[nth]);
        replies[nth] = Some(reply.to_vec());
    }
}

/// Packets over UDP.
pub(super) fn udp(process: &Process, rules: &Rules, mutator: &mut Mutator, count: u64) -> Seen {
    let socket = socket(process);
    let mut seen = Seen::default();
    for _ in 0..count.div_ceil(TOGETHER.into()) {
        let mut packets: Vec<_> = (0..TOGETHER).map(|_| mutator.packet()).collect();
        for (packet, nth) in packets.iter_mut().zip(0u16..) {
            if let Some(number) = packet.first_chunk_mut() {
                *number = nth.to_be_bytes();
            }
        }
        let (replies, _) = exchange(rules, &socket, &packets);
        for (packet, reply) in packets.iter().zip(&replies) {
            rules.check(packet, reply.as_deref(), &mut seen);
        }
    }
    seen
}

/// Packets over TCP, some to a connection, some with a length that is not theirs.
pub(super) fn tcp(process: &Process, rules: &Rules, mutator: &mut Mutator, count: u64) -> Seen {
    let mut seen = Seen::default();
    let mut sent = 0;
    while sent < count {
        let mut bytes = Vec::new();
        for _ in 0..=mutator.below(12) {
            let packet = mutator.packet();
            let lie = mutator.below(16) == 0;
            let length = if lie { mutator.below(1 << 16) } else { packet.len() };
            bytes.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            bytes.extend_from_slice(&packet);
            sent += 1;
        }
        let replies = converse(process, &bytes);
        // In order; the first packet without a reply ends the connection.
        let (packets, replies) = (frames(&bytes), frames(&replies));
        assert!(replies.len() <= packets.len(), "more replies than packets: {bytes:02x?}");
        for (packet, nth) in packets.iter().zip(0..=replies.len()) {
            rules.check(packet, replies.get(nth).copied(), &mut seen);
        }
    }
    let mut honest = u16::try_from(rules.honest.len()).unwrap().to_be_bytes().to_vec();
    honest.extend_from_slice(&rules.honest);
    assert_eq!(frames(&converse(process, &honest)).len(), 1, "it still answers");
    seen
}

/// What comes back over a connection of its own.
fn converse(process: &Process, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(process.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut replies = Vec::new();
    // It may close, or reset, before it read all.
    let gone = |error: &std::io::Error| {
        matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::NotConnected
        )
    };
    let done = stream
        .write_all(bytes)
        .and_then(|()| stream.shutdown(Shutdown::Write))
        .err()
        .filter(|error| !gone(error));
    assert!(done.is_none(), "{done:?}");
    let read = stream.read_to_end(&mut replies).err().filter(|error| !gone(error));
    assert!(read.is_none(), "{read:?} after {bytes:02x?}");
    replies
}

/// The whole packets of a stream.
fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut packets = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((packet, after)) = rest.split_at_checked(length) else { break };
        packets.push(packet);
        bytes = after;
    }
    packets
}
