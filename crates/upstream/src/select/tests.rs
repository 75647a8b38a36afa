use super::*;

fn usable(priority: u32, weight: u32) -> Candidate {
    Candidate { priority, weight, usable: true }
}

fn bad(priority: u32, weight: u32) -> Candidate {
    Candidate { usable: false, ..usable(priority, weight) }
}

#[test]
fn nobody_is_an_empty_order() {
    assert!(order(&[], 1).is_empty());
}

#[test]
fn lower_priority_numbers_come_first_and_the_unusable_last() {
    let all = [usable(2, 1), bad(0, 100), usable(1, 1), bad(1, 1), usable(0, 1)];
    for random in 0..100 {
        assert_eq!(order(&all, random), [4, 2, 0, 1, 3]);
    }
}

#[test]
fn if_all_are_bad_all_are_tried() {
    let all = [bad(1, 1), bad(0, 1), bad(2, 1)];
    assert_eq!(order(&all, 9), [1, 0, 2]);
}

#[test]
fn each_comes_once() {
    let all: Vec<_> =
        (0..50).map(|n| Candidate { usable: n % 3 > 0, ..usable(n % 4, n) }).collect();
    for random in 0..200 {
        let mut seen = order(&all, random);
        seen.sort_unstable();
        assert_eq!(seen, (0..50).collect::<Vec<_>>());
    }
}

#[test]
fn weights_are_shares_of_the_first_place_and_of_the_next() {
    let all = [usable(0, 70), usable(0, 20), usable(0, 10)];
    let mut firsts = [0_u32; 3];
    let mut second_after_heavy = [0_u32; 3];
    let rounds = 20_000;
    for random in 0..rounds {
        let order = order(&all, random);
        firsts[order[0]] += 1;
        if order[0] == 0 {
            second_after_heavy[order[1]] += 1;
        }
    }
    let share = |count: u32, of: u32| f64::from(count) / f64::from(of);
    for (count, expected) in firsts.into_iter().zip([0.7, 0.2, 0.1]) {
        assert!((share(count, rounds as u32) - expected).abs() < 0.015, "{firsts:?}");
    }
    // Without the heavy one, 20 to 10.
    let light = share(second_after_heavy[1], firsts[0]);
    assert!((light - 2.0 / 3.0).abs() < 0.02, "{light}");
}

#[test]
fn weight_zero_is_only_a_reserve() {
    let all = [usable(0, 0), usable(0, u32::MAX), usable(0, 1)];
    for random in 0..500 {
        assert_eq!(order(&all, random)[2], 0);
    }
    assert_eq!(order(&[usable(0, 0)], 1), [0]);
}
