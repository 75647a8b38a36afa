use super::*;

fn fleet(probe: &str) -> Fleet {
    let text = format!(
        "{{format: 1, version: one, zones: {{}}, pools: {{web: {{pops: [
            {{name: fra, v4: [192.0.2.1]}}, {{name: syd, v4: [192.0.2.2]}}], {probe}}}}}}}"
    );
    Fleet::new(&serde_saphyr::from_str(&text).unwrap()).unwrap()
}

fn subject(pop: &str, address: &str) -> Subject {
    Subject { pool: "web".into(), pop: pop.into(), address: address.parse().unwrap() }
}

fn both(fra: Condition, syd: Condition) -> Vec<(Subject, Condition)> {
    vec![(subject("fra", "192.0.2.1"), fra), (subject("syd", "192.0.2.2"), syd)]
}

#[test]
fn what_is_told_is_what_is_heard() {
    let mut own = both(Condition::Healthy, Condition::Unhealthy);
    own.push((subject("syd", "2001:db8::2"), Condition::Degraded));
    own.push((subject("gru", "192.0.2.3"), Condition::Unknown));
    let report = report(&own, 7, false);
    assert_eq!((report.instance, report.leaves, report.sees["web"].len()), (7, false, 2));
    assert_eq!(heard(report), ballot(&own));
}

#[test]
fn who_is_outvoted_says_so_and_who_says_what() {
    let observers = Observers::default();
    let (fleet, now) = (fleet("probe: {}"), Duration::from_secs(9));
    let dead = both(Condition::Unhealthy, Condition::Unhealthy);
    assert_eq!(observers.standpoint(), Standpoint::Alone);
    for name in ["b", "c"] {
        let well = both(Condition::Healthy, Condition::Unhealthy);
        observers.hear(name, ballot(&well), now);
    }
    assert_eq!(observers.decide(&dead, &fleet, now), (Standpoint::Outvoted, true));
    assert_eq!(observers.decide(&dead, &fleet, now), (Standpoint::Outvoted, false));
    assert_eq!(observers.live(now), ["b", "c"]);
    let others = |well| ["b", "c"].map(|name| (name.to_owned(), well)).into();
    assert_eq!(
        observers.opinion(&dead[0].0, now),
        Opinion { condition: Condition::Unknown, others: others(true) }
    );
    assert_eq!(
        observers.opinion(&dead[1].0, now),
        Opinion { condition: Condition::Unhealthy, others: others(false) }
    );
    observers.leave("b");
    assert_eq!(observers.live(now), ["c"]);
    assert_eq!(observers.condition(&dead[1].0), Condition::Unhealthy);
}

#[test]
fn a_ballot_counts_until_everything_could_be_found_dead() {
    assert_eq!(lease(&fleet("")), Duration::from_secs(3), "nobody is probed");
    assert_eq!(lease(&fleet("probe: {}")), Duration::from_secs(3));
    let slow = fleet("probe: {intervalMs: 10000, doubtIntervalMs: 2000, timeoutMs: 3000}");
    assert_eq!(lease(&slow), Duration::from_secs(20));
    let slowest = fleet("probe: {intervalMs: 60000, timeoutMs: 10000}");
    assert_eq!(lease(&slowest), KEEP);
}
