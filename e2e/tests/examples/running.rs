//! `local` on an example, and what is asked of it.

use std::net::SocketAddr;
use std::process::Command;

use e2e::client::{Answer, Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::program::{LOCAL_PORTS, Program, binary, free_ports};
use e2e::world::TOKEN;
use local::files;
use serde_json::Value;
use translate::Translation;

use crate::root;

/// A running example.
pub(crate) struct Running {
    pub(crate) program: Program,
    pub(crate) origin: Origin,
    translation: Translation,
    port: u16,
}

impl Running {
    /// Runs `command`, as in `local examples/quickstart`, on free ports and for an origin that remembers.
    pub(crate) async fn start(command: &str) -> Self {
        let words = command.split_whitespace().skip(1);
        let paths: Vec<_> = words.take_while(|word| !word.starts_with("--")).collect();
        let paths: Vec<_> = paths.iter().map(|path| root().join(path)).collect();
        let translation = files::translation(&files::read(&paths).unwrap());
        assert_eq!(translation.diagnostics, [], "{command}");
        let origin = Origin::start().await.unwrap();
        origin.on("*", |asked| {
            Reply::fresh(600, asked.target.clone())
                .field("content-type", "text/plain")
                .field("surrogate-key", "shop shoes")
        });
        let port = free_ports(LOCAL_PORTS);
        let (base, url) = (port.to_string(), origin.url());
        let mut arguments: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        arguments.extend(["--origin", &url, "--base-port", &base, "--admin-token", TOKEN]);
        let mut program = Program::start("local", &arguments).unwrap();
        program.line("Ctrl-C ends it").await.unwrap();
        Self { program, origin, translation, port }
    }

    pub(crate) fn at(&self, offset: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port + offset))
    }

    /// The edges as the status page has them.
    pub(crate) async fn edges(&self) -> Vec<Value> {
        let answer = ask(self.at(0), "/status").await.unwrap();
        answer.expect_status(200);
        let status: Value = serde_json::from_slice(&answer.body).unwrap();
        status["edges"].as_array().unwrap().clone()
    }

    /// Where the edge called `name` is.
    pub(crate) async fn edge(&self, name: &str) -> SocketAddr {
        let edges = self.edges().await;
        address(edges.iter().find(|edge| edge["name"] == name).unwrap())
    }

    /// Asks an edge of each pool twice for a page of each of its hosts; how many hosts there were.
    pub(crate) async fn every_site_is_cached(&self) -> usize {
        let (edges, mut sites) = (self.edges().await, 0);
        assert!(!edges.is_empty());
        for pool in &self.translation.pools {
            let there: usize = pool.pops.iter().map(|pop| pop.replicas as usize).sum();
            let own: Vec<_> = edges.iter().filter(|edge| edge["pool"] == *pool.name).collect();
            assert_eq!(own.len(), there, "edges of {}", pool.name);
            for host in pool.snapshot.sites.iter().flat_map(|site| &site.hosts) {
                let host = host.replace('*', "some");
                let target = format!("/page-of-{host}");
                let request = Request::get(&target).field("host", &host);
                let edge = address(own[0]);
                ask(edge, &request).await.unwrap().expect_status(200).expect_body(&target);
                let again = until(edge, &request, |a| a.field("cache-status").contains("; hit"));
                again.await.expect_status(200).expect_body(&target);
                assert_eq!(self.origin.count(&target), 1, "{host}");
                sites += 1;
            }
        }
        sites
    }

    /// Waits for the last word about each order in the files; how many there were.
    pub(crate) async fn every_order_is_complete(&mut self) -> usize {
        let orders = self.translation.orders.len();
        for _ in 0..orders {
            let line = self.program.line(": complete on ").await.unwrap();
            assert!(line.starts_with("PurgeRequest ") || line.starts_with("BanRule "), "{line}");
        }
        orders
    }

    /// Runs a command line of `blue-origin` as a shell would, and gives what it says.
    pub(crate) fn does(&self, command: &str) -> String {
        let program = binary("blue-origin").unwrap();
        let path = format!(
            "{}:{}",
            program.parent().unwrap().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let command = command.replacen(
            "blue-origin ",
            &format!("blue-origin --api http://{} ", self.at(0)),
            1,
        );
        let output = Command::new("sh")
            .args(["-c", &command])
            .env("PATH", path)
            .env("BLUE_ORIGIN_TOKEN", TOKEN)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].map(|s| String::from_utf8_lossy(&s).into_owned());
        assert!(output.status.success(), "{command}: {}", said.concat());
        said.concat()
    }

    pub(crate) async fn end(self) {
        self.program.terminate().unwrap();
        let (code, output) = self.program.end().await.unwrap();
        assert_eq!(code, Some(0), "{output}");
    }
}

fn address(edge: &Value) -> SocketAddr {
    edge["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap()
}

/// Asks until the answer is as it will be: another process takes its time.
pub(crate) async fn until(
    edge: SocketAddr,
    request: &Request,
    holds: impl Fn(&Answer) -> bool,
) -> Answer {
    let mut last = None;
    for _ in 0..3000 {
        let answer = ask(edge, request).await.unwrap();
        if holds(&answer) {
            return answer;
        }
        last = Some(answer);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{request:?} never gets there: {last:#?}");
}
