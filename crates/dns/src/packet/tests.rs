use super::*;

mod oracle;

/// A query for `name` with these counts of questions, answers, authorities and additional records.
fn query(name: &str, qtype: u16, counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x12, 0x34, 1, 0];
    packet.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    packet.extend_from_slice(&Name::encode(name).expect("a name"));
    packet.extend_from_slice(&qtype.to_be_bytes());
    packet.extend_from_slice(&CLASS_IN.to_be_bytes());
    packet.extend_from_slice(rest);
    packet
}

/// An OPT record with these options.
fn opt(payload: u16, version: u8, options: &[u8]) -> Vec<u8> {
    let mut record = vec![0, 0, 41];
    record.extend_from_slice(&payload.to_be_bytes());
    record.extend_from_slice(&[0, version, 0x80, 0]);
    record.extend_from_slice(&u16::try_from(options.len()).unwrap().to_be_bytes());
    record.extend_from_slice(options);
    record
}

/// A client's subnet, as an option.
fn subnet(family: u16, source: u8, scope: u8, address: &[u8]) -> Vec<u8> {
    let mut option = vec![0, 8];
    option.extend_from_slice(&u16::try_from(4 + address.len()).unwrap().to_be_bytes());
    option.extend_from_slice(&family.to_be_bytes());
    option.extend_from_slice(&[source, scope]);
    option.extend_from_slice(address);
    option
}

fn with_options(options: &[u8]) -> Vec<u8> {
    query("a.example.com", rtype::A, [1, 0, 0, 1], &opt(1_400, 0, options))
}

fn refused(packet: &[u8]) -> Refused<'_> {
    match read(packet) {
        Err(Unanswered::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

fn fault(packet: &[u8]) -> FormatFault {
    let refused = refused(packet);
    assert_eq!(refused.rcode, Rcode::FormErr);
    refused.fault.expect("a reason")
}

#[test]
fn a_plain_query_is_read() {
    let packet = query("A.Example.com", rtype::AAAA, [1, 0, 0, 0], &[]);
    let query = read(&packet).expect("a query");
    assert_eq!(query.head.id, 0x1234);
    assert!(query.head.recursion_desired);
    assert_eq!((query.question.qtype, query.question.class), (rtype::AAAA, CLASS_IN));
    assert_eq!(query.question.name.bytes(), b"\x01A\x07Example\x03com\0");
    assert_eq!(query.edns, None);
    assert_eq!(query.udp_limit(), 512);
}

//= rfc6891#6.1.2
#[test]
fn edns_is_read_and_unknown_options_are_passed_over() {
    let mut options = vec![0, 10, 0, 2, 1, 2];
    options.extend(subnet(1, 24, 0, &[192, 0, 2]));
    let packet = with_options(&options);
    let query = read(&packet).expect("a query");
    let edns = query.edns.expect("EDNS");
    assert!(edns.dnssec_ok);
    assert_eq!(edns.subnet.and_then(|s| s.ip()), Some([192, 0, 2, 0].into()));
    assert_eq!(query.udp_limit(), MAX_UDP);
    let small = super::tests::query("a", rtype::A, [1, 0, 0, 1], &opt(100, 0, &[]));
    assert_eq!(read(&small).expect("a query").udp_limit(), 512);
    let broken = with_options(&[0, 10, 0, 3, 1, 2]);
    assert_eq!(fault(&broken), FormatFault::Option);
    assert_eq!(fault(&with_options(&[0, 10, 0])), FormatFault::Option);
}

//= rfc7871#6
#[test]
fn subnets_are_read_strictly() {
    let read_subnet = |option: &[u8]| {
        let packet = with_options(option);
        read(&packet).ok().map(|query| query.edns.and_then(|e| e.subnet).and_then(|s| s.ip()))
    };
    assert_eq!(read_subnet(&subnet(1, 32, 0, &[1, 2, 3, 4])), Some(Some([1, 2, 3, 4].into())));
    assert_eq!(read_subnet(&subnet(1, 20, 0, &[1, 2, 0xF0])), Some(Some([1, 2, 240, 0].into())));
    let v6 = "2001:db8::".parse::<std::net::Ipv6Addr>().unwrap();
    assert_eq!(read_subnet(&subnet(2, 32, 0, &[0x20, 1, 0x0D, 0xB8])), Some(Some(v6.into())));
    for anonymous in [subnet(1, 0, 0, &[]), subnet(2, 0, 0, &[]), subnet(0, 0, 0, &[])] {
        assert_eq!(read_subnet(&anonymous), Some(None), "{anonymous:?}");
    }
    let bad = [
        subnet(1, 33, 0, &[1, 2, 3, 4, 5]),
        subnet(2, 129, 0, &[0; 17]),
        subnet(3, 8, 0, &[1]),
        subnet(0, 8, 0, &[1]),
        subnet(1, 24, 24, &[1, 2, 3]),
        subnet(1, 24, 0, &[1, 2]),
        subnet(1, 24, 0, &[1, 2, 3, 0]),
        subnet(1, 20, 0, &[1, 2, 0xF8]),
        vec![0, 8, 0, 3, 0, 1, 0],
        [subnet(1, 8, 0, &[1]), subnet(1, 8, 0, &[1])].concat(),
    ];
    for option in bad {
        assert_eq!(fault(&with_options(&option)), FormatFault::Subnet, "{option:?}");
    }
}

#[test]
fn garbage_gets_silence_and_responses_too() {
    for packet in [&[][..], &[0; 11]] {
        assert_eq!(read(packet), Err(Unanswered::Silent(Silence::Short)));
    }
    let mut response = query("a", rtype::A, [1, 0, 0, 0], &[]);
    response[2] |= 0x80;
    assert_eq!(read(&response), Err(Unanswered::Silent(Silence::Response)));
}

//= rfc9619#4
#[test]
fn there_is_one_question() {
    let none = [0; 12];
    assert_eq!(fault(&none), FormatFault::Questions);
    let two = query("a", rtype::A, [2, 0, 0, 0], b"\x01b\0\0\x01\0\x01");
    assert_eq!(fault(&two), FormatFault::Questions);
    assert_eq!(refused(&two).question, None);
}

//= rfc1035#4.1.1
#[test]
fn other_kinds_of_query_are_not_implemented() {
    for opcode in 1..16 {
        let mut packet = query("a", rtype::A, [1, 0, 0, 0], &[]);
        packet[2] |= opcode << 3;
        let refused = refused(&packet);
        assert_eq!((refused.rcode, refused.head.opcode), (Rcode::NotImp, opcode));
    }
}

//= rfc1035#3.1
#[test]
fn names_are_whole_and_bounded() {
    assert_eq!(fault(b"\0\0\0\0\0\x01\0\0\0\0\0\0\xC0\x0C\0\x01\0\x01"), FormatFault::Name);
    assert_eq!(fault(b"\0\0\0\0\0\x01\0\0\0\0\0\0\x40a\0\0\x01\0\x01"), FormatFault::Name);
    assert_eq!(fault(b"\0\0\0\0\0\x01\0\0\0\0\0\0\x05ab"), FormatFault::Name);
    assert_eq!(fault(b"\0\0\0\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0"), FormatFault::Name);
    let labels = |last: usize| format!("{}{}", "a.".repeat(100), "b".repeat(last));
    assert_eq!(Name::encode(&labels(53)).map(|name| name.len()), Some(MAX_DOMAIN));
    assert_eq!(Name::encode(&labels(54)), None);
    assert_eq!(Name::encode(&"a".repeat(64)), None);
    assert_eq!(Name::encode("a..b"), None);
    assert_eq!(Name::encode("").as_deref(), Some(&[0][..]));
    let mut long = [1u8; 300];
    long[256] = 0;
    assert_eq!(Name::read(&long), None);
    long[254] = 0;
    assert_eq!(Name::read(&long).map(|name| name.bytes().len()), Some(MAX_DOMAIN));
    let name = Name::encode("a.b.c").unwrap();
    assert_eq!(Name::read(&name).unwrap().labels(), 3);
}

//= rfc4343#3
#[test]
fn lower_case_is_for_letters_alone() {
    let name = Name::encode("A[Z\u{1}.B-9").unwrap();
    let mut buffer = [0; MAX_DOMAIN];
    assert_eq!(Name::read(&name).unwrap().lower(&mut buffer).bytes(), b"\x04a[z\x01\x03b-9\0");
}

//= rfc6891#6.1.1
#[test]
fn there_is_one_opt_in_its_place() {
    let record = opt(1_232, 0, &[]);
    let twice = [record.clone(), record.clone()].concat();
    assert_eq!(fault(&query("a", rtype::A, [1, 0, 0, 2], &twice)), FormatFault::Opt);
    for counts in [[1, 1, 0, 0], [1, 0, 1, 0]] {
        assert_eq!(fault(&query("a", rtype::A, counts, &record)), FormatFault::Opt);
    }
    let named = [b"\x01a".as_slice(), &record].concat();
    assert_eq!(fault(&query("a", rtype::A, [1, 0, 0, 1], &named)), FormatFault::Opt);
    assert_eq!(fault(&query("a", rtype::OPT, [1, 0, 0, 0], &[])), FormatFault::Type);
}

//= rfc6891#6.1.3
#[test]
fn a_later_version_of_edns_is_told_so() {
    let packet = query("a", rtype::A, [1, 0, 0, 1], &opt(1_232, 1, &[9; 3]));
    let refused = refused(&packet);
    assert_eq!((refused.rcode, refused.edns), (Rcode::BadVers, true));
    assert!(refused.question.is_some());
}

//= rfc1035#4.1.4
#[test]
fn records_end_where_they_say_and_pointers_lead_back() {
    let record = |name: &[u8], length: u16, data: &[u8]| {
        let mut record = name.to_vec();
        record.extend_from_slice(&[0, 250, 0, 255, 0, 0, 0, 0]);
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(data);
        query("a.b", rtype::A, [1, 0, 0, 1], &record)
    };
    // The record stands at 12 + 5 + 4.
    let fine = [&b"\xC0\x0C"[..], b"\0", b"\x01x\xC0\x0E", b"\x03abc\0"];
    for name in fine {
        assert!(read(&record(name, 2, &[1, 2])).is_ok(), "{name:?}");
    }
    let bad = [&b"\xC0\x15"[..], b"\xC0\x16", b"\xC0\x0B", b"\xC0", b"\x80\x01", b"\xFF\xFF"];
    for name in bad {
        assert_eq!(fault(&record(name, 2, &[1, 2])), FormatFault::Record, "{name:?}");
    }
    assert_eq!(fault(&record(b"\0", 3, &[1, 2])), FormatFault::Record);
    assert_eq!(fault(&record(b"\0", 1, &[1, 2])), FormatFault::Trailing);
    assert_eq!(fault(&query("a", rtype::A, [1, 0, 0, 1], &[])), FormatFault::Record);
    assert_eq!(fault(&query("a", rtype::A, [1, 0, 0, 0], &[0])), FormatFault::Trailing);
    assert_eq!(fault(&query("a", rtype::A, [1, 0xFFFF, 0xFFFF, 0xFFFF], &[])), FormatFault::Record);
}

#[test]
fn what_is_no_type_of_data_is_not_implemented() {
    for qtype in [rtype::TKEY, rtype::TSIG, rtype::MAILA, rtype::MAILB] {
        assert_eq!(refused(&query("a", qtype, [1, 0, 0, 0], &[])).rcode, Rcode::NotImp);
    }
}

//= rfc7766#8
#[test]
fn a_stream_is_cut_at_lengths() {
    assert_eq!(frame(&[]), Frame::Part(2));
    assert_eq!(frame(&[0]), Frame::Part(2));
    assert_eq!(frame(&[0, 3, 1, 2]), Frame::Part(5));
    assert_eq!(frame(&[0, 3, 1, 2, 3, 0]), Frame::Whole(&[1, 2, 3], 5));
    assert_eq!(frame(&[0, 0, 1]), Frame::Bad);
    assert_eq!(frame(&[0x10, 1]), Frame::Bad);
    assert_eq!(frame(&[0x10, 0]), Frame::Part(4_098));
}
