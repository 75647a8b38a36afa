use wire::invalidation::Heartbeat;

use super::*;

fn member(node: &str, pop: Option<&str>, rate: Option<u32>, unheard: u64) -> Member {
    let beat = Heartbeat {
        node: node.into(),
        pool: "web".into(),
        pop: pop.map(str::to_owned),
        requests_per_second: rate,
        ..Heartbeat::default()
    };
    let unheard = Duration::from_secs(unheard);
    Member { beat, silent: unheard, unheard }
}

#[test]
fn the_load_of_a_pop_is_that_of_the_edges_that_are_heard() {
    let loads = Loads::default();
    loads.take(&[
        member("a", Some("fra"), Some(100), 0),
        member("b", Some("fra"), Some(20), 4),
        member("c", Some("fra"), Some(7_000), 5),
        member("d", Some("syd"), None, 0),
        member("e", None, Some(9), 0),
    ]);
    assert_eq!(loads.of("web", "fra"), Some(120.0));
    assert_eq!(loads.of("web", "syd"), None, "it does not say");
    assert_eq!(loads.of("other", "fra"), None);
    loads.take(&[member("a", Some("fra"), Some(0), 0)]);
    assert_eq!(loads.of("web", "fra"), Some(0.0));
    loads.take(&[]);
    assert_eq!(loads.of("web", "fra"), None);
}
