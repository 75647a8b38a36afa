use super::*;

/// Queries that come `each` microseconds apart, `together` at a time, for 100 ms: the part of the batches that waited.
fn waits(together: usize, each: u64) -> f64 {
    let mut company = Company::default();
    let batches = 100_000 / (each * together as u64);
    let at = |batch| Duration::from_secs(9) + Duration::from_micros(batch * each * together as u64);
    let waited = (0..batches).filter(|batch| company.came(together, at(*batch)).is_some()).count();
    waited as f64 / batches as f64
}

#[test]
fn who_is_busy_waits_for_more() {
    assert!(waits(1, 10) > 0.95, "100,000 a second");
    assert!(waits(4, 20) > 0.95, "50,000 a second, four at a time");
}

#[test]
fn who_is_not_answers_at_once() {
    assert_eq!(waits(1, 100), 0.0, "10,000 a second");
    assert_eq!(waits(20, 50), 0.0, "bursts of 20, 20,000 a second");
}

#[test]
fn behind_a_whole_batch_nobody_waits() {
    assert_eq!(waits(MOST, 5), 0.0);
}

#[test]
fn a_busy_time_ends() {
    let mut company = Company::default();
    let at = |micros| Duration::from_secs(9) + Duration::from_micros(micros);
    let busy: Vec<_> = (0..1_000).map(|n| company.came(1, at(n * 10))).collect();
    assert_eq!(busy.last(), Some(&Some(PAUSE)));
    assert_eq!(company.came(1, at(1_000_000)), None);
}
