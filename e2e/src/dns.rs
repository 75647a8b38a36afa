//! A client of DNS that says where it is. Its messages are written and read by other code than ours.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsOption};
use hickory_proto::rr::{Name, RData, RecordType};
use serde_json::Value;
use tokio::net::UdpSocket;

use crate::program::Program;

/// What a question got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The addresses, in order.
    pub addresses: Vec<IpAddr>,
    /// The first one's time to live, in seconds.
    pub ttl: u32,
    /// Whether the server said that nothing is wrong.
    pub is_fine: bool,
}

/// Where a `geodns` with one `--listen` that was just started answers.
///
/// # Errors
/// When it does not start, or says something else.
pub async fn listening(geodns: &mut Program) -> io::Result<SocketAddr> {
    let line: Value = serde_json::from_str(&geodns.line("\"serving\"").await?)?;
    let listen = line["listen"].as_str().unwrap_or_default().trim_matches(['[', ']']);
    listen.parse().map_err(|_| io::Error::other(format!("no address in {line}")))
}

/// Asks over UDP for the A records of `name`, as a client of the network 24 bits long that `client` is in.
///
/// # Errors
/// When nothing that can be read comes within `patience`.
pub async fn ask(
    server: SocketAddr,
    name: &str,
    client: Ipv4Addr,
    patience: Duration,
) -> io::Result<Answered> {
    let mut message = Message::query();
    let name = Name::from_ascii(name).map_err(io::Error::other)?;
    message.add_query(Query::query(name, RecordType::A));
    let [a, b, c, _] = client.octets();
    let network = Ipv4Addr::new(a, b, c, 0).into();
    let mut edns = Edns::new();
    edns.options_mut().insert(EdnsOption::Subnet(ClientSubnet::new(network, 24, 0)));
    message.set_edns(edns);
    let bytes = message.to_vec().map_err(io::Error::other)?;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    socket.connect(server).await?;
    socket.send(&bytes).await?;
    let mut answer = [0; 4_096];
    let length = tokio::time::timeout(patience, socket.recv(&mut answer)).await??;
    let answer = Message::from_vec(&answer[..length]).map_err(io::Error::other)?;
    if answer.metadata.id != message.metadata.id {
        return Err(io::Error::other("an answer to another question"));
    }
    let address = |data: &RData| match data {
        RData::A(a) => Some(IpAddr::from(a.0)),
        RData::AAAA(aaaa) => Some(IpAddr::from(aaaa.0)),
        _ => None,
    };
    Ok(Answered {
        addresses: answer.answers.iter().filter_map(|record| address(&record.data)).collect(),
        ttl: answer.answers.first().map_or(0, |record| record.ttl),
        is_fine: answer.metadata.response_code == ResponseCode::NoError,
    })
}
