//! One `BanRule`, from its appearance to its lifting.

use std::sync::Arc;
use std::time::Duration;

use bus::SendError;
use crds::{BanPhase, BanRule, BanRuleStatus};
use kube::api::{ApiResource, Patch, PatchParams};
use kube::{Api, Resource};
use serde_json::json;
use wire::Invalidation;
use wire::invalidation::{FORMAT, How, Phase, Target};

use super::status::{self, Told, Why};
use super::{Log, OrdersContext, Outcome, order};
use crate::conditions::{said, time};
use crate::names::{LIFT, MANAGER};
use crate::set::status::{tell, write};
use crate::world::Id;

/// How long the first word is waited for.
const FIRST: Duration = Duration::from_millis(250);
/// How often is looked whether anything is new.
const LOOK: Duration = Duration::from_secs(2);
/// How long a deletion waits for a log that is away: a ban ends by itself when its time is over.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long every node has to apply a ban before it is said which did not.
const DEADLINE: Duration = Duration::from_secs(30);
/// Bytes of an order's id.
const LONGEST_ID: usize = 64;

pub(super) async fn run(context: &OrdersContext, id: &Id) -> Outcome {
    let found = context.world.look(|seen| order::ban(seen, id).map(|found| (found, seen.revision)));
    let (ban, revision) = match found {
        Some((Ok(ban), revision)) => (ban, revision),
        Some((Err(error), _)) => {
            tracing::warn!(namespace = id.0, name = id.1, error, "a BanRule cannot be read");
            return Outcome::Settled;
        }
        None => return Outcome::Settled,
    };
    let status = ban.status.clone().unwrap_or_default();
    let mut teller = Teller { context, id, ban: Arc::clone(&ban), status };
    if ban.metadata.deletion_timestamp.is_some() {
        return teller.leave().await;
    }
    let order = match order::of_ban(context, &ban).await {
        Ok(order) => order,
        Err(reason) => {
            return teller.refuse(Why::Invalid(reason), Outcome::Refused(revision)).await;
        }
    };
    let Some(log) = &context.log else {
        return teller.refuse(Why::NoLog, Outcome::Settled).await;
    };
    // Before the order: whoever deletes it in between must have it lifted.
    if !finalizers(&ban).any(|found| found == LIFT) && teller.finalizer(true).await.is_err() {
        return Outcome::Again;
    }
    let mut invalidation = order.invalidation;
    if let Some(former) = teller.status.id.clone().filter(|former| *former != invalidation.id) {
        // It says something else now. What it said before is over.
        if !lift(context, log, &former).await {
            return Outcome::Again;
        }
        teller.status = BanRuleStatus::default();
    }
    if over(&teller.status)
        || (is_given(&teller.status) && log.sender.report(&invalidation.id).is_none())
    {
        return teller.expire().await;
    }
    invalidation.issued_ms = context.clock.now_millis();
    let given = invalidation.id.clone();
    let sending = tokio::time::timeout(FIRST, log.sender.send(invalidation)).await;
    match sending {
        Ok(Err(SendError::Full)) => return teller.refuse(Why::Full, Outcome::Again).await,
        Ok(Err(error)) => {
            let why = Why::Refused(error.to_string());
            return teller.refuse(why, Outcome::Settled).await;
        }
        Ok(Ok(_)) | Err(_) => {}
    }
    teller.follow(log, &given).await
}

fn finalizers(ban: &BanRule) -> impl Iterator<Item = &str> {
    ban.metadata.finalizers.iter().flatten().map(String::as_str)
}

/// Whether every node has it, or had.
fn is_given(status: &BanRuleStatus) -> bool {
    let complete = said(&status.conditions, "Active").is_some();
    status.phase == Some(BanPhase::Active) && complete && {
        status.conditions.iter().any(|c| c.type_ == "Active" && c.reason == "Complete")
    }
}

fn over(status: &BanRuleStatus) -> bool {
    matches!(status.phase, Some(BanPhase::Exhausted | BanPhase::Lifted))
}

/// Ends the ban `id` on all nodes. Whether the log has that order: then every node finds it there.
async fn lift(context: &OrdersContext, log: &Log, id: &str) -> bool {
    let text = format!("lift:{id}");
    // What makes an id another one is at its end.
    let own = text.get(text.len().saturating_sub(LONGEST_ID)..).unwrap_or(&text).to_owned();
    let order = Invalidation {
        format: FORMAT,
        id: own.clone(),
        target: Target::Lift(id.to_owned()),
        how: How::Hard,
        dry_run: false,
        issued_ms: context.clock.now_millis(),
    };
    let sent = tokio::time::timeout(LOOK, log.sender.send(order)).await;
    let report = match sent {
        Ok(Ok(report)) => Some(report),
        Ok(Err(error)) => {
            tracing::warn!(%error, ban = id, "not lifted");
            None
        }
        Err(_) => log.sender.report(&own),
    };
    report.is_some_and(|report| report.position.is_some())
}

/// Whoever says how a ban is.
struct Teller<'a> {
    context: &'a OrdersContext,
    id: &'a Id,
    ban: Arc<BanRule>,
    /// What was said last.
    status: BanRuleStatus,
}

impl Teller<'_> {
    fn generation(&self) -> i64 {
        self.ban.metadata.generation.unwrap_or_default()
    }

    async fn follow(&mut self, log: &Log, given: &str) -> Outcome {
        let clock = &self.context.clock;
        let began = clock.monotonic();
        let ttl = i64::try_from(self.ban.spec.ttl.as_millis()).unwrap_or(i64::MAX);
        let expires = time(clock.now_millis().saturating_add(ttl));
        let expires = self.status.expires_at.clone().unwrap_or(expires);
        let mut wait = FIRST;
        loop {
            let Some(report) = log.sender.wait(given, wait).await else { return Outcome::Again };
            let told = Told {
                generation: self.generation(),
                report: &report,
                applying: clock.monotonic().saturating_sub(began),
                deadline: DEADLINE,
                cut_off: !log.bus.connected(),
            };
            let status = status::ban(&told, &self.status, &expires, &self.context.now());
            let said = self.say(status).await;
            match report.phase {
                Phase::Complete if !report.counting && said.is_ok() => return self.expire().await,
                Phase::Failed if said.is_ok() => return Outcome::Settled,
                Phase::Pending | Phase::Applying => wait = LOOK,
                Phase::Complete | Phase::Partial | Phase::Failed => {
                    tokio::time::sleep(LOOK).await;
                }
            }
            if self.left().is_zero() {
                return self.expire().await;
            }
        }
    }

    /// Until its time is over.
    fn left(&self) -> Duration {
        let expires = self.status.expires_at.as_ref().map(|time| time.0.as_millisecond());
        let left = expires.unwrap_or(i64::MAX).saturating_sub(self.context.clock.now_millis());
        Duration::from_millis(u64::try_from(left).unwrap_or_default())
    }

    /// Waits until its time is over, and says so.
    async fn expire(&mut self) -> Outcome {
        if over(&self.status) {
            return Outcome::Settled;
        }
        tokio::time::sleep(self.left()).await;
        let status = status::exhausted(&self.status, self.generation(), &self.context.now());
        if self.say(status).await.is_err() { Outcome::Again } else { Outcome::Settled }
    }

    /// It is deleted: lifts it, and lets it go.
    async fn leave(&mut self) -> Outcome {
        if !finalizers(&self.ban).any(|found| found == LIFT) {
            return Outcome::Settled;
        }
        let deleted = self.ban.metadata.deletion_timestamp.as_ref();
        let since = deleted.map_or(0, |time| time.0.as_millisecond());
        let waited = self.context.clock.now_millis().saturating_sub(since);
        let patient = Duration::from_millis(u64::try_from(waited).unwrap_or_default()) < PATIENCE;
        // It may have been given without a word about it.
        let order = order::of_ban(self.context, &self.ban).await;
        let given = self.status.id.clone().or_else(|| Some(order.ok()?.invalidation.id));
        if let (Some(given), Some(log), false) = (given, &self.context.log, over(&self.status))
            && !lift(self.context, log, &given).await
        {
            if patient {
                return Outcome::Again;
            }
            tracing::warn!(ban = given, "the log is away: it is not lifted, but ends by its time");
        }
        match self.finalizer(false).await {
            Ok(()) => Outcome::Settled,
            Err(_) => Outcome::Again,
        }
    }

    /// Sets the finalizer or takes it away. With the uid, so that nothing is made that is gone.
    async fn finalizer(&self, there: bool) -> Result<(), kube::Error> {
        let finalizers: &[&str] = if there { &[LIFT] } else { &[] };
        let body = json!({
            "apiVersion": crds::API_VERSION,
            "kind": "BanRule",
            "metadata": {
                "name": self.id.1,
                "uid": self.ban.metadata.uid,
                "finalizers": finalizers,
            },
        });
        let bans: Api<BanRule> = Api::namespaced(self.context.client.clone(), &self.id.0);
        let how = PatchParams::apply(MANAGER).force();
        let turn = self.context.writing.acquire().await;
        let patched = bans.patch_metadata(&self.id.1, &how, &Patch::Apply(&body)).await;
        drop(turn);
        self.context.counts.wrote("BanRule", patched.is_ok());
        match patched {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => {
                tracing::warn!(%error, name = self.id.1, "the finalizer cannot be written");
                Err(error)
            }
        }
    }

    async fn say(&mut self, status: BanRuleStatus) -> Result<(), kube::Error> {
        if status == self.status {
            return Ok(());
        }
        let resource = ApiResource::erase::<BanRule>(&());
        let json = serde_json::to_value(&status).unwrap_or_default();
        let turn = self.context.writing.acquire().await;
        let written = write(&self.context.client, &resource, &self.id.0, &self.id.1, json).await;
        drop(turn);
        self.context.counts.wrote("BanRule", written.is_ok());
        if let Err(error) = written {
            tracing::warn!(%error, name = self.id.1, "the status of a BanRule cannot be written");
            return Err(error);
        }
        self.status = status;
        Ok(())
    }

    async fn refuse(&mut self, why: Why, outcome: Outcome) -> Outcome {
        let before =
            said(&self.status.conditions, "Accepted").map(|(held, why)| (held, why.to_owned()));
        let now = self.context.now();
        let status = status::refused_ban(why.clone(), self.generation(), &self.status, &now);
        if self.say(status).await.is_err() {
            return Outcome::Again;
        }
        let news = before.as_ref().map(|(held, why)| (*held, why.as_str()))
            != Some((false, why.message()));
        if why.is_its_own() && news {
            let about = self.ban.object_ref(&());
            tell(
                &self.context.recorder,
                &about,
                true,
                why.reason().to_owned(),
                why.message().to_owned(),
            )
            .await;
        }
        outcome
    }
}
