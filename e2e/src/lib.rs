//! The real thing over real sockets: a scripted [`origin`], an exact [`client`], and a [`world`] between.
//!
//! Never: a mock of anything of ours. Start at [`world::Setup`]; the tests are in `tests/it/`,
//! those with a real Redis and programs of their own in `tests/redis_log/`.

pub mod client;
pub mod gate;
pub mod http1;
pub mod line;
pub mod machine;
pub mod origin;
pub mod program;
pub mod redis;
pub mod workers;
pub mod world;
