//! The committed manifests are what the types generate. `UPDATE=1 cargo test -p crds` rewrites them.

use std::path::Path;

#[test]
fn committed_definitions_are_the_generated_ones() {
    for definition in crds::definitions() {
        let name = definition.spec.names.plural.clone();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("crd/{name}.yaml"));
        let generated = serde_saphyr::to_string(&definition).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == generated,
            "{} is not what the types say; rewrite it with UPDATE=1 cargo test -p crds",
            path.display()
        );
    }
}
