//! The images that users build: a program of ours in each, as nobody, with nothing to start a shell with.

use std::collections::BTreeSet;

use super::{read, root};

/// Programs that run in a cluster. One that is not there yet is not built.
const PROGRAMS: [&str; 4] = ["edge", "shield", "geodns", "operator"];

/// The stages of the Dockerfile that are images of their own: the name, and the lines below it.
fn images(dockerfile: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in dockerfile.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with("FROM ") {
            inside = line.starts_with("FROM scratch AS ");
            if let Some(name) = line.strip_prefix("FROM scratch AS ") {
                found.push((name, Vec::new()));
            }
        } else if let Some((_, lines)) = found.last_mut().filter(|_| inside) {
            lines.push(line);
        }
    }
    found
}

#[test]
fn every_program_for_clusters_has_an_image() {
    let text = read("Dockerfile");
    let names: BTreeSet<_> = images(&text).into_iter().map(|(name, _)| name).collect();
    let there = PROGRAMS.into_iter().filter(|p| root().join(p).join("Cargo.toml").is_file());
    let there: BTreeSet<_> = there.collect();
    assert_eq!(names, there);
    let built = text.lines().find_map(|line| line.strip_prefix("ARG PROGRAMS=")).unwrap();
    assert_eq!(built.trim_matches('"').split(' ').collect::<BTreeSet<_>>(), there);
}

#[test]
fn images_hold_a_program_and_run_as_nobody() {
    let text = read("Dockerfile");
    for (name, lines) in images(&text) {
        let wanted = [
            format!("COPY --from=build /roots/{name} /"),
            "USER 65532:65532".into(),
            format!("ENTRYPOINT [\"/usr/bin/{name}\"]"),
        ];
        assert_eq!(lines, wanted, "{name}");
    }
}

/// What is tested without Docker is what is built with it.
#[test]
fn both_ways_to_an_image_use_one_recipe_and_one_user() {
    let (with, without) = (read("Dockerfile"), read("images/archive.py"));
    for text in [&with, &without] {
        assert!(text.contains("root.sh") && text.contains("65532:65532"));
    }
    assert!(read("images/root.sh").contains(":x:65532:65532:"));
}
