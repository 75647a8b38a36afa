use proptest::prelude::*;

use super::*;

const DAY: u64 = 86_400_000;

fn timeouts(connect_ms: u64, first_byte_ms: u64, between_bytes_ms: u64, total_ms: u64) -> Timeouts {
    Timeouts { connect_ms, first_byte_ms, between_bytes_ms, total_ms }
}

fn queue(queue_timeout_ms: u64) -> OriginLimits {
    OriginLimits { queue_timeout_ms, ..OriginLimits::default() }
}

#[test]
fn a_tenth_is_for_the_way() {
    for (edge, shield) in
        [(100, 50), (500, 450), (10_000, 9_000), (30_000, 27_000), (60_000, 57_000)]
    {
        assert_eq!((below(edge), above(shield)), (shield, edge));
    }
}

#[test]
fn what_fits_stays_as_it_is() {
    let shield = timeouts(5_000, 7_000, 8_000, 60_000);
    let edge = timeouts(1_000, 30_000, 30_000, 3_600_000);
    assert_eq!(within(&edge, &shield, &queue(5_000)), (shield, queue(5_000)));
}

#[test]
fn an_impatient_edge_makes_all_shorter() {
    let shield = timeouts(8_000, 30_000, 30_000, 3_600_000);
    let edge = timeouts(1_000, 10_000, 1_000, 20_000);
    let expected = (timeouts(6_750, 6_750, 900, 18_000), queue(2_250));
    assert_eq!(within(&edge, &shield, &queue(5_000)), expected);
}

proptest! {
    #[test]
    fn the_shield_is_always_done_first(
        first_byte in LEAST..=DAY,
        more in 0..=DAY,
        between in LEAST..=DAY,
        own in (1..=DAY, 1..=DAY, 1..=DAY, 0..=DAY),
    ) {
        let edge = timeouts(1, first_byte, between, first_byte + more);
        let (wait, own_first, own_between, own_more) = own;
        let shield = timeouts(own_first, own_first, own_between, wait + own_first + own_more);
        let (times, limits) = within(&edge, &shield, &queue(wait));
        prop_assert!(limits.queue_timeout_ms + times.first_byte_ms < edge.first_byte_ms);
        prop_assert!(limits.queue_timeout_ms + times.first_byte_ms <= times.total_ms);
        prop_assert!(times.between_bytes_ms < edge.between_bytes_ms);
        prop_assert!(times.total_ms < edge.total_ms);
        prop_assert!(times.connect_ms <= times.first_byte_ms);
        prop_assert!(times.connect_ms > 0 && times.between_bytes_ms > 0 && limits.queue_timeout_ms > 0);
        prop_assert!(times.first_byte_ms <= shield.first_byte_ms && times.total_ms <= shield.total_ms);
    }

    #[test]
    fn what_a_shield_needs_is_what_it_gets(
        wait in 1..=DAY, first_byte in 1..=DAY, between in 1..=DAY, more in 0..=DAY,
    ) {
        let shield = timeouts(first_byte, first_byte, between, wait + first_byte + more);
        let edge = around(&shield, &queue(wait));
        prop_assert!(edge.connect_ms <= edge.first_byte_ms && edge.first_byte_ms <= edge.total_ms);
        prop_assert_eq!(within(&edge, &shield, &queue(wait)), (shield, queue(wait)));
    }
}
