use super::*;

fn member(name: &str, url: &str) -> Member {
    Member { name: name.into(), url: url.into(), weight: 100, pop: None, public: None }
}

fn fleet(members: Vec<Member>) -> Fleet {
    let rings = BTreeMap::from([("shields".to_owned(), Ring { members })]);
    Fleet { format: FORMAT, version: "v1".into(), rings }
}

fn many(count: usize, weight: u32) -> Vec<Member> {
    let one = |n| Member { weight, ..member(&format!("s{n}"), "http://10.0.0.1:8080") };
    (0..count).map(one).collect()
}

/// What is wrong with it, in the words of the error.
fn wrong(members: Vec<Member>) -> String {
    fleet(members).check().unwrap_err().to_string()
}

#[test]
fn a_fleet_is_written_as_documented() {
    let mut fleet = fleet(vec![member("s0", "http://10.0.0.1:8080")]);
    fleet.rings.get_mut("shields").unwrap().members[0].pop = Some("fra".into());
    let text = serde_json::to_string(&fleet).expect("plain data");
    assert_eq!(
        text,
        r#"{"format":1,"version":"v1","rings":{"shields":{"members":[{"name":"s0","url":"http://10.0.0.1:8080","weight":100,"pop":"fra"}]}}}"#
    );
    assert_eq!(serde_json::from_str::<Fleet>(&text).expect("its own text"), fleet);
}

#[test]
fn weight_and_pop_can_be_left_out_and_nothing_can_be_added() {
    let read = |text: &str| serde_json::from_str::<Member>(text);
    let short = r#"{"name":"s0","url":"http://a:1"}"#;
    assert_eq!(read(short).unwrap(), member("s0", "http://a:1"));
    assert!(read(&short.replace('}', r#","zone":"a"}"#)).is_err());
    assert!(read(&short.replace('}', r#","weight":-1}"#)).is_err());
    let unknown = r#"{"format":1,"version":"v","rings":{"a":{"members":[],"mode":"peer"}}}"#;
    assert!(serde_json::from_str::<Fleet>(unknown).is_err());
    assert!(serde_json::from_str::<Fleet>(&unknown.replace(r#","mode":"peer""#, "")).is_ok());
}

#[test]
fn what_can_be_used_passes() {
    assert_eq!(fleet(vec![]).check(), Ok(()));
    for url in ["http://10.0.0.1:8080", "http://[::1]:80", "http://s-0.shield.cdn.svc:8080/"] {
        assert_eq!(fleet(vec![member("s0", url)]).check(), Ok(()), "{url}");
    }
    let longest = "n".repeat(MAX_NAME);
    assert_eq!(fleet(vec![member(&longest, "http://a:1")]).check(), Ok(()));
    assert_eq!(fleet(many(MAX_MEMBERS, 100)).check(), Ok(()));
    assert_eq!(fleet(many(100, MAX_WEIGHT)).check(), Ok(()));
    assert_eq!(fleet(many(3, 0)).check(), Ok(()));
}

#[test]
fn names_are_checked() {
    let longer = "n".repeat(MAX_NAME + 1);
    for name in ["", "a b", "a\0", "ü", longer.as_str()] {
        let error = FleetError::Name { ring: "shields".into(), name: name.into() };
        assert_eq!(fleet(vec![member(name, "http://a:1")]).check(), Err(error), "{name}");
    }
    let twice =
        vec![member("s0", "http://a:1"), member("s1", "http://b:1"), member("s0", "http://c:1")];
    assert_eq!(wrong(twice), "ring shields: two members are named s0");
    let pop = Member { pop: Some(String::new()), ..member("s0", "http://a:1") };
    assert!(wrong(vec![pop]).starts_with("ring shields: pop \"\" of s0 must be"));
    let mut nameless = fleet(vec![]);
    nameless.rings.insert(String::new(), Ring::default());
    assert_eq!(nameless.check(), Err(FleetError::RingName(String::new())));
}

#[test]
fn urls_are_checked() {
    let bad = [
        "",
        "a",
        "a:1",
        "https://a:1",
        "http://",
        "http://a",
        "http://:1",
        "http://a:",
        "http://a:0",
        "http://a:65536",
        "http://a:+1",
        "http://u@a:1",
        "http://a:1/x",
        "http://a:1?q",
        "http://a:1#f",
        "http://a b:1",
        "http://::1:80",
        "http://a:1//",
    ];
    for url in bad {
        let error = FleetError::Url { ring: "shields".into(), name: "s0".into(), url: url.into() };
        assert_eq!(fleet(vec![member("s0", url)]).check(), Err(error), "{url}");
    }
}

#[test]
fn bounds_are_checked() {
    assert_eq!(wrong(many(1, MAX_WEIGHT + 1)), "ring shields: weight 1001 of s0, at most 1000");
    assert_eq!(wrong(many(MAX_MEMBERS + 1, 1)), "ring shields: 1001 members, at most 1000");
    assert_eq!(
        wrong(many(101, MAX_WEIGHT)),
        "ring shields: the weights are 101000 together, at most 100000"
    );
    let other = Fleet { format: 2, ..fleet(vec![]) };
    assert_eq!(other.check().unwrap_err().to_string(), "fleet format 2 is not 1");
}

#[test]
fn where_clients_reach_a_member_is_checked() {
    let at = |public: &str| Member { public: Some(public.into()), ..member("s0", "http://a:1") };
    for public in [
        "e0.example.com",
        "127.0.0.1:8001",
        "[::1]:80",
        "e0.{host}",
        "{host}:8443",
        "e0.{host}.x:1",
    ] {
        assert_eq!(fleet(vec![at(public)]).check(), Ok(()), "{public}");
    }
    let long = "n".repeat(MAX_NAME + 1);
    for public in [
        "",
        ":80",
        "a:",
        "a:0",
        "a:65536",
        "a:+80",
        "a:{host}",
        "a b",
        "a/b",
        "u@a",
        "*.a",
        "{host}.{host}",
        "{hos}",
        "http://a",
        &long,
    ] {
        let told = format!("public {public:?} of s0 must be host or host:port");
        assert!(wrong(vec![at(public)]).contains(&told), "{public}");
    }
}
