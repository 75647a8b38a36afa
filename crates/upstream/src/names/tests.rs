use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use tokio::time::{advance, sleep};

use super::*;

/// A name service: what it says, how long it takes, and how often it was asked.
#[derive(Default)]
struct Service {
    broken: AtomicBool,
    slow_ms: AtomicU64,
    asked: AtomicU64,
}

impl Service {
    /// Its `n`th answer is the address 192.0.2.`n`.
    fn names(self: &Arc<Self>) -> Arc<Names> {
        let service = self.clone();
        Names::new(Box::new(move |_| {
            let service = service.clone();
            Box::pin(async move {
                let n = service.asked.fetch_add(1, SeqCst) + 1;
                sleep(Duration::from_millis(service.slow_ms.load(SeqCst))).await;
                if service.broken.load(SeqCst) {
                    return Err(io::Error::other("server failed"));
                }
                Ok(vec![SocketAddr::from(([192, 0, 2, u8::try_from(n).unwrap()], 0))])
            })
        }))
    }
}

async fn last_octet(names: &Arc<Names>) -> Option<u8> {
    let addresses = names.resolve("origin.example").await.ok()?;
    match addresses[..] {
        [SocketAddr::V4(address)] => Some(address.ip().octets()[3]),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_asked_for_again_when_its_answer_is_old_and_not_before() {
    let service = Arc::new(Service::default());
    let names = service.names();
    assert_eq!(last_octet(&names).await, Some(1));
    advance(FRESH - Duration::from_secs(1)).await;
    assert_eq!(last_octet(&names).await, Some(1));
    advance(Duration::from_secs(1)).await;
    assert_eq!(last_octet(&names).await, Some(2));
    assert_eq!(names.report("origin.example").asked, 2);
}

#[tokio::test(start_paused = true)]
async fn addresses_outlive_a_failure_for_an_hour() {
    let service = Arc::new(Service::default());
    let names = service.names();
    assert_eq!(last_octet(&names).await, Some(1));
    service.broken.store(true, SeqCst);
    advance(FRESH).await;
    assert_eq!(last_octet(&names).await, Some(1));
    // Within the pause nobody is asked.
    assert_eq!(last_octet(&names).await, Some(1));
    let report = names.report("origin.example");
    assert_eq!((report.asked, report.failed, report.remembered), (2, 1, 2));
    assert_eq!(report.age, Some(FRESH));

    advance(REMEMBERED - FRESH - Duration::from_secs(1)).await;
    assert_eq!(last_octet(&names).await, Some(1));
    advance(Duration::from_secs(1)).await;
    assert_eq!(last_octet(&names).await, None);

    service.broken.store(false, SeqCst);
    assert!(last_octet(&names).await > Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_slow_name_service_holds_up_nobody_who_has_an_old_answer() {
    let service = Arc::new(Service::default());
    let names = service.names();
    assert_eq!(last_octet(&names).await, Some(1));
    service.slow_ms.store(10_000, SeqCst);
    advance(FRESH).await;
    let begun = Instant::now();
    assert_eq!(last_octet(&names).await, Some(1));
    assert_eq!(last_octet(&names).await, Some(1));
    assert_eq!(begun.elapsed(), PATIENCE);
    // The answer comes all the same, for those who come later.
    sleep(Duration::from_secs(10)).await;
    assert_eq!(last_octet(&names).await, Some(2));
    assert_eq!(service.asked.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn many_connections_ask_once() {
    let service = Arc::new(Service::default());
    service.slow_ms.store(100, SeqCst);
    let names = service.names();
    let all: Vec<_> = (0..20)
        .map(|_| {
            let names = names.clone();
            tokio::spawn(async move { last_octet(&names).await })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap(), Some(1));
    }
    assert_eq!(service.asked.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn names_that_nobody_uses_are_forgotten() {
    let service = Arc::new(Service::default());
    let names = service.names();
    names.resolve("a.example").await.unwrap();
    advance(REMEMBERED).await;
    names.resolve("b.example").await.unwrap();
    assert_eq!(names.known.lock().len(), 1);
}

#[tokio::test]
async fn the_system_knows_localhost() {
    let addresses = Names::system().resolve("localhost").await.unwrap();
    assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
}
