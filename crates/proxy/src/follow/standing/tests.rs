use super::*;

const LEASE: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn position(epoch: &str) -> LogPosition {
    LogPosition { epoch: epoch.into(), seq: Seq { ms: 1, n: 0 } }
}

#[test]
fn a_node_that_always_serves_is_never_unvouched() {
    assert!(!Standing::default().unvouched(|| at(1 << 40)));
}

#[test]
fn a_lease_counts_from_the_sending_of_a_heartbeat() {
    let standing = Standing::default();
    assert!(standing.renew(at(5), LEASE, at(6)));
    assert!(!standing.unvouched(|| at(14)));
    assert!(standing.unvouched(|| at(15)));
}

#[test]
fn a_node_that_never_heard_of_the_log_has_a_lease_all_the_same() {
    let standing = Standing::default();
    standing.begin(at(0), LEASE);
    standing.begin(at(9), LEASE);
    assert!(!standing.unvouched(|| at(9)));
    assert!(standing.unvouched(|| at(10)));
}

#[test]
fn trust_that_ran_out_comes_back_only_by_reading_the_log_again() {
    let standing = Standing::default();
    standing.renew(at(0), LEASE, at(0));
    assert!(!standing.renew(at(20), LEASE, at(20)));
    standing.owe(at(20), LEASE);
    // Told before the heartbeat was heard: it says nothing of what came since.
    standing.caught_up(&position("a"));
    assert!(standing.unvouched(|| at(20)));
    standing.reads_again();
    assert!(standing.unvouched(|| at(20)));
    standing.caught_up(&position("a"));
    assert!(!standing.unvouched(|| at(29)));
    assert!(standing.unvouched(|| at(30)));
}

#[test]
fn a_position_is_of_the_log_that_was_read_last() {
    let standing = Standing::default();
    let seq = Seq { ms: 1, n: 0 };
    assert_eq!(standing.position(seq), None);
    standing.moved_to("a");
    assert_eq!(standing.position(seq), Some(position("a")));
    standing.lost_place();
    assert_eq!(standing.position(seq), None);
}
