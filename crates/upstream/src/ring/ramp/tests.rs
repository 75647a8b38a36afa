use proptest::prelude::*;

use super::*;
use crate::ring::HashRing;
use crate::ring::tests::{equals, keys};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const RAMP: Ramp = Ramp { since: s(100), over: s(60) };

#[test]
fn the_share_rises_from_none_to_all() {
    let shares = [0, 99, 100, 115, 130, 160, 1_000].map(|now| RAMP.share(s(now)));
    assert_eq!(shares, [0.0, 0.0, 0.0, 0.25, 0.5, 1.0, 1.0]);
    assert!(!RAMP.is_over(s(159)) && RAMP.is_over(s(160)));
    let at_once = Ramp { over: s(0), ..RAMP };
    assert!(at_once.is_over(s(100)) && at_once.takes(7, s(100)));
    let longest = Ramp { since: s(0), over: Duration::MAX };
    assert!(longest.share(Duration::MAX - s(1)) <= 1.0);
    assert_eq!(longest.share(Duration::MAX), 1.0);
}

#[test]
fn it_takes_as_many_keys_as_its_share() {
    for (now, share) in [(100, 0), (115, 2_500), (130, 5_000), (145, 7_500), (160, 10_000)] {
        let taken = keys(10_000).filter(|key| RAMP.takes(*key, s(now))).count();
        assert!(taken.abs_diff(share) <= 150, "{taken} at {now}");
        assert_eq!(taken == 10_000, now == 160);
        assert_eq!(taken == 0, now == 100);
    }
}

/// Which keys move first is the same for all nodes and releases.
#[test]
fn the_order_of_keys_is_fixed() {
    let taken: Vec<_> = (0..20u64).filter(|hash| RAMP.takes(*hash, s(115))).collect();
    let by_hand = (0..20u64).filter(|hash| xxh3_64(&hash.to_le_bytes()) < 1 << 62);
    assert_eq!(taken, by_hand.collect::<Vec<_>>());
    assert!(!taken.is_empty() && taken.len() < 20);
}

/// A fifth member comes: keys go from who had them to it, each once, and the last of them at the end.
#[test]
fn keys_move_once_from_who_had_them_to_the_newcomer() {
    let before = HashRing::new(&equals(4));
    let ring = HashRing::new(&equals(5));
    for key in keys(2_000) {
        let mut moved = false;
        for now in 90..=165 {
            let serves = |place: &usize| *place != 4 || RAMP.takes(key, s(now));
            let owner = ring.successors(key).find(serves);
            assert!(owner == before.owner(key) || owner == Some(4));
            assert!(!moved || owner == Some(4), "it moved back");
            moved = owner == Some(4);
        }
        assert_eq!(moved, ring.owner(key) == Some(4));
    }
}

proptest! {
    #[test]
    fn the_share_never_falls(
        since in any::<Duration>(),
        over in any::<Duration>(),
        a in any::<Duration>(),
        b in any::<Duration>(),
        key in any::<u64>(),
    ) {
        let ramp = Ramp { since, over };
        let (early, late) = (a.min(b), a.max(b));
        prop_assert!(ramp.share(early) <= ramp.share(late));
        prop_assert!((0.0..=1.0).contains(&ramp.share(early)));
        prop_assert!(!ramp.takes(key, early) || ramp.takes(key, late));
    }

    #[test]
    fn the_share_never_falls_nearby(
        over in 1u64..1_000_000_000_000,
        at in 0u64..1_000_000_000_000,
        step in 0u64..1_000,
        key in any::<u64>(),
    ) {
        let ns = Duration::from_nanos;
        let ramp = Ramp { since: s(5), over: ns(over) };
        let (early, late) = (s(5) + ns(at), s(5) + ns(at + step));
        prop_assert!(ramp.share(early) <= ramp.share(late));
        prop_assert!(!ramp.takes(key, early) || ramp.takes(key, late));
    }
}
