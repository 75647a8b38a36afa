//! How long an answer takes. `cargo test -p dns --release speed -- --ignored --nocapture`; a database of places
//! from `GEO_DATABASE`, files with commas between.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::Instant;

use super::*;

fn measure(what: &str, mut one: impl FnMut(u32)) {
    const ROUNDS: u32 = 400_000;
    (0..ROUNDS / 10).for_each(&mut one);
    let start = Instant::now();
    (0..ROUNDS).for_each(&mut one);
    println!("{what}: {:.0} ns", start.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
}

fn find(what: &str, database: &Database) {
    measure(&format!("{what}, any network"), |nth| {
        let address = IpAddr::from(nth.wrapping_mul(2_654_435_761).to_be_bytes());
        assert!(database.find(address).bits <= 32);
    });
    measure(&format!("{what}, one of a thousand networks"), |nth| {
        let address = IpAddr::from((nth % 1_000).wrapping_mul(2_654_435_761).to_be_bytes());
        assert!(database.find(address).bits <= 32);
    });
}

pub(super) fn database_of_the_environment() -> Option<Database> {
    let files = std::env::var("GEO_DATABASE").ok()?;
    let read = |path: &str| std::fs::read(path).expect("the file");
    Some(Database::new(files.split(',').map(read).collect()).expect("a database"))
}

#[test]
#[ignore = "a measurement"]
fn speed_of_answers() {
    let (view, small) = (view(), places());
    let mut large = database_of_the_environment();
    let mut out = [0; MAX_TCP];
    let peer: IpAddr = PEER.parse().unwrap();
    let packet = query("cdn.example.com.", RecordType::A, Some("8.8.8.0/24"));
    let address = packet.len() - 3;
    let run = |what: &str, database: Option<&Database>| {
        let mut packet = packet.clone();
        let mut out = [0; MAX_UDP];
        measure(what, |nth| {
            // Other networks each time, as the resolvers of the world send them.
            let network = nth.wrapping_mul(2_654_435_761).to_be_bytes();
            packet[address..].copy_from_slice(&network[..3]);
            let got = answer(&packet, peer, Transport::Udp, &view, database, &mut out);
            assert!(got.length > 60);
        });
    };
    run("A with subnet, no database", None);
    run("A with subnet, small database", Some(&small));
    if let Some(large) = &large {
        run("A with subnet, large database", Some(large));
        find("a find", large);
    }
    if let Some(large) = &mut large {
        large.prepare().expect("whole");
        find("a find when prepared", large);
        run("A with subnet, large database prepared", Some(large));
    }
    measure("reading the query", |_| assert!(read(&packet).is_ok()));
    let missing = query("b.deep.cdn.example.com.", RecordType::A, None);
    measure("a name that does not exist", |_| {
        let got = answer(&missing, peer, Transport::Udp, &view, None, &mut out);
        assert_eq!(got.outcome, Outcome::NxDomain);
    });
    measure("the other implementation: reading alone", |_| {
        assert!(Message::from_vec(&packet).is_ok());
    });
    let answered = answer(&packet, peer, Transport::Udp, &view, Some(&small), &mut out);
    let message = Message::from_vec(&out[..answered.length]).expect("a message");
    measure("the other implementation: writing alone", |_| {
        assert!(message.to_vec().is_ok());
    });
}
