//! Queries, honest and other.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::Message;

use crate::stage::{Stage, ZONES, data, query};

fn tcp(stage: &Stage) -> TcpStream {
    let stream = TcpStream::connect(stage.dns).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

fn framed(packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
    [&length[..], packet].concat()
}

fn next(stream: &mut TcpStream) -> Message {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes).unwrap();
    Message::from_vec(&bytes).unwrap()
}

#[test]
fn clients_get_their_pop_over_udp() {
    let stage = Stage::new(ZONES);
    for _ in 0..10 {
        assert_eq!(stage.ask("10.1.7.0/24"), ["192.0.2.1"]);
        assert_eq!(stage.ask("10.2.7.0/24"), ["192.0.2.2"]);
    }
    stage.until(|stage| {
        stage.counts(r#"cdn_dns_pop_answers_total{pool="web",pop="fra"} 10"#)
            && stage.counts(r#"cdn_dns_answers_total{result="pops",type="A"} 20"#)
            && stage.counts(r#"cdn_dns_places_total{source="network-pops"} 20"#)
            && stage.counts("cdn_dns_subnet_queries_total 20")
    });
}

//= rfc7766#8
#[test]
fn queries_over_tcp_are_answered_however_they_are_cut() {
    let stage = Stage::new(ZONES);
    let mut stream = tcp(&stage);
    let one = framed(&query("cdn.example.com.", Some("10.1.7.0/24")));
    let two = framed(&query("cdn.example.com.", Some("10.2.7.0/24")));
    stream.write_all(&[&one[..], &two, &one[..20]].concat()).unwrap();
    assert_eq!(data(&next(&mut stream)), ["192.0.2.1"]);
    assert_eq!(data(&next(&mut stream)), ["192.0.2.2"]);
    for byte in &one[20..] {
        stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(data(&next(&mut stream)), ["192.0.2.1"]);
    stage.until(|stage| stage.counts("cdn_dns_connections 1"));
    drop(stream);
    stage.until(|stage| stage.counts("cdn_dns_connections 0"));
}

#[test]
fn a_connection_that_sends_nonsense_is_closed() {
    let stage = Stage::new(ZONES);
    let mut response = framed(&query("cdn.example.com.", None));
    response[4] |= 0x80;
    for nonsense in [&[0, 0][..], &[0xFF, 0xFF, 1], &[0, 3, 1, 2, 3], &response] {
        let mut stream = tcp(&stage);
        stream.write_all(nonsense).unwrap();
        // The kernel says so in either way when bytes were left unread.
        let read = stream.read(&mut [0; 10]);
        let reset = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionReset;
        assert!(matches!(&read, Ok(0)) || read.as_ref().is_err_and(reset), "{read:?}");
    }
    assert_eq!(stage.ask("10.1.7.0/24"), ["192.0.2.1"]);
}

#[test]
fn garbage_over_udp_gets_an_error_or_nothing() {
    let stage = Stage::new(ZONES);
    let honest = query("cdn.example.com.", None);
    let mut response = honest.clone();
    response[2] |= 0x80;
    for silent in [&[][..], &[0; 5], &response, &[7; 5_000]] {
        assert_eq!(stage.send(silent), None);
    }
    let broken = [&honest[..], &[0]].concat();
    let error = stage.send(&broken).expect("an error");
    assert!(error.len() <= broken.len() && error[3] & 0x0F == 1);
    assert!(stage.counts(r#"cdn_dns_malformed_total{reason="trailing"} 1"#));
    assert_eq!(stage.ask("10.1.7.0/24"), ["192.0.2.1"]);
}

#[test]
fn a_flood_in_anothers_name_is_limited_and_tcp_is_not() {
    let stage = Stage::new(&ZONES.replace("1000", "20"));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let packet = query("cdn.example.com.", Some("10.1.7.0/24"));
    let (mut whole, mut cut) = (0, 0);
    let mut answer = [0; 2_000];
    for _ in 0..400 {
        socket.send_to(&packet, stage.dns).unwrap();
    }
    while let Ok(length) = socket.recv(&mut answer) {
        let message = Message::from_vec(&answer[..length]).unwrap();
        assert_eq!(message.metadata.truncation, message.answers.is_empty());
        *(if message.metadata.truncation { &mut cut } else { &mut whole }) += 1;
    }
    // Five seconds' worth at once, and what comes meanwhile; of the rest every second is cut.
    assert!((100..140).contains(&whole), "{whole}");
    assert!((120..=150).contains(&cut), "{cut}");
    let mut stream = tcp(&stage);
    for _ in 0..200 {
        stream.write_all(&framed(&packet)).unwrap();
        assert_eq!(next(&mut stream).answers.len(), 1);
    }
}
