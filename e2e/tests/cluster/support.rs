//! The cluster, and what a test does with it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

pub(crate) use e2e::kubectl::{audit_log, image, kubectl, kubectl_with, root, try_kubectl};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ApiResource, DynamicObject, ObjectMeta, PostParams};
use kube::core::Resource;
use kube::{Api, Client};
use runtime::Clock;
use serde_json::{Value, json};

/// What kubectl said when it installed the definitions, once for all tests.
static DEFINITIONS: OnceLock<String> = OnceLock::new();

/// A test under way. Its time is printed at the end.
pub(crate) struct Test {
    pub(crate) client: Client,
    name: &'static str,
    clock: Clock,
    space: Option<String>,
}

impl Test {
    /// Begins; the definitions of our resources are there.
    pub(crate) async fn begin(name: &'static str) -> Self {
        definitions();
        let client = Client::try_default().await.expect("KUBECONFIG names a cluster");
        Self { client, name, clock: Clock::system(), space: None }
    }

    /// A namespace of its own, whose pods must keep to the strictest of Kubernetes' standards.
    pub(crate) async fn space(&mut self) -> String {
        let name: String = self.name.chars().take(50).collect();
        let labels = BTreeMap::from(
            ["enforce", "warn"]
                .map(|mode| (format!("pod-security.kubernetes.io/{mode}"), "restricted".into())),
        );
        let metadata = ObjectMeta {
            generate_name: Some(format!("e2e-{}-", name.replace('_', "-"))),
            labels: Some(labels),
            ..ObjectMeta::default()
        };
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let namespace = Namespace { metadata, ..Namespace::default() };
        let made = namespaces.create(&PostParams::default(), &namespace).await.unwrap();
        self.space = made.metadata.name.clone();
        made.metadata.name.unwrap()
    }

    /// What the API server says when it is asked to make a resource with this `spec`, which it does not do.
    pub(crate) async fn offered<K>(&self, spec: Value) -> Result<DynamicObject, String>
    where
        K: Resource<DynamicType = ()>,
    {
        let kind = ApiResource::erase::<K>(&());
        let object = DynamicObject::new("offered", &kind).data(json!({ "spec": spec }));
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), "default", &kind);
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        match api.create(&dry, &object).await {
            Ok(made) => Ok(made),
            Err(kube::Error::Api(status)) => Err(status.message.clone()),
            Err(other) => panic!("{other}"),
        }
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        let seconds = self.clock.monotonic().as_secs_f64();
        if let Some(space) = &self.space {
            if std::thread::panicking() {
                for what in [&["get", "all,events"][..], &["describe", "pods"]] {
                    let said = try_kubectl(&[what, &["--namespace", space]].concat(), "");
                    say(&format!("{space}: {said:?}"));
                }
            }
            let _ = try_kubectl(&["delete", "namespace", space, "--wait=false"], "");
        }
        let result = if std::thread::panicking() { "FAILED" } else { "ok" };
        say(&format!("{:<60} {result} {seconds:6.1} s", self.name));
    }
}

/// Prints a line.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// How long it may take until kubectl knows what was defined.
const FOUND: Duration = Duration::from_secs(60);

/// Installs the definitions of our resources as a person would, and returns what kubectl said.
pub(crate) fn definitions() -> &'static str {
    DEFINITIONS.get_or_init(|| {
        let folder = root().join("crds/crd");
        let folder = folder.to_str().unwrap();
        let said = kubectl(&["apply", "--server-side", "--force-conflicts", "-f", folder]);
        kubectl(&["wait", "--for=condition=Established", "--timeout=30s", "-f", folder]);
        // What is established is served at once, and found a little later by who looks for what there is.
        let clock = Clock::system();
        let plurals = ["edgepools", "originshields", "purgerequests", "banrules"];
        while let Some(why) =
            plurals.iter().find_map(|plural| try_kubectl(&["explain", plural], "").err())
        {
            assert!(clock.monotonic() < FOUND, "{why}");
            std::thread::sleep(Duration::from_millis(200));
        }
        said
    })
}

/// Every manifest below `examples/`, in order.
pub(crate) fn examples() -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(root().join("examples"))
        .unwrap()
        .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    found.sort();
    assert!(found.len() > 5, "the examples are found");
    found
}
