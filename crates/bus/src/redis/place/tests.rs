use super::*;

/// What was understood, in short.
fn read(url: &str) -> Result<String, BadUrl> {
    let server = |server: &Server| {
        let redis = server.info.redis_settings();
        let tls = matches!(server.info.addr(), ConnectionAddr::TcpTls { insecure: false, .. });
        let name = format!("{:?} {:?}", redis.username(), redis.password());
        assert_eq!(redis.protocol(), ProtocolVersion::RESP3);
        format!("{} tls={tls} db={} {name}", server.info.addr(), redis.db())
    };
    let all = |servers: &[Server]| servers.iter().map(server).collect::<Vec<_>>().join("; ");
    Place::parse(url, None).map(|place| match place {
        Place::One(one) => all(&[*one]),
        Place::Sentinel { sentinels, master } => format!("{master}: {}", all(&sentinels)),
        Place::Cluster(servers) => format!("cluster: {}", all(&servers)),
    })
}

#[test]
fn every_kind_of_place_is_understood() {
    let cases = [
        ("redis://h", "h:6379 tls=false db=0 None None"),
        ("redis://h:1/3", "h:1 tls=false db=3 None None"),
        ("redis://[::1]", "::1:6379 tls=false db=0 None None"),
        ("redis://[::1]:7", "::1:7 tls=false db=0 None None"),
        ("rediss://u:p%40%2F@h", "h:6379 tls=true db=0 Some(\"u\") Some(\"p@/\")"),
        ("redis://:p@h", "h:6379 tls=false db=0 None Some(\"p\")"),
        (
            "redis+sentinel://:p@a,b:7/main/2",
            "main: a:26379 tls=false db=2 None Some(\"p\"); b:7 tls=false db=2 None Some(\"p\")",
        ),
        (
            "rediss+cluster://a,b:7",
            "cluster: a:6379 tls=true db=0 None None; b:7 tls=true db=0 None None",
        ),
    ];
    for (url, expected) in cases {
        assert_eq!(read(url).unwrap(), expected, "{url}");
    }
}

#[test]
fn what_is_wrong_is_said_without_the_password() {
    let cases = [
        ("", "must begin with"),
        ("http://:secret@h", "must begin with"),
        ("redis://:secret@", "names no host"),
        ("redis://:secret@:6379", "names no host"),
        ("redis://:secret@h:port", "host[:port]"),
        ("redis://:secret@h:70000", "host[:port]"),
        ("redis://:secret@a,b", "one host"),
        ("redis://:secret@h/x", "a number as database"),
        ("redis://:secret@h/1?protocol=9", "no parameters"),
        ("rediss://:secret@h#insecure", "no parameters"),
        ("redis://:secret@0.0.0.0", "host[:port]"),
        ("redis+sentinel://:secret@h", "master's name"),
        ("redis+sentinel://:secret@h,/main", "names no host"),
        ("redis+cluster://:secret@h/1", "no databases"),
    ];
    for (url, expected) in cases {
        let error = read(url).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(error.to_string().contains(expected), "{url}: {said}");
        assert!(!said.contains("secret"), "{url}: {said}");
    }
}

#[test]
fn certificates_are_read_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let read = |url| Place::parse(url, Some(&path)).map(|_| ()).map_err(|e| e.to_string());
    assert!(read("rediss://h").unwrap_err().contains("ca.pem"));
    std::fs::write(&path, "nothing").unwrap();
    assert!(read("rediss://h").unwrap_err().contains("no PEM"));
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\n").unwrap();
    assert_eq!(read("rediss+cluster://h"), Ok(()));
    assert!(read("redis://h").unwrap_err().contains("rediss://"));
}

#[test]
fn settings_do_not_show_the_password() {
    let settings =
        crate::RedisSettings { url: "redis://:secret@h".into(), ..crate::RedisSettings::default() };
    let shown = format!("{settings:?}");
    assert!(shown.contains("blue-origin") && !shown.contains("secret"), "{shown}");
}
