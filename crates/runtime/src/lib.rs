//! What every process needs and no domain knows: the clock, logs, metrics, readiness, drain, admin server.
//!
//! Never: caching, routing or Kubernetes types. Start at [`drain`], which is how a process ends, and
//! [`admin`], which is how it is watched.

pub mod admin;
pub mod clock;
pub mod drain;
pub mod file;
pub mod logs;
pub mod metrics;
pub mod random;
pub mod ready;
pub mod token;

pub use clock::Clock;
pub use drain::{Drain, Stage};
pub use ready::Readiness;
