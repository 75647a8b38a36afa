//! Who may take the lease. Pure.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;

use super::HELD;

/// A lease as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who has it; nobody, when it was given up.
    pub holder: Option<String>,
    /// What changes with every write.
    pub version: Option<String>,
    /// For how long it is held without a write.
    pub held: Duration,
    /// When this process saw this version first, by its own clock.
    pub since: Duration,
}

impl Seen {
    /// What `lease` says at `now`, when `former` was seen before.
    pub fn of(lease: &Lease, former: Option<&Self>, now: Duration) -> Self {
        let spec = lease.spec.clone().unwrap_or_default();
        let version = lease.metadata.resource_version.clone();
        let same = former.filter(|former| former.version == version);
        let seconds = spec.lease_duration_seconds.and_then(|s| u64::try_from(s).ok());
        Self {
            holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
            version,
            held: seconds.map_or(HELD, Duration::from_secs),
            since: same.map_or(now, |former| former.since),
        }
    }
}

/// What to do about the lease.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is none.
    Create,
    /// Nobody has it, or its holder was silent for too long, or it is ours from an earlier life.
    Take,
    /// Another has it.
    Wait,
}

/// What `me` does at `now` about a lease.
pub fn decide(seen: Option<&Seen>, me: &str, now: Duration) -> Step {
    let Some(seen) = seen else { return Step::Create };
    let silent = now.saturating_sub(seen.since);
    match &seen.holder {
        None => Step::Take,
        Some(holder) if holder == me => Step::Take,
        Some(_) if silent >= seen.held => Step::Take,
        Some(_) => Step::Wait,
    }
}
