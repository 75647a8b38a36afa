//! The authoritative GeoDNS: the sockets, files and pages around the pure answers of [`dns`].
//!
//! Never: custom resources, a Kubernetes client, or a decision about an answer. Start at [`process::run`] for the
//! process, at [`start`] for a GeoDNS inside another program, at [`Service`] for what all its threads share.

mod command;
mod exchange;
mod explain;
mod files;
mod first_look;
mod healths;
mod line;
mod loads;
mod maintenance;
mod metrics;
mod observers;
pub mod options;
mod planning;
mod probing;
pub mod process;
pub mod redirecting;
mod rings;
mod running;
mod seats;
mod service;
mod signals;
pub mod tcp;
pub mod udp;

pub use exchange::exchange_on;
pub use files::{DatabaseFiles, LoadError, ZonesFile};
pub use healths::{Healths, Subject};
pub use loads::{Loads, follow_loads};
pub use maintenance::{CommandError, Maintenance, Place};
pub use metrics::DnsMetrics;
pub use observers::Observers;
pub use options::Options;
pub use rings::{FleetFile, Rings};
pub use running::{Running, Sockets, start};
pub use service::{Service, Serving};

/// What is behind the token of the admin server: [`/where`](explain) and [`/maintenance`](command).
pub fn router(service: std::sync::Arc<Service>) -> axum::Router {
    explain::router(std::sync::Arc::clone(&service)).merge(command::router(service))
}
