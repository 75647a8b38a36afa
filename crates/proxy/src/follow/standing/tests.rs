use super::*;

const LEASE: Lease = Lease::For(Duration::from_secs(10));

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn position(epoch: &str) -> LogPosition {
    LogPosition { epoch: epoch.into(), seq: Seq { ms: 1, n: 0 } }
}

/// Known to the log at `sent`, and caught up.
fn joined(sent: u64, lease: Lease) -> Standing {
    let standing = Standing::default();
    standing.follow();
    standing.owe(at(sent), lease);
    standing.reads_again();
    standing.caught_up(&position("a"));
    standing
}

#[test]
fn a_node_without_a_log_is_trusted() {
    assert!(!Standing::default().unvouched(|| at(1 << 40)));
}

#[test]
fn a_node_that_the_log_does_not_know_is_not() {
    let standing = Standing::default();
    standing.follow();
    assert!(standing.unvouched(|| at(0)));
    standing.caught_up(&position("a"));
    assert!(standing.unvouched(|| at(0)));
}

#[test]
fn one_that_always_serves_is_trusted_once_it_caught_up() {
    assert!(!joined(0, Lease::ForEver).unvouched(|| at(1 << 40)));
}

#[test]
fn a_lease_counts_from_the_sending_of_a_heartbeat() {
    let standing = joined(0, LEASE);
    assert!(standing.renew(at(5), LEASE, at(6)));
    assert!(!standing.unvouched(|| at(14)));
    assert!(standing.unvouched(|| at(15)));
}

#[test]
fn a_shorter_lease_counts_from_the_heartbeat_that_told_of_it_heard_or_not() {
    let standing = joined(0, Lease::ForEver);
    standing.promise(at(5), LEASE);
    assert!(!standing.unvouched(|| at(14)));
    assert!(standing.unvouched(|| at(15)));
    // And none is made longer by telling alone.
    standing.promise(at(9), LEASE);
    assert!(standing.unvouched(|| at(15)));
}

#[test]
fn trust_that_ran_out_comes_back_only_by_reading_the_log_anew() {
    let standing = joined(0, LEASE);
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

#[test]
fn a_position_of_one_log_is_not_told_as_one_of_the_next() {
    let standing = Standing::default();
    assert_eq!(standing.position_of(|| Seq::ZERO), None);
    standing.moved_to("one");
    let at = Seq { ms: 7, n: 1 };
    let told = standing.position_of(|| at);
    assert_eq!(told.as_ref().map(|told| (told.epoch.as_str(), told.seq)), Some(("one", at)));
    // A whole gap lies between looking at the store and saying what was seen.
    let overtaken = standing.position_of(|| {
        standing.lost_place();
        standing.moved_to("two");
        at
    });
    assert_eq!(overtaken, None);
}
