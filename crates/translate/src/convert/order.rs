//! Orders to invalidate, as they go into the log.

use ::wire::invalidation::{Ban, HeaderCondition, How, Pattern, Prefix, Target, Url};
use crds::{BanRule, Duration, PurgeRequest, PurgeRequestSpec};

use super::amount::within;
use super::each;
use crate::check::{self, BadText};
use crate::path::{Path, Problems};

const SECOND: Duration = Duration::from_secs(1);
const MONTH: Duration = Duration::from_hours(720);

/// An order without a name.
pub(crate) struct Order {
    pub(crate) target: Target,
    pub(crate) how: How,
    pub(crate) dry_run: bool,
}

/// The hosts that pools serve, where that is known.
pub(crate) struct Served<'a>(pub(crate) Option<&'a dyn Fn(&str) -> bool>);

impl Served<'_> {
    fn check(&self, host: &str, at: &Path, problems: &mut Problems) {
        if self.0.is_some_and(|serves| !serves(host)) {
            problems.add(
                at,
                format!(
                    "no pool serves `{host}`; correct the name, or add it to `sites[].hosts` of a pool"
                ),
            );
        }
    }
}

/// What a purge comes to; with problems, it is only as good as can be.
pub(crate) fn purge(
    request: &PurgeRequest,
    served: &Served<'_>,
    problems: &mut Problems,
) -> Option<Order> {
    let spec = &request.spec;
    let at = Path::root().key("spec");
    within(spec.deadline, SECOND..=Duration::from_hours(1), &at.key("deadline"), problems);
    let kept = spec.ttl_after_finished;
    within(kept, Duration::default()..=MONTH, &at.key("ttlAfterFinished"), problems);
    let target = target(spec, served, &at, problems)?;
    Some(Order { target, how: how(spec.soft), dry_run: spec.dry_run })
}

fn target(
    spec: &PurgeRequestSpec,
    served: &Served<'_>,
    at: &Path,
    problems: &mut Problems,
) -> Option<Target> {
    let given = [
        ("urls", !spec.urls.is_empty()),
        ("tags", !spec.tags.is_empty()),
        ("prefix", spec.prefix.is_some()),
        ("all", spec.all),
    ];
    let given: Vec<_> = given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
    let [key] = given[..] else {
        problems.add(
            at,
            match given[..] {
                [] => "does not say what to purge; give one of `urls`, `tags`, `prefix` and `all: true`".to_owned(),
                _ => format!("`{}` exclude each other; make a PurgeRequest of each", given.join("` and `")),
            },
        );
        return None;
    };
    let at = at.key(key);
    match key {
        "urls" => Some(Target::Urls(urls(&spec.urls, served, &at, problems))),
        "tags" => Some(Target::Tags(each(&spec.tags, &at, check::tag, problems))),
        "all" => Some(Target::All),
        _ => {
            let prefix = check::url_prefix(spec.prefix.as_deref().unwrap_or_default());
            let prefix: Prefix = problems.take(&at, prefix)?;
            if let Some(host) = &prefix.host {
                served.check(host, &at, problems);
            }
            Some(Target::Prefix(prefix))
        }
    }
}

/// In the order given; what http and https name is one.
fn urls(texts: &[String], served: &Served<'_>, at: &Path, problems: &mut Problems) -> Vec<Url> {
    let mut seen = std::collections::HashSet::new();
    let mut urls = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        let at = at.index(i);
        let Some(url) = problems.take(&at, check::purge_url(text)) else {
            continue;
        };
        served.check(&url.host, &at, problems);
        if seen.insert((url.host.clone(), url.path.clone())) {
            urls.push(url);
        }
    }
    urls
}

/// What a ban comes to, without its id; with problems, it is only as good as can be.
pub(crate) fn ban(rule: &BanRule, served: &Served<'_>, problems: &mut Problems) -> Option<Order> {
    let spec = &rule.spec;
    let at = Path::root().key("spec");
    within(spec.ttl, SECOND..=MONTH, &at.key("ttl"), problems);
    if spec.path.is_none() && spec.headers.is_empty() {
        problems.add(
            &at,
            "does not say what to ban; give `path`, `headers` or both. To purge all of a host, use a \
             PurgeRequest with `prefix: https://host/`",
        );
    }
    let host = spec.host.as_deref().and_then(|host| {
        let at = at.key("host");
        let host = problems.take(&at, check::host(host))?;
        served.check(&host, &at, problems);
        Some(host)
    });
    let path = spec.path.as_ref().map(check::path_pattern);
    let path = path.and_then(|path| take_pattern(&at.key("path"), path, problems));
    let mut headers = Vec::new();
    for (i, header) in spec.headers.iter().enumerate() {
        let at = at.key("headers").index(i);
        let name = problems.take(&at.key("name"), check::header(&header.name));
        let value = header.value.as_ref().map(check::text_pattern);
        let value = value.and_then(|value| take_pattern(&at.key("value"), value, problems));
        headers.extend(name.map(|name| HeaderCondition { name, value }));
    }
    let ban = Ban { id: String::new(), host, path, headers, ttl_ms: spec.ttl.as_millis() };
    Some(Order { target: Target::Ban(ban), how: how(spec.soft), dry_run: spec.dry_run })
}

fn take_pattern(
    at: &Path,
    pattern: Result<Pattern, BadText>,
    problems: &mut Problems,
) -> Option<Pattern> {
    match &pattern {
        Err(BadText::Pattern(kind, _)) => problems.take(&at.key(kind), pattern),
        _ => problems.take(at, pattern),
    }
}

fn how(soft: bool) -> How {
    if soft { How::Soft } else { How::Hard }
}
