use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn custom<T: DeserializeOwned>(kind: &str, name: &str, age: &str, spec: &Value) -> (Id, Custom<T>) {
    let body = json!({
        "apiVersion": crds::API_VERSION,
        "kind": kind,
        "metadata": {
            "namespace": "cdn", "name": name, "uid": name,
            "creationTimestamp": format!("2026-01-01T00:00:{age}Z"),
        },
        "spec": spec,
    });
    let value = Ok(Arc::new(serde_json::from_value(body).unwrap()));
    let one = Custom { uid: name.to_owned(), generation: 1, leaving: false, value };
    (("cdn".to_owned(), name.to_owned()), one)
}

fn pool(name: &str, age: &str, host: &str, shield: Option<&str>) -> (Id, Custom<EdgePool>) {
    let mut site = json!({ "hosts": [host] });
    match shield {
        Some(shield) => site["shield"] = json!({ "name": shield }),
        None => site["origins"] = json!([{ "url": "http://origin" }]),
    }
    let pops = json!([{ "name": "fra", "addresses": ["192.0.2.1"] }]);
    custom("EdgePool", name, age, &json!({ "pops": pops, "sites": [site] }))
}

fn shield(name: &str) -> (Id, Custom<OriginShield>) {
    custom("OriginShield", name, "00", &json!({ "origins": [{ "url": "http://origin" }] }))
}

/// What ConfigMaps would have after `judged` was applied.
fn kept(judged: &[Judged]) -> impl Fn(&Owner, &str) -> Option<String> {
    let mut texts = HashMap::new();
    for one in judged {
        let of = crate::build::OwnerReference { owner: &one.owner, uid: &one.uid };
        let object = match one.sound.as_ref().unwrap() {
            Sound::Pool(pool, translated) => {
                let places = Some((translated, &pool.spec.pops[..]));
                crate::build::config(&of, &translated.snapshot, places).unwrap()
            }
            Sound::Shield(_, translated) => {
                crate::build::config(&of, &translated.snapshot, None).unwrap()
            }
            Sound::Held => continue,
        };
        for (key, text) in object.body()["data"].as_object().unwrap() {
            texts.insert((one.owner.clone(), key.clone()), text.as_str().unwrap().to_owned());
        }
    }
    move |owner, key| texts.get(&(owner.clone(), key.to_owned())).cloned()
}

fn find<'a>(judged: &'a [Judged], name: &str) -> &'a Judged {
    judged.iter().find(|one| one.owner.name == name).unwrap()
}

/// As an operator does that has just started.
fn judge_all(asked: &Asked, kept: impl Fn(&Owner, &str) -> Option<String>) -> Vec<Judged> {
    validate(asked, &Past { judged: &[], kept })
}

fn nothing(_: &Owner, _: &str) -> Option<String> {
    None
}

#[test]
fn what_is_sound_serves() {
    let asked = Asked {
        pools: [pool("web", "00", "a.example.com", Some("main"))].into(),
        shields: [shield("main")].into(),
        ..Asked::default()
    };
    let judged = judge_all(&asked, nothing);
    assert!(judged.iter().all(|one| one.problem.is_none()));
    let serving = find(&judged, "web").serving.as_ref().unwrap();
    assert_eq!(serving.shields.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["main"]);
    assert_eq!(serving.addresses, [["192.0.2.1"]]);
    assert!(matches!(find(&judged, "main").sound, Some(Sound::Shield(..))));
}

#[test]
fn who_asked_first_has_the_host_whatever_the_names() {
    let old = pool("z-old", "01", "a.example.com", None);
    let new = pool("a-new", "02", "a.example.com", None);
    let asked = Asked { pools: [old, new].into(), ..Asked::default() };
    let judged = judge_all(&asked, nothing);
    assert_eq!(find(&judged, "z-old").problem, None);
    let problem = find(&judged, "a-new").problem.as_ref().unwrap();
    assert_eq!(problem.reason, Reason::Invalid);
    assert!(problem.message.contains("already belongs to EdgePool/cdn/z-old"), "{problem:?}");
    assert_eq!(find(&judged, "a-new").serving, None, "there is no former state");
}

#[test]
fn a_pool_that_is_refused_serves_on_and_its_shield_keeps_its_sites() {
    let good = Asked {
        pools: [pool("web", "00", "a.example.com", Some("main"))].into(),
        shields: [shield("main"), shield("other")].into(),
        ..Asked::default()
    };
    let before = judge_all(&good, nothing);
    let kept = kept(&before);
    let snapshot = |judged: &[Judged], name: &str| match &find(judged, name).sound {
        Some(Sound::Shield(_, translated)) => translated.snapshot.clone(),
        other => panic!("{other:?}"),
    };
    // Whatever it asks for now: nothing that there is, or another shield with what is wrong elsewhere.
    let mut elsewhere = pool("web", "00", "a.example.com", Some("other"));
    let resource = Arc::make_mut(elsewhere.1.value.as_mut().unwrap());
    resource.spec.cache.max_variants = -1;
    let mut unreadable = pool("web", "00", "a.example.com", None);
    unreadable.1.value = Err("invalid type".to_owned());
    for broken in [pool("web", "00", "a.example.com", Some("nowhere")), elsewhere, unreadable] {
        let bad = Asked { pools: [broken].into(), ..good.clone() };
        let judged = judge_all(&bad, &kept);
        let web = find(&judged, "web");
        assert!(web.problem.is_some() && web.sound.is_none());
        assert_eq!(web.serving, find(&before, "web").serving);
        assert_eq!(snapshot(&judged, "main"), snapshot(&before, "main"), "it is still asked for");
        assert_eq!(snapshot(&judged, "other").sites, []);
        // Where its former state is lost, nothing of its namespace is touched.
        let damaged = |owner: &Owner, key: &str| match owner.name.as_str() {
            "web" => Some("{ damaged".to_owned()),
            _ => kept(owner, key),
        };
        let judged = judge_all(&bad, damaged);
        assert!(matches!(find(&judged, "main").sound, Some(Sound::Held)));
        assert_eq!(find(&judged, "main").problem, None);
    }
    // One that never served is in nobody's way.
    let mut both = good.clone();
    both.pools.extend([pool("new", "01", "a.example.com", Some("main"))]);
    let judged = judge_all(&both, &kept);
    assert!(find(&judged, "new").problem.is_some());
    assert_eq!(snapshot(&judged, "main"), snapshot(&before, "main"));
}

#[test]
fn what_was_found_out_later_counts_as_any_other_fault() {
    let good = Asked {
        pools: [pool("web", "00", "a.example.com", Some("main"))].into(),
        shields: [shield("main")].into(),
        ..Asked::default()
    };
    let before = judge_all(&good, nothing);
    let problem = Problem { reason: Reason::Unroutable, message: "no".into() };
    let mut bad = good.clone();
    bad.pools = [pool("web", "00", "b.example.com", None)].into();
    bad.refused = [(find(&before, "web").owner.clone(), problem.clone())].into();
    let judged = validate(&bad, &Past { judged: &before, kept: nothing });
    let web = find(&judged, "web");
    assert_eq!((web.problem.as_ref(), web.sound.is_none()), (Some(&problem), true));
    assert_eq!(web.serving, find(&before, "web").serving, "what this process applied counts");
    let Some(Sound::Shield(_, main)) = &find(&judged, "main").sound else { panic!("{judged:?}") };
    assert_eq!(main.snapshot.sites[0].hosts, ["a.example.com"]);
}

#[test]
fn edges_that_no_client_reaches_alone_are_peers() {
    let mut redirecting = pool("web", "00", "a.example.com", None);
    let resource = Arc::make_mut(redirecting.1.value.as_mut().unwrap());
    resource.spec.peering.mode = crds::PeeringMode::Redirect;
    let judged = judge_all(&Asked { pools: [redirecting].into(), ..Asked::default() }, nothing);
    let Some(Sound::Pool(_, translated)) = &judged[0].sound else { panic!("{judged:?}") };
    assert_eq!(translated.snapshot.peering.mode, wire::snapshot::PeeringMode::Peer);
    let serving = judged[0].serving.as_ref().unwrap();
    assert_eq!(serving.version, translated.snapshot.version);
}

#[test]
fn what_cannot_be_read_harms_nobody_else() {
    let mut broken = pool("broken", "00", "b.example.com", None);
    broken.1.value = Err("invalid type".to_owned());
    let asked = Asked {
        pools: [broken, pool("web", "01", "a.example.com", None)].into(),
        ..Asked::default()
    };
    let judged = judge_all(&asked, nothing);
    let problem = find(&judged, "broken").problem.as_ref().unwrap();
    assert_eq!((problem.reason, problem.message.as_str()), (Reason::Unreadable, "invalid type"));
    assert!(find(&judged, "web").sound.is_some());
}

#[test]
fn a_missing_secret_is_of_its_namespace_alone() {
    let missing = [("cdn".to_owned(), "the Secret `log` is missing".to_owned())].into();
    let asked = Asked {
        pools: [pool("web", "00", "a.example.com", None)].into(),
        missing,
        ..Asked::default()
    };
    let judged = judge_all(&asked, nothing);
    assert_eq!(judged[0].problem.as_ref().unwrap().reason, Reason::SecretMissing);
    let elsewhere = [("other".to_owned(), "missing".to_owned())].into();
    let judged = judge_all(&Asked { missing: elsewhere, ..asked }, nothing);
    assert_eq!(judged[0].problem, None);
}

#[test]
fn a_former_state_that_is_damaged_is_none() {
    let mut asked = Asked {
        pools: [pool("web", "00", "a.example.com", Some("none"))].into(),
        ..Asked::default()
    };
    let judged = judge_all(&asked, |_, _| Some("{ damaged".to_owned()));
    assert_eq!(judged[0].serving, None);
    asked.pools.clear();
    assert!(judge_all(&asked, nothing).is_empty());
}
