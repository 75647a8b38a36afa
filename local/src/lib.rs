//! The whole CDN in one process, from the YAML that `kubectl apply` takes; also what the end-to-end tests run.
//!
//! Never: a Kubernetes client, or a way of its own to read resources: that is `translate`. Start at
//! [`World`], a running CDN on loopback; [`process::run`] puts a terminal around it.

pub mod demo_origin;
pub mod files;
mod log;
pub mod options;
mod orders;
mod plan;
pub mod process;
mod screen;
mod status;
mod world;

pub use log::Log;
pub use options::Options;
pub use orders::Orders;
pub use plan::{EdgePlan, Plan, PlanError, Ports};
pub use world::{Edge, Settings, World, WorldError};
