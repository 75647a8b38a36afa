//! The data plane of a node: what happens to a request, from the client's socket to the origin's and back.
//!
//! Never: Kubernetes, custom resources, configuration formats other than the snapshot. Start at
//! [`pipeline`]: the request path, straight down one file. Edges and shields are both a
//! [`Pipeline`] over different [`Backend`]s.

pub mod admin;
mod answering;
pub mod backend;
pub mod body;
mod compress;
pub mod config;
mod deliver;
pub mod follow;
mod forward;
mod front_door;
mod groups;
mod intake;
pub mod metrics;
mod outcome;
mod pass;
mod ping;
pub mod pipeline;
mod redirect;
mod refusal;
mod rings;
pub mod serve;
mod site;
mod store;
mod tiers;
mod tunnel;
mod upload;
mod way;

pub use answering::Answering;
pub use backend::{
    Ask, Backend, BehindEdge, BehindShield, Inherit, Origins, Peers, Reply, Shields, Source,
};
pub use body::Body;
pub use config::{Config, ConfigError, Node};
pub use follow::Follower;
pub use front_door::FrontDoor;
pub use pipeline::{Front, Pipeline};
pub use site::Site;
