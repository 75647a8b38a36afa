use super::*;

#[test]
fn a_unit_is_at_least_zero_and_below_one() {
    assert_eq!(unit(0), 0.0);
    assert!(unit(u64::MAX) < 1.0);
    assert!(unit(u64::MAX) > 0.999_999);
}

#[test]
fn jitter_takes_away_at_most_half() {
    let time = Duration::from_secs(10);
    assert_eq!(jittered(time, 0), time / 2);
    assert!(jittered(time, u64::MAX) <= time);
    assert!(jittered(time, u64::MAX) > time.mul_f64(0.999));
    assert_eq!(jittered(Duration::ZERO, u64::MAX), Duration::ZERO);
    // The longest time there is does not overflow.
    assert!(jittered(Duration::MAX, u64::MAX) <= Duration::MAX);
}

#[test]
fn a_sequence_is_even_and_repeatable() {
    let mut sequence = Sequence(7);
    let mean = (0..10_000).map(|_| unit(sequence.next())).sum::<f64>() / 10_000.0;
    assert!((mean - 0.5).abs() < 0.01, "{mean}");
    assert_eq!(Sequence(7).next(), Sequence(7).next());
    assert_ne!(Sequence(7).next(), Sequence(8).next());
}
