//! The `local` program.

use std::process::ExitCode;

use clap::Parser;
use local::Options;
use local::process::{self, Ended};
use runtime::logs::{self, Format};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As a shell has it for what Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    logs::init(Format::Text, "error");
    match process::run(&Options::parse()) {
        Ok(Ended::Finished) => ExitCode::SUCCESS,
        Ok(Ended::CutShort) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            complain(&error);
            if process::is_bad_input(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word of a program goes to its user, not to a log"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("{error:#}");
}
