//! The operator: reconciles the custom resources of the CDN in a Kubernetes cluster.
//!
//! Never: traffic, a decision about what resources mean (that is `translate`), or a write of what is already so. Start
//! at [`process::run`] for the process, at [`set`] for pools and shields, at [`orders`] for purges and bans; what they
//! act upon is in [`world`], and what they make in [`build`](mod@build).

pub mod build;
pub mod conditions;
pub mod errand;
#[cfg(test)]
mod fake;
pub mod fleet;
pub mod lease;
pub mod metrics;
pub mod names;
pub mod options;
pub mod orders;
pub mod page;
pub mod process;
pub mod reached;
pub mod set;
pub mod world;

pub use options::Options;
