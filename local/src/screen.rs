//! What the terminal shows: the table at the start, and counts while it runs.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;

use crate::servers::Server;
use crate::status::Counts;
use crate::world::World;

/// Those of which the examples know where they are.
const NETWORKS: [&str; 2] = ["8.8.8.0/24", "194.158.0.0/16"];

/// What runs where, and what to try.
pub(crate) fn welcome(world: &World, token: &str) -> String {
    let mut text = String::new();
    let edges = world.edges.list();
    let _ = writeln!(text, "\nBlue Origin is running\n");
    let _ = writeln!(
        text,
        "  {:<16} {:<28} the status page and the admin API",
        "status",
        format!("http://{}", world.status)
    );
    for line in servers(world) {
        let _ = writeln!(text, "{line}");
    }
    if let Some((address, _)) = &world.demo {
        let _ = writeln!(
            text,
            "  {:<16} {:<28} a small site to cache",
            "demo origin",
            format!("http://{address}")
        );
    }
    if let Some(dns) = &world.dns {
        let what = "sends clients to PoPs, over UDP and TCP";
        let _ = writeln!(text, "  {:<16} {:<28} {what}", "dns", dns.address.to_string());
        let what = "redirects clients to the PoP that DNS would send them to";
        let _ =
            writeln!(text, "  {:<16} {:<28} {what}", "router", format!("http://{}", dns.router));
    }
    let _ = writeln!(text, "  {:<16} {token}", "admin token");
    let Some(first) = edges.first() else { return text };
    if edges.iter().any(|edge| edge.published.is_some_and(|p| p.found.ip() != *p.own.ip())) {
        let _ = writeln!(
            text,
            "\nThis machine has no addresses such as 127.1.0.1: what DNS says leads nowhere."
        );
    }
    let path = if world.demo.is_some() { "/hello" } else { "/" };
    let _ = writeln!(text, "\nTry, twice:");
    let _ = writeln!(text, "  curl -i {}{path}", first.url());
    let _ = writeln!(text, "Purge it on every server, and ask again:");
    let _ =
        writeln!(text, "  curl -X PURGE -H 'Authorization: Bearer {token}' {}{path}", first.url());
    let _ = writeln!(text, "What an edge holds:");
    let _ = writeln!(
        text,
        "  curl -H 'Authorization: Bearer {token}' http://{}/edges/{}/debug/entries",
        world.status, first.name
    );
    text.push_str(&dns(world, token, first, path));
    let _ = writeln!(text, "\nCtrl-C ends it.\n");
    text
}

/// Where DNS sends clients, and to go there.
fn dns(world: &World, token: &str, edge: &Server, path: &str) -> String {
    let (Some(dns), Some(published)) = (&world.dns, edge.published) else { return String::new() };
    let config = edge.node.config();
    let mut hosts = config.snapshot().sites.iter().flat_map(|site| &site.hosts);
    // Nobody asks for the address of an address.
    let name = hosts.find(|host| host.parse::<IpAddr>().is_err());
    let Some(host) = name else { return String::new() };
    let host = host.replace('*', "www");
    let dig = format!("  dig @{} -p {} {host}", dns.address.ip(), dns.address.port());
    let (own, port) = (published.own.ip(), published.own.port());
    let mut text = "Where DNS sends the clients of two networks, and to go there:\n".to_owned();
    for network in NETWORKS {
        let _ = writeln!(text, "{dig} A +subnet={network}");
    }
    let _ = writeln!(
        text,
        "  curl -i --resolve {host}:{port}:{own} http://{host}:{port}{path}\nAnd why:\n  \
         BLUE_ORIGIN_TOKEN={token} target/release/blue-origin --api http://{} where http://{host}/ --from 8.8.8.8",
        world.status
    );
    text
}

/// A line about each server.
pub(crate) fn servers(world: &World) -> Vec<String> {
    let line =
        |server: Server, what: &str| format!("  {:<16} {:<28} {what}", server.name, server.url());
    let edges = world.edges.list().into_iter().map(|edge| {
        let config = edge.node.config();
        let hosts: Vec<&str> =
            config.snapshot().sites.iter().flat_map(|s| &s.hosts).map(String::as_str).collect();
        let pop = edge.pop.clone().unwrap_or_default();
        let own = edge.published.map(|p| format!(" on {}", p.own)).unwrap_or_default();
        line(edge, &format!("PoP {pop}{own}, for {}", hosts.join(", ")))
    });
    let shields = world.shields.list().into_iter().map(|server| {
        let what = format!("shield {}, for edges", server.pool);
        line(server, &what)
    });
    edges.chain(shields).collect()
}

/// Writes to standard output, which is this program's face.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    // A closed pipe is the reader's choice, not an error.
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Counts that are redrawn in place, on a terminal only.
pub(crate) struct Live {
    lines: usize,
    on: bool,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self { lines: 0, on: io::stdout().is_terminal() }
    }

    /// Draws the counts over those drawn before.
    pub(crate) fn draw(&mut self, world: &World) {
        if !self.on {
            return;
        }
        let text = counts(world);
        let up = if self.lines > 0 { format!("\x1b[{}A\x1b[J", self.lines) } else { String::new() };
        self.lines = text.lines().count();
        say(&format!("{up}{text}"));
    }

    /// Something else is about to be written below the counts.
    pub(crate) fn leave(&mut self) {
        self.lines = 0;
    }
}

fn counts(world: &World) -> String {
    let mut text = format!(
        "  {:<16} {:>10} {:>10} {:>7} {:>9} {:>12}\n",
        "server", "requests", "from store", "ratio", "objects", "bytes"
    );
    for server in [world.edges.list(), world.shields.list()].concat() {
        let c = Counts::of(&server);
        let ratio = match c.requests {
            0 => "–".to_owned(),
            requests => format!("{:.1} %", c.hits as f64 * 100.0 / requests as f64),
        };
        let _ = writeln!(
            text,
            "  {:<16} {:>10} {:>10} {:>7} {:>9} {:>12}",
            c.name, c.requests, c.hits, ratio, c.objects, c.bytes
        );
    }
    if let Some((_, asked)) = &world.demo {
        let _ = writeln!(text, "  {:<16} {:>10}", "demo origin", asked.count());
    }
    text
}
