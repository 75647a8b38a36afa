use wire::invalidation::{Heartbeat, OnLogLoss};

use super::*;

fn member(node: &str, pool: &str, silent: u64) -> Member {
    let beat = Heartbeat {
        node: node.into(),
        role: "edge".into(),
        pool: pool.into(),
        applied: None,
        on_log_loss: OnLogLoss::Serve,
        lease_ms: 10_000,
        pop: None,
        requests_per_second: None,
        ready: None,
        draining: false,
    };
    let silent = Duration::from_secs(silent);
    Member { beat, silent, unheard: silent }
}

#[test]
fn only_pods_of_ours_that_are_gone_are_forgotten() {
    let members = [
        member("edge-web-fra-1", "cdn/web", 9),
        member("edge-web-fra-2", "cdn/web", 9),
        member("edge-web-fra-3", "cdn/web", 1),
        member("edge-web-fra-4", "other/web", 9),
        member("bare-metal", "cdn/web", 9),
        member("edge-laptop", "web", 9),
    ];
    let pods = [("cdn".to_owned(), "edge-web-fra-1".to_owned())].into();
    let here = ["cdn".to_owned()];
    assert_eq!(gone(&members, &pods, &here), ["edge-web-fra-2"]);
    assert_eq!(gone(&members, &pods, &[]), ["edge-web-fra-2", "edge-web-fra-4"]);
}
