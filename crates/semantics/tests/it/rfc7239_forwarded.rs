use std::net::IpAddr;

use semantics::append_forwarded;

use crate::support::headers;

//= rfc7239#4
//= rfc7239#6
#[test]
fn each_hop_adds_itself() {
    let client: IpAddr = "2001:db8:cafe::17".parse().unwrap();
    let mut fields = headers(&[("forwarded", "for=192.0.2.43")]);
    append_forwarded(&mut fields, client, "example.com", "https", true);
    assert_eq!(
        fields["forwarded"],
        "for=192.0.2.43, for=\"[2001:db8:cafe::17]\";host=example.com;proto=https"
    );
    assert_eq!(fields["x-forwarded-for"], "2001:db8:cafe::17");

    let mut spoofed = headers(&[("forwarded", "for=10.0.0.1"), ("x-forwarded-for", "10.0.0.1")]);
    append_forwarded(&mut spoofed, "192.0.2.1".parse().unwrap(), "h", "http", false);
    assert_eq!(spoofed["forwarded"], "for=192.0.2.1;host=h;proto=http");
    assert_eq!(spoofed["x-forwarded-for"], "192.0.2.1");
}
