use super::*;
use proptest::prelude::*;

#[test]
fn seconds_round_down_before_the_epoch_too() {
    assert_eq!(Timestamp::from_millis(1999).as_secs(), 1);
    assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
}

#[test]
fn since_never_goes_negative() {
    let early = Timestamp::from_secs(10);
    let late = Timestamp::from_secs(12);
    assert_eq!(late.since(early), Duration::from_secs(2));
    assert_eq!(early.since(late), Duration::ZERO);
}

#[test]
fn arithmetic_stops_at_the_ends() {
    let max = Timestamp::from_millis(i64::MAX);
    assert_eq!(max.saturating_add(Duration::MAX), max);
    let min = Timestamp::from_millis(i64::MIN);
    assert_eq!(min.saturating_sub(Duration::MAX), min);
    assert_eq!(Timestamp::from_secs(i64::MAX).as_millis(), i64::MAX);
}

proptest! {
    #[test]
    fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = parse_http_date(&bytes);
    }

    #[test]
    fn formatting_never_panics(millis in any::<i64>()) {
        prop_assert_eq!(format_http_date(Timestamp::from_millis(millis)).len(), 29);
    }

    #[test]
    fn dates_round_trip(secs in 0i64..253_402_300_799) {
        let at = Timestamp::from_secs(secs);
        prop_assert_eq!(parse_http_date(format_http_date(at).as_bytes()), Some(at));
    }
}
