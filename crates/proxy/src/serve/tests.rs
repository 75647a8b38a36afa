use std::net::TcpStream;

use super::*;

#[test]
fn all_addresses_are_those_of_both_families() {
    let everywhere: SocketAddr = "[::]:0".parse().unwrap();
    let first = bind(everywhere, true).unwrap();
    let at = first.local_addr().unwrap();
    TcpStream::connect((Ipv4Addr::LOCALHOST, at.port())).unwrap();
    if at.is_ipv6() {
        TcpStream::connect((Ipv6Addr::LOCALHOST, at.port())).unwrap();
    }
    let shared = bind(SocketAddr::new(everywhere.ip(), at.port()), true).unwrap();
    assert_eq!(shared.local_addr().unwrap(), at);
    let alone = bind(SocketAddr::new(everywhere.ip(), at.port()), false);
    assert_eq!(alone.unwrap_err().kind(), io::ErrorKind::AddrInUse);
}
