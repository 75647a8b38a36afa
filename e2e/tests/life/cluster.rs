//! The cluster with our release in it, and what is asked there.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::kubectl::{kubectl, kubectl_with, path, try_helm, try_kubectl};
use runtime::Clock;
use serde_json::Value;

use crate::steps::say;

/// The namespace of the release, which must keep to the strictest of Kubernetes' standards for pods.
pub(crate) const SPACE: &str = "blue-origin";
/// The release.
pub(crate) const RELEASE: &str = "cdn";
/// Where the examples' origin is.
pub(crate) const ORIGIN_SPACE: &str = "default";
/// The host of the quickstart.
pub(crate) const HOST: &str = "cdn.example.com";
/// The places of the quickstart.
pub(crate) const POPS: [&str; 3] = ["fra", "iad", "sin"];

/// Whatever must happen happens within this.
const PATIENCE: Duration = Duration::from_secs(180);

/// What takes longer is told.
const LONG: Duration = Duration::from_secs(3);

/// What steps know from those before them.
#[derive(Default)]
pub(crate) struct Cluster {
    /// What was there before the release.
    pub(crate) before: BTreeSet<String>,
    /// How long the audit log was then.
    pub(crate) audited: usize,
    /// Whether the origin was put where the examples want it.
    pub(crate) has_origin: bool,
}

impl Cluster {
    /// How things are, for who wants to know why a step failed.
    pub(crate) fn tell(&self) {
        let look = |arguments: &[&str]| {
            let said = try_kubectl(arguments, "").unwrap_or_else(|said| said);
            say(&format!("--- kubectl {}\n{said}", arguments.join(" ")));
        };
        look(&["get", "all,events,cdn", "--all-namespaces", "--output=wide"]);
        look(&["describe", "cdn", "--namespace", SPACE]);
        for component in ["operator", "geodns", "edge", "shield", "test"] {
            let selector = format!("--selector=app.kubernetes.io/component={component}");
            let all = ["--tail=40", "--all-containers", "--prefix", "--ignore-errors"];
            look(&[&["logs", &selector, "--namespace", SPACE], &all[..]].concat());
        }
    }

    /// Takes away what is left, unless somebody wants to look at it.
    pub(crate) fn leave(&mut self) {
        if std::env::var_os("E2E_KEEP").is_some() {
            return;
        }
        if self.has_origin {
            let _ = try_kubectl(&["delete", "deploy/origin", "svc/origin", "-n", ORIGIN_SPACE], "");
        }
        let _ = try_helm(&["uninstall", RELEASE, "--namespace", SPACE, "--wait", "--timeout=3m"]);
        let _ = try_kubectl(&["delete", "namespace", SPACE, "--timeout=60s"], "");
    }
}

/// Runs kubectl in the namespace of the release.
#[track_caller]
pub(crate) fn here(arguments: &[&str]) -> String {
    kubectl(&[&["--namespace", SPACE], arguments].concat())
}

/// Applies a file of the repository in the namespace of the release.
#[track_caller]
pub(crate) fn apply_example(file: &str) -> String {
    here(&["apply", "-f", &path(format!("examples/{file}"))])
}

/// Applies what is written here.
#[track_caller]
pub(crate) fn apply(namespace: &str, text: &str) -> String {
    kubectl_with(&["apply", "--namespace", namespace, "-f", "-"], text)
}

/// What kubectl says of something, as JSON.
#[track_caller]
pub(crate) fn json(arguments: &[&str]) -> Value {
    let said = here(&[arguments, &["--output=json"]].concat());
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
}

/// Waits until `holds` gives something; it says in words what it gives instead. What takes long is told with its time.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut holds: impl FnMut() -> Result<T, String>) -> T {
    let clock = Clock::system();
    loop {
        match holds() {
            Ok(found) => {
                let took = clock.monotonic();
                if took > LONG {
                    say(&format!("  {what}: after {:.1} s", took.as_secs_f64()));
                }
                return found;
            }
            Err(why) if clock.monotonic() > PATIENCE => {
                panic!("{what}: not within {} s: {why}", PATIENCE.as_secs())
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Waits until a resource of ours has reached a condition, as `kubectl wait` does, also for one to come.
#[track_caller]
pub(crate) fn wait_for(what: &[&str], condition: &str) {
    let condition = format!("--for={condition}");
    until(&format!("{what:?} {condition}"), || {
        let wait = ["--namespace", SPACE, "wait", &condition, "--timeout=20s"];
        try_kubectl(&[&wait, what].concat(), "")
    });
}

/// Waits until every Deployment of the release and of pools is as it should be.
#[track_caller]
pub(crate) fn all_are_rolled_out() {
    let all = here(&["get", "deployments", "--output=name"]);
    for deployment in all.lines() {
        here(&["rollout", "status", deployment, "--timeout=180s"]);
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: String,
    fields: String,
    pub(crate) body: String,
}

impl Answer {
    /// A field, or nothing.
    pub(crate) fn field(&self, name: &str) -> &str {
        let found =
            self.fields.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_default()
    }

    /// The word in `X-Cache`.
    pub(crate) fn word(&self) -> &str {
        self.field("x-cache")
    }
}

/// Runs the client in its pod.
pub(crate) fn client(arguments: &[&str]) -> Result<String, String> {
    let stage = ["--namespace", SPACE, "exec", "deploy/client", "--", "/usr/bin/stage"];
    try_kubectl(&[&stage, arguments].concat(), "")
}

/// Asks a server for a page of a host, with a field.
pub(crate) fn ask_as(server: &str, path: &str, host: &str, field: &str) -> Result<Answer, String> {
    let said = client(&["ask", &format!("http://{server}{path}"), host, field])?;
    let (status, rest) = said.split_once('\n').ok_or(&said)?;
    let (fields, body) = rest.split_once("\n\n").ok_or(&said)?;
    let [status, fields, body] = [status, fields, body].map(str::to_owned);
    Ok(Answer { status, fields, body })
}

/// Asks for a page of the quickstart's site.
pub(crate) fn ask(server: &str, path: &str) -> Result<Answer, String> {
    ask_as(server, path, HOST, "")
}

/// What an edge's admin API says of itself, to who has the token of the release.
pub(crate) fn admin(edge: &str, page: &str) -> Result<Value, String> {
    let token = "--output=go-template={{.data.token | base64decode}}";
    let token = here(&["get", &format!("secret/{RELEASE}-admin"), token]);
    let field = format!("authorization: Bearer {token}");
    let answer = ask_as(&format!("{edge}:9090"), page, "edge", &field)?;
    serde_json::from_str(&answer.body).map_err(|error| format!("{error}: {answer:?}"))
}

/// The name of a place's Service.
pub(crate) fn service(pop: &str) -> String {
    format!("edge-quickstart-{pop}.{SPACE}.svc.cluster.local")
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) restarts: i64,
    pub(crate) image: String,
}

/// The pods that run, are ready and are to stay, by labels.
pub(crate) fn pods(selector: &str) -> Vec<Pod> {
    let found = json(&["get", "pods", &format!("--selector={selector}")]);
    let good = |pod: &&Value| {
        let ready = pod["status"]["conditions"].as_array().is_some_and(|conditions| {
            conditions.iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
        });
        ready && pod["metadata"]["deletionTimestamp"].is_null()
    };
    let of = |pod: &Value| Pod {
        name: pod["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        address: pod["status"]["podIP"].as_str().unwrap_or_default().to_owned(),
        restarts: pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap_or(-1),
        image: pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned(),
    };
    let mut pods: Vec<_> =
        found["items"].as_array().into_iter().flatten().filter(good).map(of).collect();
    pods.sort();
    pods
}

/// The pods of the quickstart's edges.
pub(crate) fn edges() -> Vec<Pod> {
    pods("app.kubernetes.io/component=edge,app.kubernetes.io/instance=quickstart")
}

/// Where a server listens for clients without a Service.
pub(crate) fn at(edge: &Pod) -> String {
    format!("{}:8080", edge.address)
}
