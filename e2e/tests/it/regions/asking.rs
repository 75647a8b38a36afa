//! Questions to DNS, written and read by another implementation of it, and to the command line.

use std::ffi::OsString;
use std::io::Cursor;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use e2e::world::TOKEN;
use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RData, RecordType};
use local::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

const PATIENCE: Duration = Duration::from_secs(10);

/// A question, of a client of a network if that is told.
pub(crate) fn query(name: &str, rtype: RecordType, subnet: Option<&str>) -> Vec<u8> {
    let mut message = Message::query();
    message.metadata.id = 4_711;
    message.add_query(Query::query(Name::from_ascii(format!("{name}.")).unwrap(), rtype));
    if let Some((address, bits)) = subnet.and_then(|subnet| subnet.split_once('/')) {
        let (address, bits) = (address.parse().unwrap(), bits.parse().unwrap());
        let mut edns = Edns::new();
        edns.set_max_payload(1_232);
        edns.options_mut().insert(EdnsOption::Subnet(ClientSubnet::new(address, bits, 0)));
        message.set_edns(edns);
    }
    message.to_vec().unwrap()
}

/// The answer over UDP.
pub(crate) async fn udp(dns: SocketAddr, query: &[u8]) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(dns).await.unwrap();
    socket.send(query).await.unwrap();
    let mut answer = vec![0; 4_096];
    let length = tokio::time::timeout(PATIENCE, socket.recv(&mut answer)).await.unwrap().unwrap();
    read(&answer[..length])
}

/// The same over TCP.
pub(crate) async fn tcp(dns: SocketAddr, query: &[u8]) -> Message {
    let asked = tokio::time::timeout(PATIENCE, async {
        let mut stream = TcpStream::connect(dns).await.unwrap();
        let length = u16::try_from(query.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], query].concat()).await.unwrap();
        let mut answer = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut answer).await.unwrap();
        read(&answer)
    });
    asked.await.unwrap()
}

/// Asks over and over without waiting, until an answer is as wanted.
pub(crate) async fn flood(
    dns: SocketAddr,
    query: &[u8],
    wanted: impl Fn(&Message) -> bool,
) -> Option<Message> {
    const BATCHES: usize = 200;
    const PAUSE: Duration = Duration::from_millis(20);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(dns).await.unwrap();
    let mut answer = vec![0; 4_096];
    for _ in 0..BATCHES {
        for _ in 0..100 {
            socket.send(query).await.unwrap();
        }
        while let Ok(length) = tokio::time::timeout(PAUSE, socket.recv(&mut answer)).await {
            let message = read(&answer[..length.unwrap()]);
            if wanted(&message) {
                return Some(message);
            }
        }
    }
    None
}

fn read(answer: &[u8]) -> Message {
    let message = Message::from_vec(answer).unwrap();
    assert_eq!(message.metadata.id, 4_711);
    message
}

/// The addresses in an answer, in order.
pub(crate) fn addresses(message: &Message) -> Vec<IpAddr> {
    let address = |data: &RData| match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    };
    message.answers.iter().filter_map(|record| address(&record.data)).collect()
}

/// For how many bits of the client's address an answer is.
pub(crate) fn scope(message: &Message) -> Option<u8> {
    match message.edns.as_ref()?.options().get(EdnsCode::Subnet)? {
        EdnsOption::Subnet(subnet) => Some(subnet.scope_prefix()),
        _ => None,
    }
}

/// The command line of a world's operator.
pub(crate) struct Asked(String);

impl Asked {
    pub(crate) fn of(world: &World) -> Self {
        Self(format!("http://{}", world.status))
    }

    /// Runs `blue-origin where`; its exit code, what it says and what it complains about.
    pub(crate) async fn run(&self, args: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut io = cli::Io {
            out: &mut out,
            err: &mut err,
            input: &mut Cursor::new(Vec::new()),
            can_ask: false,
            can_rewrite: false,
            token: Some(TOKEN.into()),
        };
        let args = [&["blue-origin", "where", "--api", &self.0], args].concat();
        let code = cli::run(args.into_iter().map(OsString::from), &mut io).await;
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }
}
