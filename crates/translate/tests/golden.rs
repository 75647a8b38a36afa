//! `tests/golden/NAME.in.yaml` translates to `NAME.out.yaml`; `UPDATE=1 cargo test -p translate`
//! rewrites the latter. The examples translate without a diagnostic.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use translate::{Source, translate_all};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "nothing to test in {}", folder.display());
    files
}

#[test]
fn golden_files() {
    let mut wrong = Vec::new();
    for input in files(&folder("tests/golden"), ".in.yaml") {
        let text = std::fs::read_to_string(&input).unwrap();
        let name = input.file_name().unwrap().to_string_lossy().into_owned();
        let translation = translate_all(&[Source { name: &name, text: &text }]);
        let mut output = String::new();
        for diagnostic in &translation.diagnostics {
            writeln!(output, "# {diagnostic}").unwrap();
        }
        for pool in &translation.pools {
            write!(output, "---\n{}", serde_saphyr::to_string(pool).unwrap()).unwrap();
        }
        for shield in &translation.shields {
            write!(output, "---\n{}", serde_saphyr::to_string(shield).unwrap()).unwrap();
        }
        for order in &translation.orders {
            write!(output, "---\n{}", serde_saphyr::to_string(order).unwrap()).unwrap();
        }
        let path = PathBuf::from(input.to_string_lossy().replace(".in.yaml", ".out.yaml"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &output).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != output {
            wrong.push(format!("{} should be\n{output}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nrewrite with UPDATE=1", wrong.join("\n"));
}

#[test]
fn examples_translate() {
    let examples =
        [("quickstart", 3, 6), ("conformance", 1, 1), ("shield", 2, 6), ("multi-region", 4, 8)];
    for (example, pops, edges) in examples {
        for file in files(&folder("../../examples").join(example), ".yaml") {
            let text = std::fs::read_to_string(&file).unwrap();
            let name = file.to_string_lossy();
            let translation = translate_all(&[Source { name: &name, text: &text }]);
            assert_eq!(translation.diagnostics, []);
            let [pool] = &translation.pools[..] else { panic!("one pool in {name}") };
            assert_eq!(pool.name, example);
            assert_eq!(pool.pops.len(), pops);
            assert_eq!(pool.pops.iter().map(|pop| pop.replicas).sum::<u32>(), edges);
        }
    }
}

#[test]
fn orders_of_the_examples_fit_the_quickstart() {
    let read = |path: &Path| (path.display().to_string(), std::fs::read_to_string(path).unwrap());
    let examples = folder("../../examples");
    let pool = read(&examples.join("quickstart/pool.yaml"));
    let mut targets = Vec::new();
    for path in files(&examples.join("purge"), ".yaml") {
        let order = read(&path);
        let sources = [&pool, &order].map(|(name, text)| Source { name, text });
        let translation = translate_all(&sources);
        assert_eq!(translation.diagnostics, []);
        let [order] = &translation.orders[..] else { panic!("one order in {}", path.display()) };
        let json = serde_json::to_value(&order.invalidation).unwrap();
        let target = match &json["target"] {
            serde_json::Value::String(target) => target.clone(),
            target => target.as_object().unwrap().keys().next().unwrap().clone(),
        };
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        targets.push((file, target, json["how"] == "soft", json["dryRun"] == true));
    }
    let expected = [
        ("all", "all", false, true),
        ("ban", "ban", false, false),
        ("prefix", "prefix", false, false),
        ("soft", "tags", true, false),
        ("tag", "tags", false, false),
        ("url", "urls", false, false),
    ];
    let expected =
        expected.map(|(file, target, soft, dry)| (file.to_owned(), target.to_owned(), soft, dry));
    assert_eq!(targets, expected);
}
