//! How all PoPs stand at one moment.

use std::sync::Arc;

use crate::fleet::{Family, Fleet, Pool};

/// What is known of a PoP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PopState {
    /// It is well.
    Healthy,
    /// It is back, or half well, and gets so much of its clients, 0 to 1.
    Degraded(f64),
    /// It gets nobody, unless all are like that.
    Unhealthy,
    /// Somebody took it out, and it gets nobody.
    Maintenance,
    /// Nothing is known yet, so it is taken for well.
    Unknown,
}

impl PopState {
    /// The words of all states, for metrics.
    pub const WORDS: [&str; 5] = ["healthy", "degraded", "unhealthy", "maintenance", "unknown"];

    /// A stable token for metrics, logs and `/where`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded(_) => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
        }
    }

    /// The share of its clients that it may have, 0 to 1.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::Healthy | Self::Unknown => 1.0,
            Self::Degraded(share) if share.is_finite() => share.clamp(0.0, 1.0),
            Self::Degraded(_) | Self::Unhealthy | Self::Maintenance => 0.0,
        }
    }
}

/// How a PoP stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// What is known of it.
    pub state: PopState,
    /// Its addresses that are left out, a bit for each, unless it has no others.
    pub left_out: u8,
    /// It has been out of all answers for as long as they may be remembered.
    pub quiet: bool,
    share: f64,
    threshold: u64,
}

impl Standing {
    /// A PoP that gets this share of its clients, 0 to 1.
    #[must_use]
    pub fn new(state: PopState, share: f64, left_out: u8) -> Self {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        // Saturates, and 1 is all.
        let threshold = (share * 2f64.powi(64)) as u64;
        Self { state, left_out, quiet: false, share, threshold }
    }

    /// The share of its clients that it gets, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share
    }

    /// It gets somebody.
    pub(super) fn is_open(&self) -> bool {
        self.threshold > 0
    }

    /// It gets everybody, so that nobody's hash matters.
    pub(super) fn takes_all(&self) -> bool {
        self.threshold == u64::MAX
    }

    /// It gets the client with this hash.
    pub(super) fn takes(&self, hash: u64) -> bool {
        self.takes_all() || hash < self.threshold
    }
}

/// How the PoPs of a pool stand, by their addresses of one family.
#[derive(Clone, Debug, PartialEq)]
pub struct SideView {
    /// In the order of the side's targets.
    pub standings: Vec<Standing>,
    /// All are bad, so all are served.
    pub all_bad: bool,
    /// How long an answer may be remembered, in seconds.
    pub ttl: u32,
}

/// How all PoPs stand at one moment, and the fleet that they are of. Answers read it and change nothing.
#[derive(Clone, Debug)]
pub struct View {
    fleet: Arc<Fleet>,
    pools: Vec<[SideView; 2]>,
}

impl View {
    /// All PoPs as if nothing were known of them.
    #[must_use]
    pub fn calm(fleet: Arc<Fleet>) -> Self {
        let side = |pool: &Pool, family| {
            let share = |weight| if weight > 0 { 1.0 } else { 0.0 };
            let targets = pool.side(family).targets.iter();
            let standings = targets
                .map(|target| Standing::new(PopState::Unknown, share(target.weight), 0))
                .collect();
            SideView::new(
                standings,
                |nth| pool.side(family).targets[nth].weight > 0,
                pool.steering.ttl,
            )
        };
        let pools =
            fleet.pools().iter().map(|pool| Family::ALL.map(|family| side(pool, family))).collect();
        Self { fleet, pools }
    }

    pub(super) fn new(fleet: Arc<Fleet>, pools: Vec<[SideView; 2]>) -> Self {
        Self { fleet, pools }
    }

    /// The fleet.
    #[must_use]
    pub fn fleet(&self) -> &Arc<Fleet> {
        &self.fleet
    }

    /// A pool of the fleet and how its PoPs stand, by their addresses of one family.
    #[must_use]
    pub fn side(&self, pool: usize, family: Family) -> Option<(&Pool, &SideView)> {
        Some((self.fleet.pools().get(pool)?, &self.pools.get(pool)?[family as usize]))
    }
}

impl SideView {
    /// If nobody gets anybody, the least bad are served: the unhealthy, then those in maintenance, then those
    /// without a weight too.
    pub(super) fn new(
        mut standings: Vec<Standing>,
        weighs: impl Fn(usize) -> bool,
        ttl: u32,
    ) -> Self {
        let all_bad = !standings.is_empty() && !standings.iter().any(Standing::is_open);
        if all_bad {
            let class = |nth: usize, standing: &Standing| match standing.state {
                _ if !weighs(nth) => 2,
                PopState::Maintenance => 1,
                _ => 0,
            };
            let classes: Vec<_> =
                standings.iter().enumerate().map(|(nth, standing)| class(nth, standing)).collect();
            let best = classes.iter().min().copied();
            for (standing, class) in standings.iter_mut().zip(classes) {
                if Some(class) == best {
                    *standing = Standing::new(standing.state, 1.0, 0);
                }
            }
        }
        Self { standings, all_bad, ttl }
    }
}
