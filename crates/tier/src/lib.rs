//! The process around a tier's node: what the programs `edge` and `shield` have in common.
//!
//! Never: which tier it is, beyond the word for it; whatever differs is in the [`Program`] that it is given.
//! Start at [`run`]: from the options to the end of the drain.

mod log;
mod options;
mod process;
mod program;
mod reload;
mod workers;

pub use options::NodeOptions;
pub use process::{is_bad_input, run};
pub use program::{Peers, Program, Serve, Serving, main};
pub use reload::LoadError;
