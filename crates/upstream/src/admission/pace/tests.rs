use super::*;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[tokio::test(start_paused = true)]
async fn it_is_the_time_that_those_ahead_need() {
    let start = Instant::now();
    let mut pace = Pace::default();
    for _ in 0..200 {
        pace.ended(start, start + secs(2));
    }
    let now = start + secs(2);
    let after = |ahead, limit| pace.retry_after(ahead, limit, true, secs(1), now);
    assert_eq!(after(10, 10), 2);
    assert_eq!(after(50, 10), 10);
    assert_eq!(after(0, 10), 1);
    assert_eq!(after(usize::MAX, 10), 60);
    assert_eq!(after(3, 0), 6);
}

#[tokio::test(start_paused = true)]
async fn a_silence_with_all_permits_out_counts() {
    let start = Instant::now();
    let mut pace = Pace::default();
    pace.ended(start, start + Duration::from_millis(10));
    let later = start + secs(20);
    assert_eq!(pace.retry_after(10, 10, true, secs(1), later), 20);
    assert_eq!(pace.retry_after(10, 10, false, secs(1), later), 1);
}

#[tokio::test(start_paused = true)]
async fn before_anything_ended_the_wait_is_the_guess() {
    let now = Instant::now();
    assert_eq!(Pace::default().retry_after(10, 10, true, secs(5), now), 5);
    assert_eq!(Pace::default().retry_after(10, 10, true, Duration::ZERO, now), 1);
    assert_eq!(Pace::default().retry_after(1, 1, true, Duration::MAX, now), 60);
}

#[tokio::test(start_paused = true)]
async fn the_mean_follows_what_requests_take_now() {
    let start = Instant::now();
    let mut pace = Pace::default();
    for _ in 0..100 {
        pace.ended(start, start + secs(8));
    }
    for _ in 0..200 {
        pace.ended(start, start);
    }
    assert_eq!(pace.retry_after(10, 10, false, secs(1), start), 1);
}

#[tokio::test(start_paused = true)]
async fn only_the_time_since_all_permits_are_out_is_a_silence() {
    let start = Instant::now();
    let mut pace = Pace::default();
    pace.filled(start);
    assert_eq!(pace.retry_after(10, 10, true, secs(30), start + secs(2)), 2);
    pace.ended(start, start + secs(2));
    // An hour without requests, then many at once.
    pace.filled(start + secs(3600));
    assert_eq!(pace.retry_after(10, 10, true, secs(30), start + secs(3600)), 2);
    assert_eq!(pace.retry_after(10, 10, true, secs(30), start + secs(3605)), 5);
}
