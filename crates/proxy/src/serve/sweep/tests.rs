use std::sync::atomic::AtomicBool;

use runtime::metrics::Metrics;

use super::*;
use crate::serve::open::Open;

/// A connection at tick 1 that may take a second for everything, and idle for two.
fn connection() -> Arc<Connection> {
    let limits = Limits {
        head_timeout_ms: 1_000,
        between_bytes_timeout_ms: 1_000,
        idle_timeout_ms: 2_000,
        ..Limits::default()
    };
    let open = Open::new(&ServeMetrics::new(&Metrics::default()).unwrap());
    let ticks = Arc::new(AtomicU32::new(1));
    let peer = "127.0.0.1:1".parse().unwrap();
    Connection::new(peer, Arc::new(limits), ticks, open.try_one_more(1).unwrap())
}

/// The first tick at which `connection` is overdue, and why.
fn first(connection: &Connection, stage: Stage) -> Option<(u32, Overdue)> {
    (1..100).find_map(|tick| Some((tick, overdue(connection, tick, stage)?)))
}

fn set(flag: &AtomicBool) {
    flag.store(true, Ordering::Relaxed);
}

#[test]
fn an_idle_connection_goes_after_its_time_and_sooner_when_the_process_leaves() {
    assert_eq!(first(&connection(), Stage::Running), Some((22, Overdue::Idle)));
    assert_eq!(first(&connection(), Stage::Draining), Some((12, Overdue::Drain)));
}

#[test]
fn an_unfinished_head_has_its_own_limit() {
    let slow = connection();
    slow.head_since.store(5, Ordering::Relaxed);
    assert_eq!(first(&slow, Stage::Running), Some((16, Overdue::Head)));
    assert_eq!(first(&slow, Stage::Draining), Some((16, Overdue::Head)));
}

#[test]
fn a_body_that_stops_and_a_client_that_does_not_take_are_cut() {
    let upload = connection();
    upload.in_service.store(1, Ordering::Relaxed);
    set(&upload.awaits_body);
    assert_eq!(first(&upload, Stage::Running), Some((12, Overdue::Body)));

    let stuck = connection();
    stuck.in_service.store(1, Ordering::Relaxed);
    set(&stuck.blocked);
    assert_eq!(first(&stuck, Stage::Running), Some((12, Overdue::Write)));
}

#[test]
fn a_piece_that_nobody_takes_ends_its_stream_and_no_other() {
    let limits = connection().limits.clone();
    let first = |stream: &Stream| (1..100).find(|tick| is_stalled(stream, &limits, *tick));
    let waits_for_the_origin = Stream::default();
    assert_eq!(first(&waits_for_the_origin), None);
    let stalled = Stream::default();
    stalled.offered.store(1, Ordering::Relaxed);
    stalled.taken_at.store(5, Ordering::Relaxed);
    assert_eq!(first(&stalled), Some(16));
}

#[test]
fn who_says_something_over_http2_and_asks_nothing_is_idle() {
    let pings = connection();
    set(&pings.http2);
    pings.ended_at.store(5, Ordering::Relaxed);
    pings.read_at.store(50, Ordering::Relaxed);
    pings.wrote_at.store(50, Ordering::Relaxed);
    assert_eq!(first(&pings, Stage::Running), Some((26, Overdue::Idle)));
    // Dismissed, it has time for what is on its way.
    set(&pings.dismissed);
    assert_eq!(first(&pings, Stage::Running), Some((36, Overdue::Stays)));
    pings.in_service.store(1, Ordering::Relaxed);
    assert_eq!(first(&pings, Stage::Running), None);
}

#[test]
fn a_request_that_waits_for_the_origin_is_nobodys_fault() {
    let busy = connection();
    busy.in_service.store(1, Ordering::Relaxed);
    assert_eq!(first(&busy, Stage::Draining), None);
}

#[test]
fn a_quiet_tunnel_goes_like_an_idle_connection() {
    let tunnel = connection();
    tunnel.becomes_tunnel();
    tunnel.in_service.store(1, Ordering::Relaxed);
    assert_eq!(first(&tunnel, Stage::Draining), Some((22, Overdue::Idle)));
}
