use dns::health::HealthSettings;
use runtime::metrics::Metrics;
use runtime::{Clock, Drain, Readiness};

use super::*;
use crate::DnsMetrics;
use crate::healths::Subject;

fn stage() -> (Arc<Service>, Arc<ArcSwap<Fleet>>, Readiness) {
    let text = "{format: 1, version: one, zones: {}, pools: {web: {pops: [
        {name: fra, v4: [192.0.2.1]}, {name: syd, v4: [192.0.2.2]}], probe: {}}}}";
    let fleet = Arc::new(Fleet::new(&serde_saphyr::from_str(text).unwrap()).unwrap());
    let metrics = DnsMetrics::new(&Metrics::default()).unwrap();
    let service = Service::new(Arc::clone(&fleet), Clock::system(), metrics, Drain::new());
    (service, Arc::new(ArcSwap::new(fleet)), Readiness::default())
}

#[tokio::test(start_paused = true)]
async fn it_is_ready_when_all_places_were_judged() {
    let (service, fleet, ready) = stage();
    let looking = look(Arc::clone(&service), fleet, ready.gate("places"));
    let looking = tokio::spawn(looking);
    for (pop, address, is_well) in [("fra", [192, 0, 2, 1], true), ("syd", [192, 0, 2, 2], false)] {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(ready.unmet().len(), 1, "{pop} is not known");
        let subject = Subject { pool: "web".into(), pop: pop.into(), address: address.into() };
        service.healths.begin(&subject, Duration::ZERO);
        for _ in 0..HealthSettings::default().failures {
            let settings = HealthSettings::default();
            service.healths.observe(&subject, is_well, &settings, Duration::ZERO, 0);
        }
    }
    timeout(Duration::from_secs(1), looking).await.unwrap().unwrap();
    assert!(ready.unmet().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_judged_is_not_waited_for() {
    let (service, fleet, ready) = stage();
    let looking = tokio::spawn(look(service, fleet, ready.gate("places")));
    sleep(PATIENCE - LOOK).await;
    assert_eq!(ready.unmet().len(), 1);
    timeout(LOOK * 3, looking).await.unwrap().unwrap();
    assert!(ready.unmet().is_empty());
}
