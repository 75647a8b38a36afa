//! The real thing over real sockets: a scripted [`origin`], an exact [`client`], and a [`world`] between.
//!
//! Never: a mock of anything of ours. Start at [`world::Setup`]; the tests are in `tests/it/`,
//! those with a real Redis and programs of their own in `tests/redis_log/`, those of the GeoDNS in `tests/geodns/`.

pub mod client;
pub mod dns;
pub mod failover;
pub mod gate;
pub mod http1;
pub mod kubectl;
pub mod line;
pub mod machine;
pub mod memory;
pub mod origin;
pub mod program;
pub mod redis;
pub mod space;
pub mod stage;
pub mod workers;
pub mod world;
