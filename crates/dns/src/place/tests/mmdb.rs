//! A small writer of databases in MaxMind's format, for tests.

/// A value of a record.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(&'static str),
    Double(f64),
    Float(f32),
    Short(u16),
    Number(u32),
    Long(u64),
    List(Vec<Value>),
    Map(Vec<(&'static str, Value)>),
}

use Value::{Double, Float, List, Long, Map, Number, Short, Text};

fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    assert!(size < 29, "longer ones are not needed");
    let size = u8::try_from(size).unwrap();
    if kind < 8 {
        out.push(kind << 5 | size);
    } else {
        out.extend_from_slice(&[size, kind - 7]);
    }
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Text(text) => {
            control(2, text.len(), out);
            out.extend_from_slice(text.as_bytes());
        }
        Double(number) => {
            control(3, 8, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Float(number) => {
            control(15, 4, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Short(number) => {
            control(5, 2, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Long(number) => {
            control(9, 8, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Number(number) => {
            control(6, 4, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        List(values) => {
            control(11, values.len(), out);
            values.iter().for_each(|value| write(value, out));
        }
        Map(pairs) => {
            control(7, pairs.len(), out);
            for (key, value) in pairs {
                write(&Text(key), out);
                write(value, out);
            }
        }
    }
}

/// A database of networks, none within another, each an address and a prefix. IPv4 ones stand where IPv6 databases
/// have them.
pub(crate) fn database(networks: &[(&str, Value)]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut tree: Vec<[Option<Result<usize, usize>>; 2]> = vec![[None; 2]];
    for (network, value) in networks {
        let offset = data.len();
        write(value, &mut data);
        let network: ipnet::IpNet = network.parse().unwrap();
        let (number, bits) = match network {
            ipnet::IpNet::V4(v4) => (u128::from(u32::from(v4.network())), 96 + v4.prefix_len()),
            ipnet::IpNet::V6(v6) => (u128::from(v6.network()), v6.prefix_len()),
        };
        let mut node = 0;
        for bit in 0..bits {
            let side = usize::from(number >> (127 - bit) & 1 != 0);
            if bit + 1 == bits {
                tree[node][side] = Some(Err(offset));
                break;
            }
            node = match tree[node][side] {
                Some(Ok(next)) => next,
                Some(Err(_)) => panic!("a network within another"),
                None => {
                    tree.push([None; 2]);
                    tree[node][side] = Some(Ok(tree.len() - 1));
                    tree.len() - 1
                }
            };
        }
    }
    let mut out = Vec::new();
    for record in tree.iter().flatten() {
        let number = match record {
            None => tree.len(),
            Some(Ok(node)) => *node,
            Some(Err(offset)) => tree.len() + 16 + offset,
        };
        out.extend_from_slice(&u32::try_from(number).unwrap().to_be_bytes());
    }
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\xAB\xCD\xEFMaxMind.com");
    let metadata = Map(vec![
        ("node_count", Number(u32::try_from(tree.len()).unwrap())),
        ("record_size", Short(32)),
        ("ip_version", Short(6)),
        ("database_type", Text("Test")),
        ("languages", List(vec![])),
        ("binary_format_major_version", Short(2)),
        ("binary_format_minor_version", Short(0)),
        ("build_epoch", Long(0)),
        ("description", Map(vec![("en", Text("A test"))])),
    ]);
    write(&metadata, &mut out);
    out
}

/// A record in MaxMind's layout.
pub(crate) fn nested(
    continent: &'static str,
    country: &'static str,
    region: &'static str,
    latitude: f64,
    longitude: f64,
) -> Value {
    Map(vec![
        ("city", Map(vec![("names", Map(vec![("en", Text("Somewhere"))]))])),
        ("continent", Map(vec![("code", Text(continent)), ("geoname_id", Number(1))])),
        ("country", Map(vec![("geoname_id", Number(7)), ("iso_code", Text(country))])),
        (
            "location",
            Map(vec![
                ("accuracy_radius", Number(5)),
                ("latitude", Double(latitude)),
                ("longitude", Double(longitude)),
            ]),
        ),
        (
            "subdivisions",
            List(vec![
                Map(vec![("iso_code", Text(region))]),
                Map(vec![("iso_code", Text("part of it"))]),
            ]),
        ),
    ])
}

/// A record in the flat layout.
pub(crate) fn flat(
    country: &'static str,
    region: &'static str,
    latitude: f32,
    longitude: f32,
) -> Value {
    Map(vec![
        ("city", Text("Somewhere")),
        ("country_code", Text(country)),
        ("latitude", Float(latitude)),
        ("longitude", Float(longitude)),
        ("postcode", Text("")),
        ("state1", Text(region)),
        ("state2", Text("")),
        ("timezone", Text("")),
    ])
}
