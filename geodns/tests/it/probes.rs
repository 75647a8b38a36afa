//! PoPs that die and come back.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use runtime::Clock;

use crate::stage::{Stage, ZONES};

const WELL: u8 = 0;
const HANGING: u8 = 1;
const ILL: u8 = 2;
const STOPPED: u8 = 3;

/// A server of HTTP on loopback, of which only the status is real.
struct Edge {
    at: SocketAddr,
    mode: Arc<AtomicU8>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Edge {
    fn start(at: &str) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let at = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let mode = Arc::new(AtomicU8::new(WELL));
        let told = Arc::clone(&mode);
        let thread = std::thread::spawn(move || {
            let mut hanging = Vec::new();
            loop {
                let mode = told.load(Ordering::SeqCst);
                if mode == STOPPED {
                    return;
                }
                let Ok((mut stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(2));
                    continue;
                };
                if mode == HANGING {
                    hanging.push(stream);
                    continue;
                }
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                let mut question = [0; 500];
                let length = stream.read(&mut question).unwrap_or_default();
                let known =
                    question[..length].starts_with(b"OPTIONS * HTTP/1.1\r\nmax-forwards: 0");
                let status = if mode == WELL && known { 204 } else { 503 };
                // Who asked may be gone.
                let _ = stream.write_all(format!("HTTP/1.1 {status} x\r\n\r\n").as_bytes());
            }
        });
        Self { at, mode, thread: Some(thread) }
    }

    fn turn(&mut self, mode: u8) {
        self.mode.store(mode, Ordering::SeqCst);
        if mode == STOPPED {
            self.thread.take().unwrap().join().unwrap();
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.mode.store(STOPPED, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn fra(stage: &Stage) -> serde_json::Value {
    let shown = stage.page("/where?ip=10.1.7.1&name=cdn.example.com").1;
    let candidates = shown["candidates"].as_array().unwrap();
    candidates.iter().find(|candidate| candidate["pop"] == "fra").unwrap().clone()
}

fn until_fra(stage: &Stage, state: &str, share: impl Fn(f64) -> bool) {
    stage.until(|stage| {
        let fra = fra(stage);
        fra["state"] == state && share(fra["share"].as_f64().unwrap())
    });
}

#[test]
fn a_dead_pop_is_out_within_two_seconds_and_comes_back_by_degrees() {
    let mut edge = Edge::start("127.0.0.1:0");
    let other = Edge::start("127.0.0.1:0");
    let zones = ZONES
        .replace(
            "v4: [192.0.2.1],",
            &format!("v4: [192.0.2.1], probeAt: {{192.0.2.1: \"{}\"}},", edge.at),
        )
        .replace(
            "v4: [192.0.2.2],",
            &format!("v4: [192.0.2.2], probeAt: {{192.0.2.2: \"{}\"}},", other.at),
        )
        .replace("ttl: 30}", "ttl: 30, ramp: 1}\n    probe: {}");
    let stage = Stage::new(&zones);
    let clock = Clock::system();
    for (nth, death) in [STOPPED, HANGING, ILL].into_iter().enumerate() {
        until_fra(&stage, "healthy", |share| share == 1.0);
        assert_eq!(stage.ask("10.1.7.0/24"), ["192.0.2.1"]);
        edge.turn(death);
        let died = clock.monotonic();
        loop {
            let answer = stage.ask("10.1.7.0/24");
            assert_eq!(answer.len(), 1, "never empty");
            if answer == ["192.0.2.2"] {
                break;
            }
            assert!(clock.monotonic() - died < Duration::from_secs(2), "{death}: still there");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(fra(&stage)["addresses"][0]["reason"], "failures");
        match death {
            STOPPED => edge = Edge::start(&edge.at.to_string()),
            _ => edge.turn(WELL),
        }
        until_fra(&stage, "degraded", |share| share > 0.0 && share <= 0.3);
        let confirmed = r#"cdn_dns_address_changes_total{pool="web",pop="fra",reason="confirmed"}"#;
        stage.until(|stage| stage.counts(&format!("{confirmed} {}", nth + 1)));
    }
    until_fra(&stage, "healthy", |share| share == 1.0);
    let state = r#"cdn_dns_address_state{address="192.0.2.1",pool="web",pop="fra"}"#;
    assert!(stage.counts(&format!("{state} 1")), "{}", stage.registry.text());
    // Whose probes end is not known any more.
    let file = stage.folder.path().join("zones.yaml");
    std::fs::write(
        file,
        zones.replace("    probe: {}", "").replace("version: one", "version: two"),
    )
    .unwrap();
    stage.until(|stage| fra(stage)["state"] == "unknown" && !stage.registry.text().contains(state));
}
