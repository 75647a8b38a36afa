use super::*;

#[test]
fn a_network_has_so_many_and_gives_them_back() {
    let seats = Seats::default();
    let client = |last: u8| IpAddr::from([192, 0, 2, last]);
    let mut held: Vec<_> = (0..EACH).map(|n| seats.take(client(n as u8)).unwrap()).collect();
    assert!(seats.take(client(200)).is_none());
    assert!(seats.take(IpAddr::from([192, 0, 3, 1])).is_some(), "another network");
    held.pop();
    assert!(seats.take(client(200)).is_some());
    drop(held);
    assert!(seats.0.lock().is_empty(), "nothing is remembered of who is gone");
}

#[test]
fn networks_are_those_of_a_household() {
    let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
    assert!(same("192.0.2.1", "192.0.2.255") && !same("192.0.2.1", "192.0.3.1"));
    assert!(same("::ffff:192.0.2.1", "192.0.2.9"));
    assert!(
        same("2001:db8:0:ff::1", "2001:db8:0:01::2") && !same("2001:db8::", "2001:db8:0:100::")
    );
}
