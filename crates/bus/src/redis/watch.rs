//! Keeps a connection to Redis up, and what this process knows of the log fresh.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire::Seq;

use super::connect::{ANSWER, Connection};
use super::link::{Link, ear};
use super::place::Place;
use crate::BusError;
use crate::changes::TICK;

/// The pause after the first failure to connect, and the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often the members are asked for even if nobody wants to know: see [`super::roster`].
const MEMBERS_TICKS: u32 = 5;

/// Connects, watches, and connects again, for ever.
pub(super) async fn run(link: Arc<Link>, place: Place) {
    // Only the first of these has an effect; without one, rustls cannot know which to take.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut pause = PAUSE;
    for number in 1.. {
        match connect(&link, &place, number).await {
            Ok(()) => {
                tracing::info!("the invalidation log is there");
                let since = Instant::now();
                if let Err(BusError::Away(reason) | BusError::Refused(reason)) = stay(&link).await {
                    link.down(number, &reason);
                }
                if since.elapsed() > LONGEST_PAUSE {
                    pause = PAUSE;
                }
            }
            Err(reason) => {
                if link.explain(&reason) {
                    tracing::warn!(reason, "the invalidation log cannot be reached");
                }
            }
        }
        tokio::time::sleep(jittered(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn connect(link: &Arc<Link>, place: &Place, number: u64) -> Result<(), String> {
    let opened = Connection::open(place, ear(link, number));
    let late = |_| "no connection in time".to_owned();
    let mut connection = tokio::time::timeout(ANSWER * 2, opened)
        .await
        .map_err(late)?
        .map_err(|error| error.to_string())?;
    tokio::time::timeout(ANSWER, connection.subscribe(&link.keys().wake))
        .await
        .map_err(late)?
        .map_err(|error| error.to_string())?;
    link.up(number, connection);
    Ok(())
}

/// Looks after the connection until it fails.
async fn stay(link: &Link) -> Result<(), BusError> {
    let mut current = link.current();
    let mut interest = link.interest();
    let mut listening = false;
    let mut ticks = 0_u32;
    loop {
        if current.borrow_and_update().is_none() {
            return Ok(());
        }
        let wanted = interest.borrow_and_update().is_some_and(|until| until > Instant::now());
        if wanted != listening {
            link.listen(&link.keys().changes, wanted).await?;
            listening = wanted;
            link.wake();
        }
        // Keeps the end fresh, and notices in time when nobody else asks anything.
        let after = link.end().map_or(Seq::ZERO, |end| end.seq);
        link.page(after, 1).await?;
        if ticks.is_multiple_of(MEMBERS_TICKS) {
            link.members().await?;
        }
        ticks = ticks.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = current.changed() => {}
            _ = interest.changed() => {}
        }
    }
}

/// Between half and all of it, so that nodes do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let random = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + random / 2.0)
}
