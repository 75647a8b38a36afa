use super::*;

#[test]
fn a_fixed_limit_stays_whatever_comes() {
    let mut limit = Limit::new(LimitSettings::Fixed(10));
    for n in 0..1000 {
        let now = Duration::from_millis(n);
        assert_eq!(limit.on_sample(now, 10, LimitOutcome::Overloaded, now), None);
    }
    assert_eq!((limit.limit(), limit.baseline()), (10, None));
    assert_eq!(Limit::new(LimitSettings::Fixed(0)).limit(), 1);
}

#[test]
fn an_adaptive_limit_says_when_it_changes() {
    let mut limit = Limit::new(LimitSettings::Adaptive(AdaptiveSettings::default()));
    let mut known = limit.limit();
    assert_eq!(known, 32);
    let mut changes = 0;
    for n in 0..10_000 {
        let now = Duration::from_millis(n);
        let latency = Duration::from_millis(if n < 5000 { 20 } else { 200 });
        if let Some(changed) = limit.on_sample(latency, known, LimitOutcome::Answered, now) {
            assert_ne!(changed, known);
            known = changed;
            changes += 1;
        }
        assert_eq!(limit.limit(), known);
    }
    assert!(changes > 10, "{changes}");
    assert!(limit.baseline().is_some());
}
