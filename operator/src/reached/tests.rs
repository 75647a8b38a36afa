use serde_json::json;

use super::*;

fn service(status: serde_json::Value, spec: serde_json::Value) -> SeenService {
    let service = json!({ "metadata": {}, "spec": spec, "status": status });
    SeenService::of(&serde_json::from_value(service).unwrap())
}

fn texts(addresses: &[IpAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_written_counts_first_then_the_load_balancer_then_what_is_routed_by_hand() {
    let balanced = json!({ "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }, { "hostname": "lb.example" }] } });
    let routed = json!({ "clusterIP": "10.96.0.1", "externalIPs": ["192.0.2.9"] });
    let both = service(balanced, routed.clone());
    assert_eq!(texts(&reached(&["198.51.100.1".into()], Some(&both))), ["198.51.100.1"]);
    assert_eq!(texts(&reached(&[], Some(&both))), ["192.0.2.1"]);
    assert_eq!(texts(&reached(&[], Some(&service(json!({}), routed)))), ["192.0.2.9"]);
    assert_eq!(reached(&[], None), Vec::<IpAddr>::new());
}

#[test]
fn there_are_no_more_than_a_geodns_takes_of_each_family() {
    let mut written: Vec<String> = (1..=20).map(|n| format!("192.0.2.{n}")).collect();
    written.push("2001:db8::1".into());
    let found = reached(&written, None);
    assert_eq!(found.len(), MOST + 1);
    assert_eq!(found.last().map(ToString::to_string).as_deref(), Some("2001:db8::1"));
}

#[test]
fn what_no_client_reaches_is_left_out() {
    let odd = json!({ "loadBalancer": { "ingress": [
        { "ip": "0.0.0.0" }, { "ip": "::" }, { "ip": "224.0.0.1" }, { "ip": "255.255.255.255" },
        { "ip": "::ffff:192.0.2.1" }, { "ip": "2001:db8::1" },
    ] } });
    let service = service(odd, json!({}));
    assert_eq!(texts(&reached(&[], Some(&service))), ["192.0.2.1", "2001:db8::1"]);
}
