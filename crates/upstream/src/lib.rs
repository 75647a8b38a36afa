//! How a node reaches what is behind it: origins, connection pools, time limits, and who owns a key.
//!
//! Never: the cache, Kubernetes, HTTP caching rules. Start at [`Upstream::fetch`] and [`HashRing`].

pub mod admission;
mod body;
pub mod breaker;
pub mod budget;
mod connect;
mod endpoint;
mod error;
mod fetch;
pub mod health;
pub mod limit;
mod random;
pub mod ring;
pub mod select;
mod tls;
mod window;

pub use body::{Body, BoxError, RequestBody, empty_body, stream_body};
pub use endpoint::{Endpoint, EndpointError};
pub use error::FetchError;
pub use fetch::Upstream;
pub use ring::HashRing;
