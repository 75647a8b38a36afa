//! Programs that serve, and the files that they run on.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use e2e::client::{Answer, Request, ask};
use e2e::program::Program;
use e2e::world::Setup;
use serde_json::Value;

/// An edge or a shield that serves.
pub(crate) struct Process {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Process {
    /// The program called `name` on `config`, once it serves.
    pub(crate) async fn start(name: &str, config: &Path, more: &[&str]) -> Self {
        let config = config.display().to_string();
        let mut arguments = on_any_ports(&config);
        arguments.extend(["--name", "lab-0", "--threads", "1"]);
        arguments.extend(more);
        let mut program = Program::start(name, &arguments).unwrap();
        let line: Value =
            serde_json::from_str(&program.line("\"serving\"").await.unwrap()).unwrap();
        let address = |name: &str| line[name].as_str().unwrap().parse().unwrap();
        Self { address: address("listen"), admin: address("admin"), program }
    }
}

/// What starts an edge or a shield on free ports.
pub(crate) fn on_any_ports(config: &str) -> Vec<&str> {
    vec!["--config", config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
}

/// Asks until `holds`: another process takes its time to notice a file.
pub(crate) async fn until(
    address: SocketAddr,
    request: Request,
    holds: impl Fn(&Answer) -> bool,
) -> Answer {
    for _ in 0..1000 {
        let answer = ask(address, request.clone()).await;
        match answer {
            Ok(answer) if holds(&answer) => return answer,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("{request:?} never gets there");
}

/// What an edge runs on.
pub(crate) fn snapshot(setup: &Setup) -> String {
    serde_json::to_string_pretty(&setup.pools().unwrap()[0].snapshot).unwrap()
}

/// Replaces a file at once, as an editor or a ConfigMap does.
pub(crate) fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}
