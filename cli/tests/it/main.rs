//! The program against an API that answers by script.

// The exception for tests in clippy.toml does not reach helpers outside of test functions.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod asked;
mod found;
mod refused;
mod script;
mod shown;
mod waited;
