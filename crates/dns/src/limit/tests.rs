use proptest::prelude::*;

use super::*;

fn limits() -> AnswerLimits {
    AnswerLimits {
        answers_per_second: 10,
        errors_per_second: 2,
        window: 3,
        slip: 2,
        ..AnswerLimits::default()
    }
}

fn limiter() -> Limiter {
    Limiter::new(limits(), 4_096, 7)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How many of so many answers at one moment are sent, slipped and dropped.
fn burst(limiter: &mut Limiter, peer: &str, kind: Kind, count: u32, now: u64) -> [u32; 3] {
    let mut counts = [0; 3];
    for _ in 0..count {
        counts[limiter.check(ip(peer), kind, 1, at(now)) as usize] += 1;
    }
    counts
}

#[test]
fn a_burst_passes_then_the_rate() {
    let mut limiter = limiter();
    assert_eq!(burst(&mut limiter, "192.0.2.1", Kind::Answer, 50, 0), [30, 10, 10]);
    assert_eq!(burst(&mut limiter, "192.0.2.1", Kind::Answer, 9, 500), [5, 2, 2]);
    assert_eq!(burst(&mut limiter, "192.0.2.1", Kind::Answer, 50, 100_000), [30, 10, 10]);
    assert_eq!(
        burst(&mut limiter, "192.0.2.1", Kind::Answer, 2, 99_000),
        [0, 1, 1],
        "back in time"
    );
}

#[test]
fn networks_answers_and_kinds_have_their_own() {
    let mut limiter = limiter();
    assert_eq!(burst(&mut limiter, "192.0.2.1", Kind::Answer, 30, 0)[0], 30);
    assert_eq!(burst(&mut limiter, "192.0.2.99", Kind::Answer, 1, 0)[0], 0, "the same network");
    assert_eq!(burst(&mut limiter, "::ffff:192.0.2.9", Kind::Answer, 1, 0)[0], 0, "still the same");
    assert_eq!(burst(&mut limiter, "192.0.3.1", Kind::Answer, 1, 0)[0], 1);
    assert_eq!(burst(&mut limiter, "192.0.2.1", Kind::Error, 10, 0)[0], 6);
    assert_eq!(limiter.check(ip("192.0.2.1"), Kind::Answer, 2, at(0)), Limited::Send);
    assert_eq!(burst(&mut limiter, "2001:db8::1", Kind::Answer, 30, 0)[0], 30);
    assert_eq!(burst(&mut limiter, "2001:db8:0:ff::1", Kind::Answer, 1, 0)[0], 0);
    assert_eq!(burst(&mut limiter, "2001:db8:0:100::1", Kind::Answer, 1, 0)[0], 1);
}

#[test]
fn limits_can_be_off_and_change() {
    let off = AnswerLimits { answers_per_second: 0, ..limits() };
    let mut limiter = Limiter::new(off, 16, 7);
    assert_eq!(burst(&mut limiter, "192.0.2.1", Kind::Error, 1_000, 0), [1_000, 0, 0]);
    limiter.set_limits(AnswerLimits { slip: 0, ..limits() });
    assert_eq!(burst(&mut limiter, "192.0.2.1", Kind::Answer, 50, 0), [30, 0, 20]);
    limiter.set_limits(AnswerLimits { slip: 1, errors_per_second: 0, ..limits() });
    assert_eq!(burst(&mut limiter, "192.0.2.1", Kind::Error, 50, 0), [30, 20, 0], "as answers");
}

#[test]
fn memory_is_bounded_and_the_busy_stay_limited() {
    let mut limiter = Limiter::new(limits(), 4_096, 7);
    let bytes = std::mem::size_of_val(&*limiter.buckets);
    assert_eq!(bytes, 4_096 * 24);
    burst(&mut limiter, "192.0.2.1", Kind::Answer, 30, 0);
    let mut sent = 0;
    for nth in 0u32..100_000 {
        let other = IpAddr::from((0x0A00_0000 + (nth << 8)).to_be_bytes());
        limiter.check(other, Kind::Answer, 1, at(u64::from(nth / 1_000)));
        if nth % 10 == 0 {
            sent += burst(&mut limiter, "192.0.2.1", Kind::Answer, 1, u64::from(nth / 1_000))[0];
        }
    }
    assert!(sent <= 40, "{sent} in a tenth of a second");
    assert_eq!(std::mem::size_of_val(&*limiter.buckets), bytes);
}

proptest! {
    #[test]
    fn nobody_gets_more_than_its_rate(
        pauses in prop::collection::vec(0u64..200, 1..400), v4_prefix in 0u8..=40, v6: u128,
    ) {
        let mut limiter = Limiter::new(AnswerLimits { v4_prefix, ..limits() }, 64, 7);
        let (mut now, mut sent) = (0, 0);
        for pause in pauses {
            now += pause;
            sent += u64::from(limiter.check(ip("192.0.2.1"), Kind::Answer, 1, at(now)) == Limited::Send);
            let _ = limiter.check(std::net::Ipv6Addr::from(v6).into(), Kind::Answer, 1, at(now));
        }
        prop_assert!(sent <= 30 + now * 10 / 1_000 + 1, "{} in {} ms", sent, now);
    }
}
