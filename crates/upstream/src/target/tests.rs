use std::io::Write;

use super::*;
use wire::snapshot::{self, Origin};

/// What was logged, line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The lines since the last call.
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock());
        String::from_utf8(bytes).unwrap().lines().map(|line| line.trim().to_owned()).collect()
    }
}

fn target() -> Arc<Target> {
    let breaker = snapshot::Breaker { consecutive_failures: 3, ..snapshot::Breaker::default() };
    let timeouts = snapshot::Timeouts::default();
    let origin = Origin::at("http://192.0.2.1:8080");
    let limits = OriginLimits::default();
    let settings = crate::origin_settings(&origin, &limits, &breaker, &timeouts).unwrap();
    let settings = TargetSettings { probe: Some(Probe::Ping), ..settings };
    Arc::new(Target::new(settings, Names::system(), Arc::default()).unwrap())
}

async fn refused(target: &Arc<Target>) {
    let error = FetchError::Connect { origin: target.name().into(), cause: "refused".into() };
    target.enter(1, Duration::ZERO).await.unwrap().failed(&error);
}

#[tokio::test(start_paused = true)]
async fn what_turns_around_is_logged_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let target = target();
    refused(&target).await;
    assert_eq!(log.take(), [""; 0]);
    refused(&target).await;
    let name = "target=\"192.0.2.1:8080\"";
    assert_eq!(log.take(), [format!("WARN upstream is down {name} reason=\"connect\"")]);
    refused(&target).await;
    let opened = format!("WARN circuit breaker opened {name} reason=\"consecutive-failures\"");
    assert_eq!(log.take(), [opened]);
    for _ in 0..10 {
        target.probed(Err(HealthFailure::Connect));
        assert!(target.enter(1, Duration::ZERO).await.is_err());
    }
    assert_eq!(log.take(), [""; 0]);

    for _ in 0..4 {
        target.probed(Ok(()));
    }
    assert_eq!(log.take(), [format!("INFO upstream is up {name} reason=\"probes\"")]);
    assert_eq!((target.ups(), target.up_since()), (1, Some(Duration::ZERO)));
    tokio::time::advance(Duration::from_secs(1)).await;
    for _ in 0..6 {
        let pass = target.enter(1, Duration::ZERO).await.unwrap();
        drop(pass.answered(StatusCode::OK));
    }
    assert_eq!(log.take(), [format!("INFO circuit breaker closed {name}")]);
    assert_eq!(target.up_since(), Some(Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_brought_forward_by_a_failed_request() {
    let target = target();
    drop(target.clone().probe());
    let planned = target.next_probe().unwrap();
    let soon = Instant::now() + Duration::from_millis(250);
    assert!(planned > soon + Duration::from_secs(1));
    refused(&target).await;
    assert_eq!(target.next_probe(), Some(soon));
    tokio::time::timeout(Duration::ZERO, target.sooner.notified()).await.unwrap();
}

#[tokio::test]
async fn while_a_probe_is_under_way_no_other_is_due() {
    let target = target();
    let probe = target.clone().probe();
    assert_eq!(target.next_probe(), None);
    drop(probe);
    assert!(target.next_probe().is_some());
}
