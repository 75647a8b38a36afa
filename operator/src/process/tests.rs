use std::net::TcpStream;

use super::*;

#[test]
fn all_addresses_are_those_of_both_families() {
    let everywhere: SocketAddr = "[::]:0".parse().unwrap();
    let listener = listen(everywhere).unwrap();
    let port = listener.local_addr().unwrap().port();
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    if listener.local_addr().unwrap().is_ipv6() {
        TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap();
    }
    let taken = SocketAddr::new(everywhere.ip(), port);
    assert_eq!(listen(taken).unwrap_err().kind(), io::ErrorKind::AddrInUse);
}
