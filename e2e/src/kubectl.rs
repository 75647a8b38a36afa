//! The cluster as people have it: by kubectl and helm.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs kubectl and returns all that it said.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn kubectl(arguments: &[&str]) -> String {
    kubectl_with(arguments, "")
}

/// The same with `input`.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn kubectl_with(arguments: &[&str], input: &str) -> String {
    match try_kubectl(arguments, input) {
        Ok(said) => said,
        Err(said) => panic!("kubectl {arguments:?}: {said}"),
    }
}

/// The same.
///
/// # Errors
/// What it said, if it failed.
pub fn try_kubectl(arguments: &[&str], input: &str) -> Result<String, String> {
    run("kubectl", arguments, input)
}

/// Runs helm and returns all that it said.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn helm(arguments: &[&str]) -> String {
    match try_helm(arguments) {
        Ok(said) => said,
        Err(said) => panic!("helm {arguments:?}: {said}"),
    }
}

/// The same.
///
/// # Errors
/// What it said, if it failed.
pub fn try_helm(arguments: &[&str]) -> Result<String, String> {
    run("helm", arguments, "")
}

/// Runs a program that is on the PATH.
fn run(program: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let ran = || {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            // Whoever does not want to read all of it says so by how it ends.
            let _ = pipe.write_all(input.as_bytes());
        }
        child.wait_with_output()
    };
    let output = ran().map_err(|error| format!("{program}: {error}"))?;
    let said = [output.stdout, output.stderr].map(|s| String::from_utf8_lossy(&s).into_owned());
    if output.status.success() { Ok(said.concat()) } else { Err(said.concat()) }
}

/// What the suite was told by `e2e/cluster`.
///
/// # Panics
/// When it was not.
pub fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: make e2e"))
}

/// The image of one of our programs.
///
/// # Panics
/// When nobody told of images.
pub fn image(program: &str) -> String {
    format!("{}/{program}:{}", told("E2E_IMAGES"), told("E2E_TAG"))
}

/// The audit log of the API server, where it can be read.
pub fn audit_log() -> Option<PathBuf> {
    std::env::var_os("E2E_AUDIT").map(PathBuf::from)
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// A path below it as text.
pub fn path(below: impl AsRef<OsStr>) -> String {
    root().join(Path::new(&below)).display().to_string()
}
