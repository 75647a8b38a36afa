//! How a node reaches what is behind it: servers upstream, what each of them is spared, connection pools,
//! time limits, tries, and who owns a key.
//!
//! Never: the cache, Kubernetes, HTTP caching rules. Start at [`fetch`], [`Target`] and [`HashRing`].

pub mod admission;
mod body;
pub mod breaker;
pub mod budget;
mod clients;
mod connect;
mod endpoint;
mod error;
mod fetch;
pub mod health;
pub mod limit;
mod names;
mod origins;
mod policy;
mod random;
pub mod ring;
pub mod select;
mod target;
mod targets;
mod tls;
mod window;

pub use body::{Body, BoxError, Outgoing, RequestBody, empty_body, stream_body};
pub use clients::Clients;
pub use endpoint::{Endpoint, EndpointError};
pub use error::{FetchError, Stalled};
pub use fetch::{Answer, fetch};
pub use names::NameReport;
pub use origins::{Choice, breaker_settings, order, origin_settings};
pub use policy::Policy;
pub use ring::HashRing;
pub use target::{Probe, Target, TargetCounts, TargetReport, TargetSettings};
pub use targets::Targets;
