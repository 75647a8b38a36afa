//! One operator leads; the others watch and wait. Start at [`Keeper`].
//!
//! What is known of the lease is judged by the clock of this process alone: a lease that was seen to change is held
//! for its duration from then on, whatever its times say, since clocks of machines differ. Every write names the
//! version that it saw, so that of two takers one is refused.

use std::thread::JoinHandle;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease as Object, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, OwnerReference};
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use runtime::Clock;
use tokio::sync::{oneshot, watch};

mod decide;

pub use decide::{Seen, Step, decide};

/// For how long a lease is held without a sign of life.
pub const HELD: Duration = Duration::from_secs(7);
/// How often it is renewed.
pub const RENEWED: Duration = Duration::from_secs(2);
/// How often it is looked at by those who want it.
const LOOKED_AT: Duration = Duration::from_secs(1);
/// Before the others may take it, the leader must have stopped.
const GIVEN_UP: Duration = Duration::from_millis(5500);

/// What becomes of the lease, to those who do the work.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Lead {
    /// Another has it, or it is waited for.
    Not,
    /// This process leads.
    Leading,
    /// It led, and must not any more.
    Lost,
}

/// A lease in the hands of a thread of its own: it must be renewed in time while all others work.
pub struct Keeper {
    lead: watch::Receiver<Lead>,
    release: Option<oneshot::Sender<()>>,
    thread: JoinHandle<std::io::Result<()>>,
}

impl Keeper {
    /// Begins to want the lease that `make` makes in the thread's own runtime.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(
        make: impl FnOnce() -> Result<Lease, kube::Error> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (told, lead) = watch::channel(Lead::Not);
        let (release, released) = oneshot::channel();
        let thread = std::thread::Builder::new().name("lease".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut lease = match make() {
                    Ok(lease) => lease,
                    Err(error) => {
                        tracing::error!(%error, "the lease cannot be asked for");
                        return;
                    }
                };
                let mut released = std::pin::pin!(released);
                tokio::select! {
                    _ = &mut released => return,
                    () = lease.lead() => {}
                }
                told.send_replace(Lead::Leading);
                tokio::select! {
                    _ = &mut released => lease.release().await,
                    () = lease.keep() => {
                        told.send_replace(Lead::Lost);
                    }
                }
            });
            Ok(())
        })?;
        Ok(Self { lead, release: Some(release), thread })
    }

    /// Waits until it is `lead`. `false`: that will never be, as the thread has ended.
    pub async fn until(&mut self, lead: Lead) -> bool {
        self.lead.wait_for(|now| *now == lead).await.is_ok()
    }

    /// Gives the lease up, if it is had, and ends the thread.
    pub async fn end(mut self) {
        if let Some(release) = self.release.take() {
            let _ = release.send(());
        }
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

/// The lease as one process sees it.
pub struct Lease {
    api: Api<Object>,
    name: String,
    me: String,
    clock: Clock,
    owner: Option<OwnerReference>,
    seen: Option<Seen>,
    /// As it was read or written last.
    object: Option<Object>,
}

impl Lease {
    /// The lease `name` in `namespace`, wanted by `me`.
    pub fn new(client: Client, namespace: &str, name: &str, me: &str, clock: Clock) -> Self {
        let api = Api::namespaced(client, namespace);
        let (name, me) = (name.to_owned(), me.to_owned());
        Self { api, name, me, clock, owner: None, seen: None, object: None }
    }

    /// It goes when `owner` goes: also one that is made by whoever is left when all else is gone already.
    #[must_use]
    pub fn owned(self, owner: Option<OwnerReference>) -> Self {
        Self { owner, ..self }
    }

    /// Waits until this process leads.
    pub async fn lead(&mut self) {
        loop {
            match tokio::time::timeout(RENEWED, self.try_take()).await {
                Ok(Ok(true)) => return,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be had"),
                Err(_) => tracing::warn!("the API server does not answer about the lease"),
            }
            tokio::time::sleep(LOOKED_AT).await;
        }
    }

    /// Renews for as long as that works; returns when this process must not lead any more.
    pub async fn keep(&mut self) {
        let mut renewed = self.clock.monotonic();
        loop {
            tokio::time::sleep(RENEWED).await;
            let asked = self.clock.monotonic();
            let left = (renewed + GIVEN_UP).saturating_sub(asked);
            match tokio::time::timeout(left, self.renew()).await {
                Ok(Ok(true)) => renewed = asked,
                Ok(Ok(false)) => {
                    tracing::error!("another operator has the lease");
                    return;
                }
                Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be renewed"),
                Err(_) => {}
            }
            if self.clock.monotonic().saturating_sub(renewed) >= GIVEN_UP {
                tracing::error!("the lease could not be renewed in time");
                return;
            }
        }
    }

    /// Gives it up, so that another takes over at once.
    pub async fn release(&mut self) {
        let Some(mut object) = self.object.take() else { return };
        if let Some(spec) = &mut object.spec {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
            spec.renew_time = Some(self.time());
        }
        if let Err(error) = self.replace(object).await {
            tracing::warn!(%error, "the lease was not given up; it runs out by itself");
        }
    }

    async fn try_take(&mut self) -> Result<bool, kube::Error> {
        let found = self.api.get_opt(&self.name).await?;
        let now = self.clock.monotonic();
        let seen = found.as_ref().map(|lease| Seen::of(lease, self.seen.as_ref(), now));
        let step = decide(seen.as_ref(), &self.me, now);
        self.seen = seen;
        let written = match (step, found) {
            (Step::Wait, _) => return Ok(false),
            (Step::Create, _) | (Step::Take, None) => {
                let name = Some(self.name.clone());
                let owner_references = self.owner.clone().map(|owner| vec![owner]);
                let metadata = ObjectMeta { name, owner_references, ..ObjectMeta::default() };
                let object = Object { metadata, spec: Some(self.spec(0)) };
                self.api.create(&PostParams::default(), &object).await
            }
            (Step::Take, Some(mut found)) => {
                let former = found.spec.as_ref().and_then(|spec| spec.lease_transitions);
                found.spec = Some(self.spec(former.unwrap_or_default().saturating_add(1)));
                if let Some(owner) = &self.owner {
                    found.metadata.owner_references = Some(vec![owner.clone()]);
                }
                self.replace(found).await
            }
        };
        match written {
            Ok(object) => {
                self.object = Some(object);
                Ok(true)
            }
            // Another was faster.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `false`: another has it.
    async fn renew(&mut self) -> Result<bool, kube::Error> {
        let Some(mut object) = self.object.clone() else { return Ok(false) };
        if let Some(spec) = &mut object.spec {
            spec.renew_time = Some(self.time());
        }
        match self.replace(object).await {
            Ok(object) => {
                self.object = Some(object);
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => {
                // Perhaps a write of ours of which the answer was lost.
                let found = self.api.get_opt(&self.name).await?;
                let holder = found.as_ref().and_then(|lease| lease.spec.as_ref());
                let ours = holder.and_then(|s| s.holder_identity.as_deref()) == Some(&self.me);
                self.object = found.filter(|_| ours);
                Ok(ours)
            }
            Err(error) => Err(error),
        }
    }

    async fn replace(&self, object: Object) -> Result<Object, kube::Error> {
        self.api.replace(&self.name, &PostParams::default(), &object).await
    }

    fn spec(&self, transitions: i32) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: i32::try_from(HELD.as_secs()).ok(),
            acquire_time: Some(self.time()),
            renew_time: Some(self.time()),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }

    /// For people: nothing is decided by it.
    fn time(&self) -> MicroTime {
        MicroTime(Timestamp::from_millisecond(self.clock.now_millis()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
