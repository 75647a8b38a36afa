//! How views follow one another.

use super::*;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The shares of a view's PoPs, in the order of their names.
fn shares(view: &View) -> Vec<f64> {
    view.side(0, Family::V4).unwrap().1.standings.iter().map(Standing::share).collect()
}

fn ttl(view: &View) -> u32 {
    view.side(0, Family::V4).unwrap().1.ttl
}

fn pair() -> Arc<Fleet> {
    fleet(json!({"pops": [pop("a", 1, None), pop("b", 2, None)],
        "steering": {"answers": 1, "ramp": 20, "ttl": 30, "pendingTtl": 5}}))
}

#[test]
fn death_is_at_once_and_return_is_a_ramp() {
    let fleet = pair();
    let mut planner = Planner::default();
    let mut plan = |at: f64, state| {
        planner.plan(&fleet, seconds(at), |_, _, target| seen(&[("a", state)], target))
    };
    let start = plan(0.0, PopState::Unknown);
    assert_eq!((shares(&start), ttl(&start)), (vec![1.0, 1.0], 30));
    let dead = plan(1.0, PopState::Unhealthy);
    assert_eq!((shares(&dead), ttl(&dead)), (vec![0.0, 1.0], 30));
    let back = plan(2.0, PopState::Degraded(0.5));
    assert_eq!((shares(&back), ttl(&back)), (vec![0.0, 1.0], 5));
    assert_eq!(shares(&plan(12.0, PopState::Degraded(0.5))), [0.25, 1.0]);
    assert_eq!(shares(&plan(30.0, PopState::Degraded(0.5))), [0.5, 1.0]);
    assert_eq!(shares(&plan(40.0, PopState::Healthy)), [0.5, 1.0]);
    assert_eq!(shares(&plan(50.0, PopState::Healthy)), [0.75, 1.0]);
    let well = plan(60.0, PopState::Healthy);
    assert_eq!((shares(&well), ttl(&well)), (vec![1.0, 1.0], 30));
}

#[test]
fn maintenance_drains_and_is_quiet_once_nobody_remembers() {
    let fleet = pair();
    let mut planner = Planner::default();
    let mut plan = |at: f64, state| {
        planner.plan(&fleet, seconds(at), |_, _, target| seen(&[("a", state)], target))
    };
    let quiet = |view: &View| view.side(0, Family::V4).unwrap().1.standings[0].quiet;
    assert!(!quiet(&plan(0.0, PopState::Healthy)));
    assert_eq!(shares(&plan(1.0, PopState::Maintenance)), [1.0, 1.0]);
    assert_eq!(shares(&plan(11.0, PopState::Maintenance)), [0.5, 1.0]);
    let out = plan(21.0, PopState::Maintenance);
    assert_eq!(shares(&out), [0.0, 1.0]);
    assert!(!quiet(&plan(50.0, PopState::Maintenance)), "the time to live is 30 seconds");
    assert!(quiet(&plan(51.0, PopState::Maintenance)));
    let _ = plan(52.0, PopState::Healthy);
    assert!(!quiet(&plan(53.0, PopState::Healthy)));
}

#[test]
fn a_doubt_makes_answers_short() {
    let fleet = pair();
    let view = Planner::default().plan(&fleet, Duration::ZERO, |_, _, _| Seen {
        in_doubt: true,
        ..Seen::new(PopState::Healthy)
    });
    assert_eq!((shares(&view), ttl(&view)), (vec![1.0, 1.0], 5));
}

#[test]
fn a_newcomer_ramps_and_the_others_do_not_notice_a_new_document() {
    let mut planner = Planner::default();
    let healthy = |_: &Pool, _: Family, _: &Target| Seen::new(PopState::Healthy);
    assert_eq!(shares(&planner.plan(&pair(), seconds(0.0), healthy)), [1.0, 1.0]);
    let pops = [pop("a", 1, None), pop("ab", 3, None), pop("b", 2, None)];
    let more = fleet(json!({"pops": pops, "steering": {"ramp": 10}}));
    assert_eq!(shares(&planner.plan(&more, seconds(1.0), healthy)), [1.0, 0.0, 1.0]);
    assert_eq!(shares(&planner.plan(&more, seconds(6.0), healthy)), [1.0, 0.5, 1.0]);
    assert_eq!(shares(&planner.plan(&pair(), seconds(7.0), healthy)), [1.0, 1.0]);
    assert_eq!(shares(&planner.plan(&more, seconds(8.0), healthy)), [1.0, 0.0, 1.0]);
}

/// A share that only grows, then only falls: nobody moves more than once each way, nor between others.
#[test]
fn a_ramp_moves_each_client_at_most_once() {
    let pops = [pop("a", 1, None), pop("b", 2, None), pop("c", 3, None)];
    let fleet = fleet(json!({"pops": pops, "steering": {"answers": 1, "ramp": 20}}));
    let mut planner = Planner::default();
    let mut plan = |at: f64, state| {
        planner.plan(&fleet, seconds(at), |_, _, target| seen(&[("b", state)], target))
    };
    let all: Vec<_> = clients(2_000).collect();
    let where_to = |view: &View| -> Vec<String> {
        all.iter().map(|client| names(view, client, None).remove(0)).collect()
    };
    let before = where_to(&plan(0.0, PopState::Healthy));
    let mut last = where_to(&plan(1.0, PopState::Unhealthy));
    for (old, new) in before.iter().zip(&last) {
        assert!(old == new || old == "b", "only those of the dead one move");
    }
    let mut moves = 0;
    for tenth in 0..=220 {
        let now = where_to(&plan(2.0 + f64::from(tenth) / 10.0, PopState::Healthy));
        for (old, new) in last.iter().zip(&now).filter(|(old, new)| old != new) {
            assert!(old != "b" && new == "b", "{old} to {new}");
            moves += 1;
        }
        last = now;
    }
    assert_eq!(last, before, "all are where they were");
    assert_eq!(moves, before.iter().filter(|name| *name == "b").count());
}

#[test]
fn numbers_that_make_no_sense_do_no_harm() {
    let mut pops = [pop("a", 1, None), pop("b", 2, None)];
    pops[0]["capacity"] = json!(1);
    let fleet = fleet(json!({"pops": pops}));
    let mut planner = Planner::default();
    for (nth, odd) in [f64::NAN, f64::INFINITY, -1.0, f64::MAX, 0.0].into_iter().enumerate() {
        for _ in 0..3 {
            let view = planner.plan(&fleet, Duration::from_secs(nth as u64), |_, _, _| Seen {
                load: Some(odd),
                answers: odd,
                ..Seen::new(PopState::Degraded(odd))
            });
            assert!(shares(&view).iter().all(|share| (0.0..=1.0).contains(share)));
            assert!(!names(&view, &client("8.8.8.8"), None).is_empty());
        }
    }
}

#[test]
fn who_is_taken_out_leaves_by_degrees_and_at_once_if_dead() {
    let fleet = pair();
    let mut planner = Planner::default();
    let mut plan = |at: f64, state, maintenance| {
        planner.plan(&fleet, seconds(at), |_, _, target| Seen {
            maintenance: maintenance && target.name == "a",
            ..seen(&[("a", state)], target)
        })
    };
    let state = |view: &View| view.side(0, Family::V4).unwrap().1.standings[0].state;
    assert_eq!(shares(&plan(0.0, PopState::Healthy, false)), [1.0, 1.0]);
    let _ = plan(1.0, PopState::Healthy, true);
    let half = plan(11.0, PopState::Healthy, true);
    assert_eq!((shares(&half), state(&half)), (vec![0.5, 1.0], PopState::Maintenance));
    let dead = plan(12.0, PopState::Unhealthy, true);
    assert_eq!((shares(&dead), state(&dead)), (vec![0.0, 1.0], PopState::Maintenance));
    assert_eq!(shares(&plan(40.0, PopState::Healthy, true)), [0.0, 1.0], "it stays out");
    let _ = plan(41.0, PopState::Healthy, false);
    assert_eq!(shares(&plan(51.0, PopState::Healthy, false)), [0.5, 1.0]);
}
