use super::*;

#[test]
fn a_manual_clock_moves_only_by_hand() {
    let clock = Clock::manual(1_000);
    let copy = clock.clone();
    assert_eq!(clock.now_millis(), 1_000);
    copy.advance(Duration::from_secs(2));
    assert_eq!(clock.now_millis(), 3_000);
    assert_eq!(clock.monotonic(), Duration::from_secs(3));
}

#[test]
fn the_system_clock_is_in_this_century() {
    let clock = Clock::system();
    assert!(clock.now_millis() > 1_700_000_000_000);
    assert!(clock.monotonic() <= clock.monotonic());
}
