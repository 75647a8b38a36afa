//! How a node reaches what is behind it: origins, connection pools, time limits.
//!
//! Never: the cache, Kubernetes, HTTP caching rules. Start at [`Upstream::fetch`].

mod body;
mod connect;
mod endpoint;
mod error;
mod fetch;
mod tls;

pub use body::{Body, BoxError, RequestBody, empty_body, stream_body};
pub use endpoint::{Endpoint, EndpointError};
pub use error::FetchError;
pub use fetch::Upstream;
