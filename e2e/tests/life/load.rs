//! Clients that never stop asking, from inside of the cluster.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use crate::cluster::{HOST, SPACE, service};
use crate::places::name_server;
use crate::steps::say;

/// They ask from now on until [`Load::end`].
pub(crate) struct Load(Child);

impl Load {
    /// Begins to ask a place for a page, and GeoDNS for its name.
    pub(crate) fn begin(pop: &str) -> Self {
        let url = format!("http://{}/tagged/load", service(pop));
        let stage =
            ["--namespace", SPACE, "exec", "--stdin", "deploy/client", "--", "/usr/bin/stage"];
        let load = ["load", &url, HOST, &name_server(), HOST];
        let child = Command::new("kubectl")
            .args(stage.iter().chain(&load))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// None of their requests may have failed, and there must have been some.
    pub(crate) fn end(mut self) {
        drop(self.0.stdin.take());
        let mut said = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let ended = self.0.wait().unwrap();
        say(&format!("  under load: {}", said.trim()));
        let words: Vec<_> = said.split_whitespace().collect();
        let count = |name: &str| -> u64 {
            let at = words.iter().position(|word| *word == name).expect("the load was told of");
            words[at + 1].parse().unwrap()
        };
        assert!(ended.success() && count("pages") > 100 && count("names") > 20, "{said}");
        assert_eq!(count("failed"), 0, "{said}");
    }
}
