use std::sync::atomic::AtomicBool;

use runtime::metrics::IntGauge;

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
    let open = Open::new(IntGauge::new("open", "Open.").unwrap());
    let ticks = Arc::new(AtomicU32::new(1));
    let peer = "127.0.0.1:1".parse().unwrap();
    Connection::new(peer, Arc::new(limits), ticks, open.one_more())
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
fn answers_that_nobody_takes_are_cut_and_those_that_wait_for_the_origin_are_not() {
    let stalled = connection();
    stalled.in_service.store(2, Ordering::Relaxed);
    stalled.offered.store(1, Ordering::Relaxed);
    assert_eq!(first(&stalled, Stage::Running), None);
    stalled.offered.store(2, Ordering::Relaxed);
    stalled.asked_at.store(5, Ordering::Relaxed);
    assert_eq!(first(&stalled, Stage::Running), Some((16, Overdue::Write)));
    stalled.wrote_at.store(9, Ordering::Relaxed);
    assert_eq!(first(&stalled, Stage::Running), Some((20, Overdue::Write)));
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
