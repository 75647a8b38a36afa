//! The `blue-origin` program.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::process::ExitCode;

use cli::{Io, TOKEN_VARIABLE};

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    let mut io = Io {
        out: &mut stdout(),
        err: &mut stderr(),
        input: &mut stdin().lock(),
        can_ask: stdin().is_terminal() && stderr().is_terminal(),
        can_rewrite: stderr().is_terminal(),
        token: std::env::var(TOKEN_VARIABLE).ok(),
    };
    ExitCode::from(runtime.block_on(cli::run(std::env::args_os(), &mut io)))
}

#[expect(clippy::print_stderr, reason = "there is nothing else to tell it with yet")]
fn complain(error: &std::io::Error) -> ExitCode {
    eprintln!("cannot start: {error}");
    ExitCode::FAILURE
}
