use super::*;

fn pool(name: &str) -> Owner {
    Owner { namespace: "cdn".into(), tier: TierName::Edge, name: name.into() }
}

#[test]
fn names_are_plain_where_they_can_be() {
    assert_eq!(pool("web").object(), "edge-web");
    assert_eq!(pool("web").object_at("fra"), "edge-web-fra");
    assert_eq!(pool("web").object_at("us-east"), "edge-web--us-east");
    assert_eq!(pool("web").config(), "edge-web-config");
    assert_eq!(pool("web").full_name(), "cdn/web");
    let selector = selector_text(&pool("web").selector_at("fra"));
    assert_eq!(
        selector,
        "app.kubernetes.io/component=edge,app.kubernetes.io/instance=web,cdn.blueorigin.dev/pop=fra"
    );
}

#[test]
fn no_two_places_have_one_name() {
    let names = [
        pool("a").object_at("b-c"),
        pool("a-b").object_at("c"),
        pool("a").object_at("b"),
        pool("a.b").object_at("c"),
        pool("a--b").object_at("c"),
        pool("a").object_at("b--c"),
    ];
    for (i, name) in names.iter().enumerate() {
        assert!(!names[..i].contains(name), "{names:?}");
    }
}

#[test]
fn long_names_are_cut_and_stay_apart() {
    let long = "a".repeat(250);
    let other = format!("{long}b");
    for name in [pool(&long).object(), pool(&long).object_at("fra"), pool("x.y").object()] {
        assert!(name.len() <= 45 && !name.contains('.'), "{name}");
    }
    assert_ne!(pool(&long).object(), pool(&other).object());
    assert!(pool(&long).selector().values().all(|value| value.len() <= 63));
}
