use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::ring::tests::{equals, keys, member};
use Standing::{Down, Serves, Warming};

/// ⌈percent / 100 · (in hand + 1) · weight / weights⌉ of the members that serve.
fn bound(ring: &HashRing, percent: u32, standings: &[Standing], place: usize) -> u64 {
    let (mut all, mut weights) = (1, 0);
    for (member, standing) in ring.members().iter().zip(standings) {
        if let (Serves(load), true) = (*standing, member.weight > 0) {
            all += u64::from(load);
            weights += u64::from(member.weight);
        }
    }
    let share = u64::from(percent) * all * u64::from(ring.members()[place].weight);
    share.div_ceil(100 * weights)
}

#[test]
fn the_owner_takes_it_while_it_can() {
    let ring = HashRing::new(&equals(4));
    for key in keys(100) {
        let owner = ring.owner(key).unwrap();
        let pick = ring.pick(key, 125, |_| Serves(0)).unwrap();
        assert_eq!(pick, Pick { member: owner, reason: PickReason::Owner });
        // 4 · 8 in hand: each may take up to ⌈1.25 · 33 / 4⌉ = 11.
        let at = |load| move |place| Serves(if place == owner { load } else { (32 - load) / 3 });
        assert_eq!(ring.pick(key, 125, at(8)).unwrap().member, owner);
        let pick = ring.pick(key, 125, at(11)).unwrap();
        assert_eq!(pick.reason, PickReason::OwnerBusy);
        assert_eq!(Some(pick.member), ring.successors(key).nth(1));
    }
}

#[test]
fn says_why_it_is_another() {
    let ring = HashRing::new(&equals(3));
    let order: Vec<_> = ring.successors(7).collect();
    let pick = |standings: [Standing; 3]| {
        let standing = |place| standings[order.iter().position(|p| *p == place).unwrap()];
        ring.pick(7, 125, standing).map(|pick| {
            (order.iter().position(|place| *place == pick.member).unwrap(), pick.reason.as_str())
        })
    };
    assert_eq!(pick([Serves(0), Serves(0), Serves(0)]), Some((0, "owner")));
    assert_eq!(pick([Down, Serves(0), Serves(0)]), Some((1, "owner-down")));
    assert_eq!(pick([Warming, Serves(0), Serves(0)]), Some((1, "owner-warming")));
    assert_eq!(pick([Serves(9), Serves(0), Serves(0)]), Some((1, "owner-busy")));
    assert_eq!(pick([Warming, Serves(9), Serves(0)]), Some((2, "owner-warming")));
    assert_eq!(pick([Down, Warming, Serves(900)]), Some((2, "owner-down")));
    assert_eq!(pick([Down, Warming, Down]), None);
}

#[test]
fn somebody_takes_it_even_if_loads_rise_meanwhile() {
    let ring = HashRing::new(&equals(3));
    let asked = Cell::new(0);
    let pick = ring.pick(7, 125, |_| {
        asked.set(asked.get() + 1);
        Serves(if asked.get() <= 3 { 0 } else { 1_000 })
    });
    let owner = ring.owner(7).unwrap();
    assert_eq!(pick, Some(Pick { member: owner, reason: PickReason::Owner }));
    assert_eq!(asked.get(), 6, "the second look saw others than the first");
}

#[test]
fn the_greatest_numbers_do_no_harm() {
    let ring = HashRing::new(&[member("a", 1_000), member("b", 1_000)]);
    let full = |place| Serves(if place == 0 { u32::MAX } else { u32::MAX - 1 });
    for key in keys(20) {
        assert_eq!(ring.pick(key, 0, full).unwrap().member, 1, "less than 100 counts as 100");
        assert_eq!(ring.pick(key, u32::MAX, full).unwrap().reason, PickReason::Owner);
    }
}

#[test]
fn one_hot_key_spreads_no_further_than_it_must() {
    let ring = HashRing::new(&equals(5));
    let mut loads = [0; 5];
    for _ in 0..1_000 {
        loads[ring.pick(7, 125, |place| Serves(loads[place])).unwrap().member] += 1;
    }
    assert_eq!(
        ring.successors(7).map(|place| loads[place]).collect::<Vec<_>>(),
        [250, 250, 250, 250, 0]
    );
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![4 => (0u32..40).prop_map(Serves), 1 => Just(Down), 1 => Just(Warming)]
}

proptest! {
    #[test]
    fn it_is_the_first_below_its_bound(
        weights in proptest::collection::vec(0u32..=5, 0..7),
        standings in proptest::collection::vec(standing(), 7),
        percent in 100u32..300,
        key in any::<u64>(),
    ) {
        let members = weights.iter().enumerate();
        let members: Vec<_> = members.map(|(n, w)| member(&format!("s{n}"), *w)).collect();
        let ring = HashRing::new(&members);
        let may = |place: usize| match standings[place] {
            Serves(load) => u64::from(load) < bound(&ring, percent, &standings, place),
            Down | Warming => false,
        };
        let pick = ring.pick(key, percent, |place| standings[place]);
        prop_assert_eq!(pick.map(|pick| pick.member), ring.successors(key).find(|p| may(*p)));
        let serves = |place: usize| matches!(standings[place], Serves(_));
        prop_assert_eq!(pick.is_some(), ring.successors(key).any(serves), "somebody always may");
        if let Some(pick) = pick {
            prop_assert_eq!(pick.reason == PickReason::Owner, ring.owner(key) == Some(pick.member));
        }
    }

    #[test]
    fn nobody_ever_holds_more_than_the_bound(
        weights in proptest::collection::vec(1u32..=5, 1..6),
        percent in 100u32..200,
        keys in proptest::collection::vec(0u64..4, 1..200),
    ) {
        let members = weights.iter().enumerate();
        let members: Vec<_> = members.map(|(n, w)| member(&format!("s{n}"), *w)).collect();
        let ring = HashRing::new(&members);
        let mut standings = vec![Serves(0); members.len()];
        for key in keys {
            let place = ring.pick(key << 61, percent, |place| standings[place]).unwrap().member;
            let most = bound(&ring, percent, &standings, place);
            let Serves(load) = &mut standings[place] else { unreachable!() };
            *load += 1;
            prop_assert!(u64::from(*load) <= most);
        }
    }
}
