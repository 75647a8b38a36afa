use super::*;

fn options(more: &[&str]) -> Options {
    let all =
        ["operator", "--edge-image", "edge:1", "--shield-image", "shield:1"].iter().chain(more);
    Options::try_parse_from(all).unwrap()
}

#[test]
fn namespaces_are_told_with_commas() {
    assert_eq!(options(&[]).namespaces, Vec::<String>::new());
    assert_eq!(options(&["--namespaces", "a,b"]).namespaces, ["a", "b"]);
    assert_eq!(options(&["--namespace", "own"]).own_namespace(), "own");
}

#[test]
fn two_of_one_name_are_told_apart() {
    let options = options(&["--name", "op"]);
    let (one, other) = (options.identity().unwrap(), options.identity().unwrap());
    assert!(one.starts_with("op_") && one != other);
}

#[test]
fn the_authority_is_read_with_its_line() {
    let read = |text: &str| {
        let path = std::env::temp_dir()
            .join(format!("authority-{}.yaml", runtime::random::hex().unwrap()));
        std::fs::write(&path, text).unwrap();
        let found = options(&["--zones-configmap", "zones", "--authority", path.to_str().unwrap()])
            .read_authority();
        std::fs::remove_file(&path).unwrap();
        found.map_err(|error| error.to_string())
    };
    let authority =
        read("nameServer: {name: ns1.example.net, v4: [192.0.2.53]}\nprobe: {}\n").unwrap();
    assert_eq!(authority.name_server.name, "ns1.example.net");
    assert_eq!(authority.probe, Some(Probe::default()));
    let error = read("nameServer: {name: NS}\n").unwrap_err();
    assert!(error.contains("GeoDNS cannot answer") && error.contains("NS"), "{error}");
    let nothing = options(&["--zones-configmap", "zones"]).read_authority();
    assert!(matches!(nothing, Err(AuthorityError::Unusable(_))), "no host would have a zone");
    let error = read("nameServer:\n  nam: x\n").unwrap_err();
    assert!(error.contains("nam") && error.contains('2'), "{error}");
    assert_eq!(options(&[]).read_authority().unwrap(), Authority::default());
}

#[test]
fn what_belongs_together_is_given_together() {
    let wrong = ["operator", "--edge-image", "e", "--shield-image", "s", "--authority", "file"];
    assert!(Options::try_parse_from(wrong).is_err());
    assert!(Options::try_parse_from(["operator"]).is_err(), "images are needed");
}
