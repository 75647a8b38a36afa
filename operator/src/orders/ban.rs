//! One `BanRule`, from its appearance until nothing is left that it could match.

use std::sync::Arc;
use std::time::Duration;

use bus::{SendError, Until};
use crds::{BanPhase, BanRule, BanRuleStatus};
use kube::api::{ApiResource, Patch, PatchParams};
use kube::{Api, Resource};
use serde_json::json;
use wire::LogPosition;
use wire::invalidation::Phase;

use super::lift::lift;
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
/// How long every node has to apply a ban before it is said which did not.
const DEADLINE: Duration = Duration::from_secs(30);

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
    let leaves = ban.metadata.deletion_timestamp.is_some();
    if is_held(&ban) {
        // Operators that held it gave ids of which `lift` knows nothing.
        if let (true, Some(given), Some(log)) = (leaves, &teller.status.id, &context.log) {
            lift(context, log, given).await;
        }
        if teller.release().await.is_err() {
            return Outcome::Again;
        }
    }
    if leaves {
        // Something else keeps it, and until it is gone it is in force if it was.
        return Outcome::Settled;
    }
    if over(&teller.status) && teller.status.observed_generation == Some(teller.generation()) {
        return Outcome::Settled;
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
    let mut invalidation = order.invalidation;
    if let Some(former) = teller.status.id.clone().filter(|former| *former != invalidation.id) {
        // It says something else now. What it said before is over.
        if !lift(context, log, &former).await {
            return Outcome::Again;
        }
        teller.status = BanRuleStatus::default();
    }
    if teller.left().is_zero() {
        return teller.expire().await;
    }
    let given = invalidation.id.clone();
    let position = teller.status.seq.as_deref().and_then(|seq| seq.parse::<LogPosition>().ok());
    if let (Some(at), None) = (position, log.sender.report(&given)) {
        // Given anew, it would match what was stored since.
        return match log.sender.resume(invalidation, at, is_given(&teller.status)) {
            Ok(()) => teller.follow(log, &given).await,
            Err(_) => Outcome::Again,
        };
    }
    invalidation.issued_ms = context.clock.now_millis();
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

/// Whether an operator before this one has it wait for a lifting.
fn is_held(ban: &BanRule) -> bool {
    ban.metadata.finalizers.iter().flatten().any(|found| found == LIFT)
}

/// Whether every node has it, or had.
fn is_given(status: &BanRuleStatus) -> bool {
    let complete = status.conditions.iter().any(|c| c.type_ == "Active" && c.reason == "Complete");
    status.phase == Some(BanPhase::Active) && complete
}

fn over(status: &BanRuleStatus) -> bool {
    matches!(status.phase, Some(BanPhase::Exhausted | BanPhase::Lifted))
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
        let until = if self.ban.spec.dry_run { Until::Counted } else { Until::Applied };
        let mut wait = FIRST;
        loop {
            let Some(report) = log.sender.wait(given, until, wait).await else {
                return Outcome::Again;
            };
            let told = Told {
                generation: self.generation(),
                report: &report,
                applying: clock.monotonic().saturating_sub(began),
                deadline: DEADLINE,
                cut_off: !log.bus.connected(),
            };
            let status = status::ban(&told, &self.status, &expires, &self.context.now());
            // As long as nobody can ask, what was said of it is the best that is known.
            let knows = !told.cut_off || self.status.seq.is_none();
            let said = knows && self.say(status).await.is_ok();
            match report.phase {
                Phase::Failed if said => return Outcome::Settled,
                Phase::Complete if !report.counting && said => return Outcome::Settled,
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

    /// Its time is over: says so, and has nobody bring it again.
    async fn expire(&mut self) -> Outcome {
        if let (Some(log), Some(given)) = (&self.context.log, &self.status.id) {
            log.sender.withdraw(given);
        }
        let status = status::exhausted(&self.status, self.generation(), &self.context.now());
        if self.say(status).await.is_err() { Outcome::Again } else { Outcome::Settled }
    }

    /// Takes away what operators before this one set, for which a deletion would wait. With the uid, so that nothing is
    /// made that is gone.
    async fn release(&self) -> Result<(), kube::Error> {
        let body = json!({
            "apiVersion": crds::API_VERSION,
            "kind": "BanRule",
            "metadata": { "name": self.id.1, "uid": self.ban.metadata.uid, "finalizers": [] },
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
                tracing::warn!(%error, name = self.id.1, "the finalizer cannot be taken away");
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
