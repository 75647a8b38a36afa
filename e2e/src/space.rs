//! Network namespaces: each a machine of its own as far as its network goes, with links that can be cut.

use std::net::Ipv4Addr;
use std::process::{Command, Output};

fn ip(arguments: &[&str]) -> Output {
    Command::new("ip").args(arguments).output().expect("`ip` is needed (Debian: iproute2)")
}

#[track_caller]
fn must(arguments: &[&str]) {
    let output = ip(arguments);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {}: {wrong}", arguments.join(" "));
}

/// A network namespace with two links to this machine's own: one for the log, one for all else.
#[derive(Debug)]
pub struct Space {
    /// For [`Program::start_in`](crate::program::Program::start_in).
    pub name: String,
    /// The one for the log.
    pub log: Link,
    /// The one for all else.
    pub clients: Link,
}

/// A link between a namespace and this machine's own.
#[derive(Debug)]
pub struct Link {
    /// The device at this machine's end.
    device: String,
    /// The address of this machine's end.
    pub here: Ipv4Addr,
    /// That of the other end.
    pub there: Ipv4Addr,
}

impl Space {
    /// Why there can be none, if the system does not permit it.
    ///
    /// # Panics
    /// When there can be none for another reason.
    pub fn refused() -> Option<String> {
        let name = format!("bo-{}-0", std::process::id());
        let output = ip(&["netns", "add", &name]);
        if output.status.success() {
            must(&["netns", "delete", &name]);
            return None;
        }
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        let denied = why.contains("not permitted") || why.contains("denied");
        assert!(denied, "no network namespace: {why}");
        Some(why)
    }

    /// The namespace of this process with this number, below 32.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new(number: u8) -> Self {
        let process = std::process::id();
        let link = |what: &str, index: u8| {
            // Meant for benchmarks and tests (RFC 2544): nobody's real network.
            let [.., high, low] = process.to_be_bytes();
            let host = (number * 2 + index) * 4;
            let at = |last: u8| Ipv4Addr::new(198, 18 + high % 2, low, host + last);
            Link { device: format!("bo{process}{what}{number}"), here: at(1), there: at(2) }
        };
        let name = format!("bo-{process}-{number}");
        must(&["netns", "add", &name]);
        let space = Self { name, log: link("l", 0), clients: link("c", 1) };
        for (link, peer) in [(&space.log, "log"), (&space.clients, "clients")] {
            let (here, there) = (format!("{}/30", link.here), format!("{}/30", link.there));
            let (name, device) = (&*space.name, &*link.device);
            must(&["link", "add", device, "type", "veth", "peer", "name", peer, "netns", name]);
            must(&["address", "add", &here, "dev", device]);
            must(&["link", "set", device, "up"]);
            must(&["-netns", name, "address", "add", &there, "dev", peer]);
            must(&["-netns", name, "link", "set", peer, "up"]);
        }
        space
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // Each takes its other end with it.
        for link in [&self.log, &self.clients] {
            let _ = ip(&["link", "delete", &link.device]);
        }
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

/// Takes a link down, as when a cable is pulled, or up again.
///
/// # Panics
/// When it is gone.
pub fn set(link: &Link, up: bool) {
    must(&["link", "set", &link.device, if up { "up" } else { "down" }]);
}

/// Takes away what a test that was killed left behind.
pub fn tidy() {
    let listed = String::from_utf8_lossy(&ip(&["netns", "list"]).stdout).into_owned();
    for name in listed.lines().filter_map(|line| line.split(' ').next()) {
        let process = name.strip_prefix("bo-").and_then(|rest| rest.split('-').next());
        let process = process.and_then(|process| process.parse::<u32>().ok());
        if process
            .is_some_and(|process| !std::path::Path::new(&format!("/proc/{process}")).exists())
        {
            let _ = ip(&["netns", "delete", name]);
        }
    }
}
