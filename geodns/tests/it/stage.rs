//! A GeoDNS in this process, on ports of the kernel's choice.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use geodns::{DatabaseFiles, DnsMetrics, Running, Service, Sockets, ZonesFile, router, start, udp};
use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsOption};
use hickory_proto::rr::{Name, RecordType};
use runtime::metrics::Metrics;
use runtime::{Clock, Drain, Readiness, Stage as Progress};
use tokio::runtime::Runtime;

/// Two PoPs on either side of the world, each told by its address.
pub(crate) const ZONES: &str = "
format: 1
version: one
zones:
  cdn.example.com:
    nameServers: [{name: ns1.cdn.example.com, v4: [192.0.2.53]}]
    hosts: {cdn.example.com: web}
pools:
  web:
    steering: {answers: 1, ttl: 30}
    pops:
      - {name: fra, v4: [192.0.2.1], location: {latitude: 50.1, longitude: 8.7}}
      - {name: syd, v4: [192.0.2.2], location: {latitude: -33.9, longitude: 151.2}}
    networks:
      - {network: 10.1.0.0/16, pops: [fra]}
      - {network: 10.2.0.0/16, pops: [syd]}
limits: {answersPerSecond: 1000}
";

/// A GeoDNS that runs until it is dropped.
pub(crate) struct Stage {
    pub(crate) dns: SocketAddr,
    admin: SocketAddr,
    pub(crate) router: SocketAddr,
    pub(crate) service: Arc<Service>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) registry: Metrics,
    drain: Drain,
    running: Option<Running>,
    pub(crate) runtime: Runtime,
}

impl Stage {
    pub(crate) fn new(zones: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zones.yaml");
        std::fs::write(&path, zones).unwrap();
        let mut file = ZonesFile::new(&path);
        let fleet = Arc::new(file.load().unwrap());
        let (registry, drain) = (Metrics::default(), Drain::new());
        let metrics = DnsMetrics::new(&registry).unwrap();
        let service = Service::new(Arc::clone(&fleet), Clock::system(), metrics, drain.clone());
        // Two sockets on one port: as a program with two threads.
        let both = |_| {
            let sockets = udp::bind("127.0.0.1:0".parse().unwrap(), 2).unwrap();
            let dns = sockets[0].local_addr().unwrap();
            // The kernel's choice for UDP may be taken for TCP.
            Some((sockets, dns, std::net::TcpListener::bind(dns).ok()?))
        };
        let (sockets, dns, listener) = (0..20).find_map(both).unwrap();
        let runtime = Runtime::new().unwrap();
        let fleet = Arc::new(ArcSwap::new(fleet));
        let routes = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = routes.local_addr().unwrap();
        let sockets = Sockets { udp: sockets, tcp: vec![listener], routers: vec![routes] };
        let running = runtime.block_on(async { start(&service, &fleet, sockets).unwrap() });
        let gate = Readiness::default().gate("zones");
        runtime.spawn(file.watch(Arc::clone(&service), fleet, gate));
        let places = DatabaseFiles::new(vec![folder.path().join("places.mmdb")]);
        runtime.spawn(places.watch(Arc::clone(&service), Readiness::default().gate("places")));
        let pages = router(Arc::clone(&service));
        let admin = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = admin.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(admin, pages).await });
        let (admin, router, running) = (address, at, Some(running));
        Self { dns, admin, router, service, folder, registry, drain, running, runtime }
    }

    /// Sends bytes over UDP; what comes within a second.
    pub(crate) fn send(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        socket.send_to(packet, self.dns).unwrap();
        let mut answer = [0; 2_000];
        socket.recv(&mut answer).ok().map(|length| answer[..length].to_vec())
    }

    /// The addresses that a client of a network gets over UDP.
    pub(crate) fn ask(&self, subnet: &str) -> Vec<String> {
        let answer = self.send(&query("cdn.example.com.", Some(subnet))).expect("an answer");
        data(&Message::from_vec(&answer).expect("a message"))
    }

    /// A page of the admin server.
    pub(crate) fn page(&self, path: &str) -> (u16, serde_json::Value) {
        self.page_with("GET", path)
    }

    /// The same with another method.
    pub(crate) fn page_with(&self, method: &str, path: &str) -> (u16, serde_json::Value) {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let text = exchange(self.admin, &request);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }

    /// What the HTTP router answers to these bytes, up to the end of the connection.
    pub(crate) fn route(&self, request: &str) -> String {
        exchange(self.router, request)
    }

    /// Waits until `so` is so, ten seconds at most.
    pub(crate) fn until(&self, so: impl Fn(&Self) -> bool) {
        for _ in 0..100 {
            if so(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it never came: {}", self.registry.text());
    }

    /// Whether the metrics have this line.
    pub(crate) fn counts(&self, line: &str) -> bool {
        self.registry.text().lines().any(|has| has == line)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.drain.advance(Progress::Closed);
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.ended()).unwrap();
        }
    }
}

fn exchange(at: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    // Whoever refuses to read on may close with a reset.
    let _ = stream.read_to_string(&mut text);
    text
}

/// A query for an A record.
pub(crate) fn query(name: &str, subnet: Option<&str>) -> Vec<u8> {
    let mut message = Message::query();
    message.metadata.id = 77;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::A));
    if let Some((address, bits)) = subnet.and_then(|subnet| subnet.split_once('/')) {
        let (address, bits) = (address.parse().unwrap(), bits.parse().unwrap());
        let mut edns = Edns::new();
        edns.options_mut().insert(EdnsOption::Subnet(ClientSubnet::new(address, bits, 0)));
        message.set_edns(edns);
    }
    message.to_vec().unwrap()
}

/// A question of some type, without more.
pub(crate) fn question(name: &str, rtype: RecordType) -> Vec<u8> {
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), rtype));
    message.to_vec().unwrap()
}

/// The data of the answers, as text.
pub(crate) fn data(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.data.to_string()).collect()
}
