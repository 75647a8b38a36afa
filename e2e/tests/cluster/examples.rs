//! The examples, as people apply them.

use crate::support::{Test, examples, kubectl};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn every_example_is_accepted_as_it_is() {
    let _test = Test::begin("every_example_is_accepted_as_it_is").await;
    for path in examples() {
        let said = kubectl(&["apply", "--dry-run=server", "-f", path.to_str().unwrap()]);
        assert!(!said.contains("Warning"), "{}: {said}", path.display());
        let made = said.lines().filter(|line| line.ends_with("created (server dry run)")).count();
        assert!(made > 0 && made == said.lines().count(), "{}: {said}", path.display());
    }
}
