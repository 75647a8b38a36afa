//! The program itself.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// A zone with all kinds of answers; nothing is limited, so that every packet gets what it gets.
const ZONES: &str = "
format: 1
version: one
zones:
  cdn.example.com:
    nameServers:
      - {name: ns1.cdn.example.com, v4: [192.0.2.53], v6: ['2001:db8::53']}
      - {name: ns2.example.net}
    hosts: {cdn.example.com: web, '*.cdn.example.com': web, a.deep.cdn.example.com: web}
pools:
  web:
    steering: {answers: 3, ttl: 30}
    pops:
      - {name: fra, v4: [192.0.2.1], v6: ['2001:db8::1'], location: {latitude: 50.1, longitude: 8.7}}
      - {name: nyc, v4: [192.0.2.2], v6: ['2001:db8::2'], location: {latitude: 40.7, longitude: -74.0}}
      - {name: syd, v4: [192.0.2.3], v6: ['2001:db8::3'], location: {latitude: -33.9, longitude: 151.2}}
    networks:
      - {network: 8.8.0.0/16, pops: [nyc, fra]}
limits: {answersPerSecond: 0}
";

/// A GeoDNS in a process of its own, killed when it is dropped.
pub(super) struct Process {
    child: Child,
    /// Where it answers, over UDP and TCP.
    pub(super) address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Process {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let zones = folder.path().join("zones.yaml");
        std::fs::write(&zones, ZONES).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_geodns"))
            .arg("--zones")
            .arg(zones)
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--threads", "1"])
            .args(["--drain-notice", "0"])
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let mut lines = lines.lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("serving")).expect("a line of the log");
        // Whoever reads no more stops who writes.
        std::thread::spawn(move || lines.for_each(drop));
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let listen = line["listen"].as_str().expect("where it listens");
        let address = listen.trim_matches(['[', ']']).parse().expect("one address");
        Self { child, address, _folder: folder }
    }

    /// Bytes of memory that it has now.
    pub(super) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kib: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        kib << 10
    }

    /// Stops it in order. It says with its exit code whether a thread of it panicked.
    pub(super) fn end(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
