use super::*;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn budget(ratio: f64, floor: f64) -> RetryBudget {
    RetryBudget::new(BudgetSettings { ratio, floor, window: secs(10) })
}

fn take_all(budget: &mut RetryBudget, now: Duration) -> u32 {
    let mut taken = 0;
    while taken < 10_000 && budget.take_retry(now) {
        taken += 1;
    }
    taken
}

#[test]
fn retries_are_a_share_of_requests() {
    let mut budget = budget(0.2, 0.0);
    assert!(!budget.take_retry(secs(1)));
    for _ in 0..100 {
        budget.on_request(secs(1));
    }
    assert_eq!(take_all(&mut budget, secs(2)), 20);
}

#[test]
fn a_floor_serves_those_with_few_requests() {
    let mut budget = budget(0.2, 0.5);
    assert_eq!(take_all(&mut budget, secs(1)), 5);
    assert_eq!(take_all(&mut budget, secs(5)), 0);
    assert_eq!(take_all(&mut budget, secs(12)), 5);
}

#[test]
fn requests_and_retries_leave_the_window() {
    let mut budget = budget(0.1, 0.0);
    for _ in 0..100 {
        budget.on_request(secs(1));
    }
    assert_eq!(take_all(&mut budget, secs(1)), 10);
    for _ in 0..50 {
        budget.on_request(secs(9));
    }
    assert_eq!(take_all(&mut budget, secs(9)), 5);
    // What came at 1 s is gone with its retries; the 50 at 9 s have used theirs.
    assert_eq!(take_all(&mut budget, secs(12)), 0);
    for _ in 0..10 {
        budget.on_request(secs(12));
    }
    assert_eq!(take_all(&mut budget, secs(12)), 1);
}

#[test]
fn with_everything_failing_the_load_grows_by_the_ratio_only() {
    let mut budget = budget(0.1, 1.0);
    let mut sent = 0;
    for n in 0..60_000_u64 {
        let now = Duration::from_millis(n);
        budget.on_request(now);
        sent += 1;
        while budget.take_retry(now) {
            sent += 1;
        }
    }
    assert!(sent <= 60_000 + 6_000 + 70, "{sent}");
    assert!(sent >= 60_000 + 5_000, "{sent}");
}

#[test]
fn nonsense_grants_nothing() {
    for (ratio, floor) in [(f64::NAN, 0.0), (-1.0, 0.0), (0.0, f64::NAN), (0.0, -3.0)] {
        let mut budget = budget(ratio, floor);
        budget.on_request(secs(1));
        assert!(!budget.take_retry(secs(1)), "{ratio} {floor}");
    }
}

#[test]
fn waits_double_up_to_the_longest() {
    let backoff = Backoff { first: Duration::from_millis(100), longest: secs(1) };
    let most: Vec<_> = (0..6).map(|n| backoff.wait(n, u64::MAX).as_millis()).collect();
    assert_eq!(most, [100, 200, 400, 800, 1000, 1000]);
    let least: Vec<_> = (0..6).map(|n| backoff.wait(n, 0).as_millis()).collect();
    assert_eq!(least, [50, 100, 200, 400, 500, 500]);
    assert_eq!(backoff.wait(u32::MAX, 0), secs(1) / 2);
    assert_eq!(Backoff { first: Duration::MAX, longest: secs(1) }.wait(40, 0), secs(1) / 2);
}
