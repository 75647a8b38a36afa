use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::ring::hash_key;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn hot_keys(times: u16, counters: usize) -> HotKeys {
    HotKeys::new(HotSettings { times, window: ms(1_000), counters })
}

/// What `key` is told, asked for at each of these milliseconds.
fn told(hot: &mut HotKeys, at: impl IntoIterator<Item = u64>) -> Vec<bool> {
    at.into_iter().map(|now| hot.ask(hash_key(b"key"), ms(now))).collect()
}

#[test]
fn a_key_is_hot_from_the_nth_time_on() {
    let mut hot = hot_keys(3, 1024);
    assert_eq!(told(&mut hot, [0, 10, 20, 30]), [false, false, true, true]);
    assert!(!hot.ask(hash_key(b"other"), ms(30)));
    assert_eq!(told(&mut hot_keys(0, 0), [0]), [true], "0 counts as 1");
}

#[test]
fn what_is_within_a_window_counts_over_its_border() {
    assert_eq!(told(&mut hot_keys(3, 64), [900, 990, 1_010]), [false, false, true]);
    assert_eq!(told(&mut hot_keys(3, 64), [7_900, 8_000, 8_890]), [false, false, true]);
}

#[test]
fn what_is_long_ago_does_not_count() {
    for pause in [2_000, 2_001, 60_000] {
        let mut hot = hot_keys(3, 64);
        assert_eq!(told(&mut hot, [0, 1, 2]), [false, false, true]);
        assert_eq!(told(&mut hot, [pause, pause + 1]), [false, false], "{pause}");
    }
    // Two windows are remembered, not three.
    let told = told(&mut hot_keys(3, 64), [0, 800, 1_600, 2_400, 3_200]);
    assert_eq!(told, [false, false, true, false, false]);
}

#[test]
fn a_window_of_nothing_and_times_that_go_back_do_no_harm() {
    let settings = HotSettings { times: 2, window: ms(0), counters: 64 };
    assert_eq!(told(&mut HotKeys::new(settings), [0, 0, 5]), [false, false, false]);
    let settings = HotSettings { window: Duration::MAX, ..settings };
    assert_eq!(told(&mut HotKeys::new(settings), [0, u64::MAX]), [false, true]);
    assert_eq!(told(&mut hot_keys(3, 64), [5_000, 4_990, 4_000]), [false, false, true]);
}

#[test]
fn counters_stop_at_their_greatest() {
    let mut hot = hot_keys(u16::MAX, 64);
    let told = told(&mut hot, std::iter::repeat_n(0, 70_000));
    assert_eq!(told.iter().position(|hot| *hot), Some(65_534));
    assert!(told[65_534..].iter().all(|hot| *hot));
}

#[test]
fn memory_is_bounded() {
    let counters = |n| Sketch::new(n).rows.map(|row| row.len());
    assert_eq!(counters(0), [64; ROWS]);
    assert_eq!(counters(65), [128; ROWS]);
    assert_eq!(counters(usize::MAX), [1 << 20; ROWS]);
}

#[test]
fn a_key_has_another_counter_in_each_row() {
    assert_eq!(places(7), [7, 8, 9, 10], "whatever the upper half is");
    assert_eq!(places(5 << 32 | 7), [7, 12, 17, 22]);
}

/// As many different keys as there are counters, each asked for twice, and ten that are hot.
#[test]
fn next_to_no_cold_key_passes_for_hot() {
    let mut hot = hot_keys(10, 1 << 14);
    let mut wrong = 0;
    for round in 0..20u64 {
        for key in 0..10u64 {
            let is_hot = hot.ask(hash_key(&key.to_le_bytes()), ms(500));
            assert!(is_hot || round < 9);
        }
        for n in 0..1_638u64 {
            let key = 1_000 + (round % 10) * 1_638 + n;
            wrong += usize::from(hot.ask(hash_key(&key.to_le_bytes()), ms(500)));
        }
    }
    assert!(wrong <= 16, "{wrong} of 32,760");
}

proptest! {
    /// Against all the times written down: never missed within a window, never told without cause over two
    /// (seven keys do not share counters).
    #[test]
    fn it_is_told_when_it_should(
        asks in proptest::collection::vec((0u64..7, 0u64..700), 1..200),
        times in 1u16..6,
    ) {
        let mut hot = hot_keys(times, 4096);
        let mut asked = vec![VecDeque::new(); 7];
        let mut now = 0;
        for (key, pause) in asks {
            now += pause;
            let asked = &mut asked[key as usize];
            asked.push_back(now);
            let within = |span: u64| asked.iter().filter(|at| now - **at < span).count();
            let told = hot.ask(hash_key(&[key as u8]), ms(now));
            let times = usize::from(times);
            prop_assert!(told || within(1_000) < times, "missed");
            prop_assert!(!told || within(2_000) >= times, "without cause");
        }
    }
}

#[test]
fn among_many_requests_only_what_stands_out_is_hot() {
    let settings = HotSettings { times: 3, window: Duration::from_secs(10), counters: 1 << 12 };
    let now = Duration::from_secs(1);
    // A thousand requests for a thousand keys, and now and then one for the same.
    let hot_at = |objects: u64| {
        let mut keys = HotKeys::new(settings);
        (0..1_000u64).find(|n| {
            keys.ask_among(n.wrapping_mul(0x9e37_79b9_7f4a_7c15), now, objects);
            n % 10 == 9 && keys.ask_among(7, now, objects)
        })
    };
    // A tenth of the requests is more than eight for each hundred, and less than eight for each fifty.
    assert!(hot_at(100).is_some());
    assert_eq!(hot_at(50), None);
    // Where much is kept, the number of times alone counts; with nothing kept, nothing is worth it.
    assert_eq!(hot_at(u64::MAX), Some(29));
    assert_eq!(hot_at(0), None);
}
