//! Which servers a set of pools needs, under which names, on which ports. Pure.

use translate::TranslatedPool;
use wire::Snapshot;

/// The layout of ports from a base.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// From this one on.
    From(u16),
    /// Whatever is free, for tests.
    Free,
}

const FIRST_EDGE: u16 = 1;
/// DNS comes on N+53.
const MOST_EDGES: usize = 52;
const DEMO_ORIGIN: u16 = 90;

impl Ports {
    /// Of the status page and the admin API.
    pub fn status(self) -> u16 {
        self.at(0)
    }

    /// Of the demo origin.
    pub fn demo_origin(self) -> u16 {
        self.at(DEMO_ORIGIN)
    }

    fn edge(self, index: usize) -> u16 {
        self.at(FIRST_EDGE + u16::try_from(index).unwrap_or(u16::MAX / 2))
    }

    fn at(self, offset: u16) -> u16 {
        match self {
            Self::From(base) => base.saturating_add(offset),
            Self::Free => 0,
        }
    }
}

/// One edge to run.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgePlan {
    /// `fra-0`, with the pool's name before it where there are several pools.
    pub name: String,
    /// Its pool.
    pub pool: String,
    /// Its PoP.
    pub pop: String,
    /// Its port; 0 = any.
    pub port: u16,
    /// What it runs on.
    pub snapshot: Snapshot,
}

/// Everything to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// In the order of the files.
    pub edges: Vec<EdgePlan>,
}

/// The pools cannot be run here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing to do.
    #[error("there is no EdgePool in these files; see examples/quickstart/pool.yaml for one")]
    NoPool,
    /// The ports do not suffice.
    #[error(
        "these pools have {0} edges; at most {MOST_EDGES} run here: lower `replicas`, or run fewer pools at a time"
    )]
    TooManyEdges(usize),
}

impl Plan {
    /// Plans the edges of `pools`.
    ///
    /// # Errors
    /// When there is none, or too many.
    pub fn new(pools: &[TranslatedPool], ports: Ports) -> Result<Self, PlanError> {
        let several = pools.len() > 1;
        let mut edges = Vec::new();
        for pool in pools {
            for pop in &pool.pops {
                for replica in 0..pop.replicas {
                    let prefix = if several { format!("{}-", pool.name) } else { String::new() };
                    edges.push(EdgePlan {
                        name: format!("{prefix}{}-{replica}", pop.name).replace('/', "-"),
                        pool: pool.name.clone(),
                        pop: pop.name.clone(),
                        port: ports.edge(edges.len()),
                        snapshot: pool.snapshot.clone(),
                    });
                }
            }
        }
        match edges.len() {
            0 => Err(PlanError::NoPool),
            n if n > MOST_EDGES => Err(PlanError::TooManyEdges(n)),
            _ => Ok(Self { edges }),
        }
    }
}

#[cfg(test)]
mod tests;
