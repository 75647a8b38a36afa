use super::*;

fn place(pop: &str) -> Place {
    Place { pool: "web".into(), pop: pop.into() }
}

#[test]
fn what_was_commanded_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let first = Maintenance::default();
    first.keep_in(&path).unwrap();
    assert!(first.set(place("fra"), true).unwrap());
    assert!(!first.set(place("fra"), true).unwrap(), "it is so already");
    first.set(place("syd"), true).unwrap();
    first.set(place("syd"), false).unwrap();
    let second = Maintenance::default();
    second.keep_in(&path).unwrap();
    assert!(second.has("web", "fra") && !second.has("web", "syd") && !second.has("api", "fra"));
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["state.json"], "nothing is left beside it");
}

#[test]
fn what_cannot_be_written_is_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in/state.json");
    let error = Maintenance::default().keep_in(&path).unwrap_err();
    assert!(matches!(error, LoadError::Write(..)), "there is no such folder: {error}");
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let maintenance = Maintenance::default();
    maintenance.keep_in(&path).unwrap();
    std::fs::remove_dir_all(folder.path().join("in")).unwrap();
    assert!(matches!(maintenance.set(place("fra"), true), Err(CommandError::Write(..))));
    assert!(!maintenance.has("web", "fra"));
}

#[test]
fn a_broken_file_is_refused_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    for broken in
        ["", "{}", r#"{"format": 2, "maintenance": []}"#, r#"{"format": 1, "maintenance": [1]}"#]
    {
        std::fs::write(&path, broken).unwrap();
        let error = Maintenance::default().keep_in(&path).unwrap_err().to_string();
        assert!(error.starts_with(path.to_str().unwrap()), "{broken}: {error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), broken, "it is left as it is");
    }
}
