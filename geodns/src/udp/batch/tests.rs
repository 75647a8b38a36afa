use std::time::Duration;

use super::*;

fn pair(host: &str) -> (UdpSocket, UdpSocket) {
    let [server, client] = [host; 2].map(|host| UdpSocket::bind((host, 0)).expect("a socket"));
    client.connect(server.local_addr().expect("an address")).expect("connected");
    for socket in [&server, &client] {
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time limit");
    }
    (server, client)
}

/// Answers each query with its bytes backwards, and those that begin with 0 not at all.
fn turn(batch: &mut Batch, server: &UdpSocket) -> usize {
    let count = batch.receive(server).expect("queries");
    for nth in 0..count {
        batch.answer(nth, |query, peer, room| {
            assert!(peer.ip().is_loopback() && peer.port() != 0);
            if query.first() == Some(&0) {
                return 0;
            }
            for (to, from) in room.iter_mut().zip(query.iter().rev()) {
                *to = *from;
            }
            query.len().min(MAX_UDP)
        });
    }
    batch.send(server, |error| panic!("{error}"));
    count
}

#[test]
fn every_query_gets_its_own_answer_over_both_families() {
    for host in ["127.0.0.1", "::1"] {
        let (server, client) = pair(host);
        let mut batch = Batch::new();
        let queries =
            || (1..=100u8).map(|nth| vec![nth, nth / 2, 7][..1 + usize::from(nth) % 3].to_vec());
        for query in queries() {
            client.send(&query).expect("sent");
            if query[0] % 10 == 0 {
                client.send(&[0, 1, 2]).expect("one without an answer");
            }
        }
        let (mut came, mut most) = (0, 0);
        while came < 110 {
            let count = turn(&mut batch, &server);
            came += count;
            most = most.max(count);
        }
        assert_eq!((came, most), (110, MOST), "as many at once as there is room for");
        let mut answer = [0; 100];
        for query in queries() {
            let length = client.recv(&mut answer).expect("an answer");
            let expected: Vec<u8> = query.into_iter().rev().collect();
            assert_eq!(answer[..length], expected);
        }
    }
}

#[test]
fn a_query_that_is_too_long_is_none_and_an_empty_one_is() {
    let (server, client) = pair("127.0.0.1");
    let mut batch = Batch::new();
    for length in [MAX_QUERY, MAX_QUERY + 1, 20_000, 0, 1] {
        client.send(&vec![1; length]).expect("sent");
    }
    let (mut seen, mut came) = (Vec::new(), 0);
    while came < 5 {
        let count = batch.receive(&server).expect("queries");
        seen.extend((0..count).map(|nth| batch.query(nth).map(|(query, _)| query.len())));
        came += count;
    }
    assert_eq!(seen, [Some(MAX_QUERY), None, None, Some(0), Some(1)]);
    assert_eq!(batch.query(MOST), None);
}

#[test]
fn an_answer_that_cannot_be_sent_is_told_of_and_the_others_go() {
    let (server, client) = pair("127.0.0.1");
    let mut batch = Batch::new();
    for nth in 1..=3 {
        client.send(&[nth]).expect("sent");
    }
    let mut came = 0;
    while came < 3 {
        for nth in 0..batch.receive(&server).expect("queries") {
            batch.answer(nth, |query, _, room| {
                room[0] = query[0];
                1
            });
            came += 1;
            if came == 2 {
                // Nobody can be reached there.
                let nowhere = std::net::SocketAddrV6::new(std::net::Ipv6Addr::LOCALHOST, 9, 0, 0);
                batch.peers[batch.ready - 1] = Some(SocketAddr::from(nowhere).into());
            }
        }
    }
    let mut failures = 0;
    batch.send(&server, |_| failures += 1);
    assert_eq!(failures, 1);
    let mut answer = [0; 10];
    for nth in [1, 3] {
        assert_eq!(client.recv(&mut answer).expect("an answer"), 1);
        assert_eq!(answer[0], nth);
    }
}

#[test]
fn nobody_asks_is_an_error_in_time() {
    let (server, _client) = pair("127.0.0.1");
    server.set_read_timeout(Some(Duration::from_millis(20))).expect("a time limit");
    let error = Batch::new().receive(&server).expect_err("nothing");
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}
