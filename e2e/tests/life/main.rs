//! The life of an installation, from `helm install` on an empty cluster to the end of its namespace: `make e2e`.
//!
//! Each step is a test with a name and a time, and goes on from where the former one left the cluster. So they run in
//! this order, in one process, and what comes after one that failed is not run. A name as an argument is that of the last
//! step. Without `--ignored`, which says that there is a cluster, they are ignored and counted so.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod changing;
mod chaos;
mod cluster;
mod going;
mod installing;
mod load;
mod places;
mod purging;
mod rights;
mod steps;

use cluster::Cluster;
use steps::{Step, step};

const STEPS: &[Step<Cluster>] = &[
    step!(installing::helm_installs_into_an_empty_cluster),
    step!(installing::helm_test_finds_everything_ready),
    step!(installing::the_quickstart_is_ready_as_it_is_written),
    step!(installing::a_hit_follows_a_miss_through_the_service),
    step!(purging::a_purge_completes_and_the_next_request_misses),
    step!(purging::a_ban_matches_until_it_is_deleted),
    step!(purging::stale_is_served_while_the_origin_is_dead),
    step!(places::dns_names_the_place_that_is_nearest),
    step!(places::ring_and_dns_follow_when_edges_are_killed),
    step!(changing::a_change_reaches_edges_that_run_on),
    step!(changing::a_refused_change_says_why_and_the_former_serves_on),
    step!(changing::traffic_goes_on_when_operators_are_killed),
    step!(changing::going_back_to_the_former_commit_under_load_fails_no_request),
    step!(changing::an_upgrade_from_the_former_commit_under_load_fails_no_request),
    step!(changing::a_rollback_under_load_fails_no_request),
    step!(chaos::operators_are_killed_during_a_rollout),
    step!(chaos::the_log_is_lost_and_made_anew),
    step!(chaos::an_edge_goes_as_it_should_and_another_at_once),
    step!(chaos::a_kubelet_is_silent_for_half_a_minute),
    step!(rights::no_pod_is_less_than_restricted),
    step!(going::resources_go_in_any_order),
    step!(going::a_namespace_with_a_pool_ends),
    step!(rights::nobody_was_forbidden_what_he_asked_for),
    step!(going::uninstalled_it_leaves_pools_that_serve_on),
    step!(going::installed_again_it_takes_them_over),
    step!(going::uninstalled_for_good_it_leaves_nothing),
    step!(going::the_namespace_of_a_release_ends_with_all_that_is_in_it),
];

fn main() -> std::process::ExitCode {
    steps::run("life", STEPS, Cluster::default, Cluster::tell, Cluster::leave)
}
