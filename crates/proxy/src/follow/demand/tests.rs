use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_rate_is_of_the_last_seconds() {
    let mut rate = Rate::default();
    assert_eq!(rate.update(1_000, at(5)), None, "since when is not known");
    assert_eq!(rate.update(1_100, at(6)), Some(100));
    assert_eq!(rate.update(1_100, at(6)), Some(100), "the same moment");
    let mut total = 1_100;
    let mut last = 100;
    for second in 7..20 {
        total += 1_000;
        let now = rate.update(total, at(second)).expect("known");
        assert!(now > last || now == 1_000, "{last} then {now}");
        last = now;
    }
    assert!((990..=1_000).contains(&last), "{last}");
    let after_a_pause = rate.update(total, at(60)).expect("known");
    assert_eq!(after_a_pause, 0);
}

#[test]
fn odd_counts_give_some_rate() {
    let mut rate = Rate::default();
    rate.update(5, at(1));
    assert_eq!(rate.update(u64::MAX, at(2)), Some(u32::MAX));
    assert!(rate.update(0, at(3)).is_some());
    assert!(rate.update(0, at(2)).is_some(), "a clock that stands");
}
