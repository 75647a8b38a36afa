//! The definitions of our resources, as the API server takes them and kubectl shows them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;

use crate::support::{self, Test, kubectl, kubectl_with, root};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn definitions_are_accepted_without_a_warning() {
    let test = Test::begin("definitions_are_accepted_without_a_warning").await;
    let said = support::definitions();
    assert!(!said.contains("Warning"), "{said}");
    let api = Api::<CustomResourceDefinition>::all(test.client.clone());
    for definition in crds::definitions() {
        let name = definition.metadata.name.unwrap();
        let there = api.get(&name).await.unwrap();
        let conditions = there.status.unwrap().conditions.unwrap();
        // `NonStructuralSchema` is there only if something is wrong.
        for condition in conditions {
            let good = matches!(condition.type_.as_str(), "NamesAccepted" | "Established");
            assert_eq!(condition.status == "True", good, "{name}: {condition:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn every_field_that_users_write_is_explained() {
    let _test = Test::begin("every_field_that_users_write_is_explained").await;
    for (asked, part) in [
        ("edgepool.spec", "The store of each edge"),
        ("edgepool.spec.sites", "The `OriginShield` that the content comes through"),
        ("originshield.spec", "breaker"),
        ("purgerequest.spec", "tags"),
        ("banrule.spec.path", "`*` stands for anything without a `/`"),
    ] {
        let said = kubectl(&["explain", asked]);
        // kubectl breaks lines where it likes to.
        let text = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(part), "{asked}: {said}");
    }
    for definition in crds::definitions() {
        let plural = definition.spec.names.plural;
        let said = kubectl(&["explain", &format!("{plural}.spec"), "--recursive"]);
        assert!(!said.contains("<no description>"), "{said}");
    }
}

/// In this order people read `kubectl get`; with `--output=wide` there is more of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn kubectl_get_shows_the_columns_that_we_chose() {
    let mut test = Test::begin("kubectl_get_shows_the_columns_that_we_chose").await;
    let space = test.space().await;
    let in_space = ["--namespace", &space];
    for path in ["quickstart/pool.yaml", "purge/tag.yaml", "purge/ban.yaml"] {
        let path = root().join("examples").join(path);
        kubectl(&[&["apply", "-f", path.to_str().unwrap()], &in_space[..]].concat());
    }
    for definition in crds::definitions() {
        let columns = definition.spec.versions[0].additional_printer_columns.clone().unwrap();
        for (more, most) in [(&[][..], 0), (&["--output=wide"][..], i32::MAX)] {
            let shown = columns.iter().filter(|column| column.priority.unwrap_or(0) <= most);
            let names = shown.map(|column| column.name.to_uppercase());
            let wanted: Vec<_> = std::iter::once("NAME".into()).chain(names).collect();
            let asked = ["get", &definition.spec.names.plural];
            let said = kubectl(&[&asked, &in_space[..], more].concat());
            let headings: Vec<_> = said.lines().next().unwrap().split_whitespace().collect();
            assert_eq!(headings, wanted, "{said}");
            assert!(said.lines().count() >= 2, "{said}");
        }
    }
    // All of them at once, by their category; and each by its short name.
    let all = kubectl(&[&["get", "cdn", "--output=name"], &in_space[..]].concat());
    assert_eq!(all.lines().count(), 4, "{all}");
    let short =
        kubectl(&[&["get", "epool", "quickstart", "--output=name"], &in_space[..]].concat());
    assert_eq!(short.trim(), "edgepool.cdn.blueorigin.dev/quickstart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn the_status_is_not_for_users_to_write() {
    let mut test = Test::begin("the_status_is_not_for_users_to_write").await;
    let space = test.space().await;
    let ban = "apiVersion: cdn.blueorigin.dev/v1alpha1\nkind: BanRule\nmetadata: {name: one}\n\
               spec: {path: {glob: '/a'}}\nstatus: {phase: Active}\n";
    kubectl_with(&["create", "--namespace", &space, "-f", "-"], ban);
    let phase = ["get", "banrule", "one", "--output=jsonpath={.status.phase}{.spec.ttl}"];
    // The default is there, the status is not.
    assert_eq!(kubectl(&[&phase[..], &["--namespace", &space]].concat()), "1h");
}
