//! The `shield` program.

use std::process::ExitCode;

use clap::Parser;
use shield::{Options, PROGRAM};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tier::main(&PROGRAM, &Options::parse().node)
}
