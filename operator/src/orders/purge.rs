//! One `PurgeRequest`, from its appearance to its expiry.

use std::sync::Arc;
use std::time::Duration;

use bus::{SendError, Until};
use crds::{PurgePhase, PurgeRequest, PurgeRequestStatus};
use kube::api::{ApiResource, DeleteParams, Preconditions};
use kube::{Api, Resource};

use super::status::{self, Told, Why, is_over, phase};
use super::{Log, OrdersContext, Outcome, order};
use crate::conditions::said;
use crate::set::status::{tell, write};
use crate::world::Id;

/// How long the first word is waited for: most purges are complete by then, and need one write.
const FIRST: Duration = Duration::from_millis(250);
/// How often is looked whether anything is new.
const LOOK: Duration = Duration::from_secs(1);
/// How often, once the deadline passed.
const LATE: Duration = Duration::from_secs(15);

pub(super) async fn run(context: &OrdersContext, id: &Id) -> Outcome {
    let found =
        context.world.look(|seen| order::purge(seen, id).map(|found| (found, seen.revision)));
    let (purge, revision) = match found {
        Some((Ok(purge), revision)) => (purge, revision),
        // What cannot be read cannot be told either; the API server let it through, so it is of another version.
        Some((Err(error), _)) => {
            tracing::warn!(namespace = id.0, name = id.1, error, "a PurgeRequest cannot be read");
            return Outcome::Settled;
        }
        None => return Outcome::Settled,
    };
    if purge.metadata.deletion_timestamp.is_some() {
        return Outcome::Settled;
    }
    let mut told = Teller { context, id, purge: Arc::clone(&purge), status: status_of(&purge) };
    if told.status.phase.is_some_and(is_over) {
        return told.expire().await;
    }
    let order = match order::of_purge(context, &purge).await {
        Ok(order) => order,
        Err(reason) => return told.refuse(Why::Invalid(reason), Outcome::Refused(revision)).await,
    };
    let Some(log) = &context.log else {
        return told.refuse(Why::NoLog, Outcome::Settled).await;
    };
    let mut invalidation = order.invalidation;
    invalidation.issued_ms = context.clock.now_millis();
    let given = invalidation.id.clone();
    // A log that is slow must not keep the status from saying that it is waited for.
    let sending = tokio::time::timeout(FIRST, log.sender.send(invalidation)).await;
    match sending {
        Ok(Err(SendError::Full)) => return told.refuse(Why::Full, Outcome::Again).await,
        Ok(Err(error)) => {
            let why = Why::Refused(error.to_string());
            return told.refuse(why, Outcome::Settled).await;
        }
        Ok(Ok(_)) | Err(_) => {}
    }
    follow(&mut told, log, &given, Duration::from_millis(order.deadline_ms)).await
}

/// Tells what becomes of a purge until nothing more can.
async fn follow(told: &mut Teller<'_>, log: &Log, given: &str, deadline: Duration) -> Outcome {
    let clock = &told.context.clock;
    let (mut since, mut wait) = (None, FIRST);
    loop {
        let Some(report) = log.sender.wait(given, Until::Counted, wait).await else {
            // So many came after it that it was forgotten.
            return Outcome::Again;
        };
        if report.phase != wire::invalidation::Phase::Pending {
            since.get_or_insert_with(|| clock.monotonic());
        }
        let applying = since.map_or(Duration::ZERO, |then| clock.monotonic().saturating_sub(then));
        let generation = told.purge.metadata.generation.unwrap_or_default();
        let cut_off = !log.bus.connected();
        let now = Told { generation, report: &report, applying, deadline, cut_off };
        let phase = phase(&now);
        let status = status::purge(&now, &told.status, &told.context.now());
        if told.say(status).await.is_err() {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        match phase {
            PurgePhase::Complete if !report.counting => return told.expire().await,
            PurgePhase::Failed => return told.expire().await,
            PurgePhase::Partial | PurgePhase::Complete => {
                if told.is_expired() {
                    return told.expire().await;
                }
                // `wait` returns at once for what is settled.
                tokio::time::sleep(LATE.min(LOOK * 5)).await;
                wait = LATE;
            }
            PurgePhase::Pending | PurgePhase::Applying => {
                let left = deadline.saturating_sub(applying).max(Duration::from_millis(1));
                wait = LOOK.min(left);
            }
        }
    }
}

fn status_of(purge: &PurgeRequest) -> PurgeRequestStatus {
    purge.status.clone().unwrap_or_default()
}

/// Whoever says how a purge is.
struct Teller<'a> {
    context: &'a OrdersContext,
    id: &'a Id,
    purge: Arc<PurgeRequest>,
    /// What was said last.
    status: PurgeRequestStatus,
}

impl Teller<'_> {
    async fn say(&mut self, status: PurgeRequestStatus) -> Result<(), kube::Error> {
        if status == self.status {
            return Ok(());
        }
        let resource = ApiResource::erase::<PurgeRequest>(&());
        let json = serde_json::to_value(&status).unwrap_or_default();
        let (namespace, name) = self.id;
        let turn = self.context.writing.acquire().await;
        let written = write(&self.context.client, &resource, namespace, name, json).await;
        drop(turn);
        self.context.counts.wrote("PurgeRequest", written.is_ok());
        if let Err(error) = written {
            tracing::warn!(%error, name, "the status of a PurgeRequest cannot be written");
            return Err(error);
        }
        self.status = status;
        Ok(())
    }

    async fn refuse(&mut self, why: Why, outcome: Outcome) -> Outcome {
        let generation = self.purge.metadata.generation.unwrap_or_default();
        let before =
            said(&self.status.conditions, "Accepted").map(|(held, why)| (held, why.to_owned()));
        let now = self.context.now();
        let status = status::refused_purge(why.clone(), generation, &self.status, &now);
        if self.say(status).await.is_err() {
            return Outcome::Again;
        }
        let news = before.as_ref().map(|(held, why)| (*held, why.as_str()))
            != Some((false, why.message()));
        if why.is_its_own() && news {
            let about = self.purge.object_ref(&());
            let (reason, note) = (why.reason().to_owned(), why.message().to_owned());
            tell(&self.context.recorder, &about, true, reason, note).await;
        }
        outcome
    }

    fn kept_for(&self) -> Duration {
        let finished = self.status.completion_time.as_ref().map(|time| time.0.as_millisecond());
        let age = self.context.clock.now_millis().saturating_sub(finished.unwrap_or_default());
        let age = Duration::from_millis(u64::try_from(age).unwrap_or_default());
        let ttl = Duration::from_millis(self.purge.spec.ttl_after_finished.as_millis());
        ttl.saturating_sub(age)
    }

    fn is_expired(&self) -> bool {
        self.status.completion_time.is_some() && self.kept_for().is_zero()
    }

    /// Waits until it need not be kept any more, and deletes it.
    async fn expire(&self) -> Outcome {
        tokio::time::sleep(self.kept_for()).await;
        let purges: Api<PurgeRequest> = Api::namespaced(self.context.client.clone(), &self.id.0);
        let uid = self.purge.metadata.uid.clone();
        let how = DeleteParams {
            preconditions: Some(Preconditions { uid, resource_version: None }),
            ..DeleteParams::background()
        };
        match purges.delete(&self.id.1, &how).await {
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Outcome::Settled,
            Err(error) => {
                tracing::warn!(%error, name = self.id.1, "a PurgeRequest that is over stays");
                Outcome::Again
            }
            Ok(_) => Outcome::Settled,
        }
    }
}
