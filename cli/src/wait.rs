//! Waiting until an order is applied everywhere.

use std::io::Write;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};
use wire::invalidation::{Phase, PurgeReport};

use crate::api::Api;
use crate::failure::Failure;
use crate::progress::Progress;

/// How long the API is asked to keep back one answer. It comes at once when the order is settled; in
/// between, this is how often progress is seen.
const ONE_WAIT: Duration = Duration::from_secs(1);
/// How fast questions may follow each other, whatever the API does.
const PAUSE: Duration = Duration::from_millis(100);

/// How long to wait.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Patience {
    /// For completion.
    pub(crate) total: Duration,
    /// For nodes to have counted, once it is complete.
    pub(crate) count: Duration,
}

/// How long the first answer may be kept back.
pub(crate) fn first_wait(patience: Option<Patience>) -> Duration {
    patience.map_or(Duration::ZERO, |patience| patience.total.min(ONE_WAIT))
}

/// Follows an order until it is complete, cannot be, or the time is over. `started` is when it was sent.
/// The report is given back with whatever the API said last.
pub(crate) async fn until_settled(
    api: &Api,
    first: (PurgeReport, Value),
    patience: Patience,
    started: Instant,
    progress: &mut Progress,
    err: &mut dyn Write,
) -> Result<(PurgeReport, Value), Failure> {
    let (mut report, mut value) = first;
    let end = started + patience.total;
    let mut complete_at = None;
    loop {
        progress.show(&report, err);
        let now = Instant::now();
        let until = match report.phase {
            Phase::Pending | Phase::Applying => end,
            Phase::Complete if report.counting => {
                end.min(*complete_at.get_or_insert(now) + patience.count)
            }
            Phase::Complete | Phase::Partial | Phase::Failed => now,
        };
        if now >= until {
            progress.clear(err);
            return Ok((report, value));
        }
        match api.report(&report.id, (until - now).min(ONE_WAIT)).await {
            Ok((next, said)) => (report, value) = (next, said),
            Err(error) if error.is_passing() && Instant::now() < end => {
                progress.note(&format!("{error}; trying again"), err);
            }
            Err(error) => {
                progress.clear(err);
                return Err(Failure::LostSight { id: report.id, error });
            }
        }
        sleep((now + PAUSE).saturating_duration_since(Instant::now())).await;
    }
}

/// Whether the order came to what was wanted.
pub(crate) fn verdict(report: PurgeReport, waited: Duration) -> Result<(), Failure> {
    match report.phase {
        Phase::Complete => Ok(()),
        Phase::Partial => Err(Failure::Partial(Box::new(report))),
        Phase::Failed => Err(Failure::Failed(Box::new(report))),
        Phase::Pending | Phase::Applying => {
            Err(Failure::NotYet(Box::new(report), waited.as_millis().div_ceil(1000) as u64))
        }
    }
}
