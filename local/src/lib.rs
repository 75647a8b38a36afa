//! The whole CDN in one process, from the YAML that `kubectl apply` takes; also what the end-to-end tests run.
//!
//! Never: a Kubernetes client, or a way of its own to read resources: that is `translate`. Start at
//! [`World`], a running CDN on loopback; [`process::run`] puts a terminal around it.

mod addresses;
pub mod demo_origin;
pub mod files;
pub mod fleet;
mod log;
mod name_server;
pub mod options;
mod orders;
mod plan;
pub mod process;
mod screen;
mod servers;
mod status;
mod world;

pub use addresses::Published;
pub use log::Log;
pub use name_server::{DnsSettings, NameServer};
pub use options::Options;
pub use orders::Orders;
pub use plan::{Holding, Identity, Plan, PlanError, Ports, ServerPlan, Wanted};
pub use servers::{Server, Servers};
pub use world::{Settings, World, WorldError};
