//! The `operator` program.

use std::process::ExitCode;

use clap::Parser;
use operator::{Options, process};
use runtime::logs::{self, Format};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let options = Options::parse();
    logs::init(if options.log_text { Format::Text } else { Format::Json }, "info");
    match process::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
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
    eprintln!("operator: {error:#}");
}
