//! Clients that never stop asking, from inside of the cluster.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use runtime::Clock;

use crate::cluster::{HOST, SPACE, service};
use crate::places::name_server;
use crate::steps::say;

/// It lasts so long at least, so that a fast change is seen from both sides.
const LEAST: Duration = Duration::from_secs(6);

/// They ask from now on until [`Load::end`].
pub(crate) struct Load {
    child: Child,
    said: BufReader<ChildStdout>,
    clock: Clock,
}

/// What became of their requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) pages: u64,
    pub(crate) failed: u64,
}

impl Load {
    /// Begins to ask a place for a page, and GeoDNS for its name.
    pub(crate) fn begin(pop: &str) -> Self {
        let url = format!("http://{}/tagged/load", service(pop));
        let stage =
            ["--namespace", SPACE, "exec", "--stdin", "deploy/client", "--", "/usr/bin/stage"];
        let load = ["load", &url, HOST, &name_server(), HOST];
        let mut child = Command::new("kubectl")
            .args(stage.iter().chain(&load))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        said.read_line(&mut first).unwrap();
        assert_eq!(first, "asking\n");
        Self { child, said, clock: Clock::system() }
    }

    /// None of their requests may have failed, and there must have been some.
    pub(crate) fn end(self) {
        let counts = self.stop();
        assert_eq!(counts.failed, 0, "{counts:?}");
    }

    /// How many of their requests failed; there must have been some.
    pub(crate) fn stop(mut self) -> Counts {
        std::thread::sleep(LEAST.saturating_sub(self.clock.monotonic()));
        drop(self.child.stdin.take());
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        let ended = self.child.wait().unwrap();
        say(&format!("  under load: {}", said.trim()));
        let words: Vec<_> = said.split_whitespace().collect();
        let count = |name: &str| -> u64 {
            let at = words.iter().position(|word| *word == name).expect("the load was told of");
            words[at + 1].parse().unwrap()
        };
        let (pages, names, failed) = (count("pages"), count("names"), count("failed"));
        assert!(ended.success() && pages > 100 && names > 20, "{said}");
        Counts { pages, failed }
    }
}
