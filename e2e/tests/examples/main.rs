//! Every folder of `examples/`, run by the program `local` as its README says.
//!
//! A new folder is found by itself; one without a README, without the commands for a laptop and for a cluster, or
//! whose commands do not work, fails. What is special about some of them has a test of its own.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod own;
mod readme;
mod running;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use readme::Readme;
use running::Running;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of the folders.
fn examples() -> Vec<String> {
    let mut found: Vec<_> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    found.sort();
    found
}

#[test]
fn those_that_were_promised_are_there() {
    let there: BTreeSet<_> = examples().into_iter().collect();
    for name in ["quickstart", "multi-region", "own-origin", "purge", "disk-less", "large"] {
        assert!(there.contains(name), "no examples/{name}: {there:?}");
    }
}

#[test]
fn every_readme_tells_of_a_laptop_and_of_a_cluster() {
    for name in examples() {
        let (readme, own) = (Readme::of(&name), format!("examples/{name}"));
        assert!(readme.title().len() > 3, "{own} has no title");
        let tells = |commands: Vec<String>| commands.iter().any(|command| command.contains(&own));
        assert!(tells(readme.commands("local ")), "{own}: no `local {own}`");
        assert!(tells(readme.commands("kubectl apply ")), "{own}: no `kubectl apply … -f {own}`");
        for path in readme.paths() {
            assert!(root().join(&path).exists(), "{own} speaks of {path}");
        }
    }
}

/// All that READMEs say about `local` and `blue-origin` is done; every site of every pool is asked twice for a page, which
/// is stored the first time; and each order reaches all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_runs_as_its_readme_says() {
    let mut orders = 0;
    for name in examples() {
        let readme = Readme::of(&name);
        let commands = readme.commands("local ");
        // What reads a file that everybody has to fetch is left out.
        let commands: Vec<_> = commands.iter().filter(|one| !one.contains("--places")).collect();
        assert!(!commands.is_empty(), "{name}");
        for (n, command) in commands.into_iter().enumerate() {
            let mut running = Running::start(command).await;
            orders += running.every_order_is_complete().await;
            let sites = running.every_site_is_cached().await;
            assert!(sites > 0, "{command}");
            if n == 0 {
                for tool in readme.commands("blue-origin ") {
                    running.does(&tool);
                }
            }
            running.end().await;
        }
    }
    assert!(orders >= 6, "the orders of examples/purge were given: {orders}");
}
