//! Files stay small and where one looks for them.

use super::{is_test, read, rust_files};

const MOST_LINES: usize = 500;

#[test]
fn no_file_outgrows_its_one_idea() {
    let long: Vec<_> = rust_files()
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "longer than {MOST_LINES} lines, split them: {long:#?}");
}

#[test]
fn modules_are_files_not_folders() {
    let wrong: Vec<_> = rust_files().into_iter().filter(|p| p.ends_with("mod.rs")).collect();
    assert!(wrong.is_empty(), "use foo.rs and foo/: {wrong:#?}");
}

#[test]
fn every_crate_says_what_it_is_and_what_it_never_does() {
    for path in rust_files().iter().filter(|p| p.ends_with("src/lib.rs") && !is_test(p)) {
        let text = read(path);
        let head: String = text.lines().take_while(|l| l.starts_with("//!")).collect();
        let name = path.display();
        assert!(head.len() > 80, "{name}: say what the crate is");
        assert!(head.contains("ever"), "{name}: say what it never does");
        assert!(head.contains("tart"), "{name}: say where to start reading");
    }
}

#[test]
fn programs_start_in_sixty_lines() {
    for path in rust_files().iter().filter(|p| p.ends_with("main.rs") && !is_test(p)) {
        let lines = read(path).lines().count();
        assert!(lines <= 60, "{}: {lines} lines", path.display());
    }
}
