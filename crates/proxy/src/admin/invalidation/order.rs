//! From the body of a request to an order, or to the field that is wrong.

use axum::http::HeaderName;
use semantics::pattern::{Kind, Pattern as Compiled};
use wire::Invalidation;
use wire::invalidation::{Ban, FORMAT, HeaderCondition, How, Pattern, Target};

use super::body::{Fields, Tree};
use super::desk::Desk;
use super::{names, ttl};
use crate::admin::answer::BadField;

/// URLs or tags in one order.
const MOST_NAMES: usize = 1_000;
/// Header conditions of a ban: each costs at every test.
const MOST_HEADERS: usize = 16;

const TARGETS: [&str; 6] = ["url", "urls", "tag", "tags", "prefix", "all"];
const KINDS: [Kind; 4] = [Kind::Glob, Kind::Prefix, Kind::Exact, Kind::Regex];

/// What an order has before it is known what it is about.
pub(super) struct Draft {
    /// Its id, unless the request brings one.
    pub(super) id: String,
    pub(super) issued_ms: i64,
}

impl Draft {
    pub(super) fn order(self, target: Target, how: How, dry_run: bool) -> Invalidation {
        let Self { id, issued_ms } = self;
        Invalidation { format: FORMAT, id, target, how, dry_run, issued_ms }
    }
}

/// The order that the body of `POST /purge` gives.
pub(super) fn purge(
    mut body: Fields,
    mut draft: Draft,
    desk: &dyn Desk,
) -> Result<Invalidation, BadField> {
    body.only(&["url", "urls", "tag", "tags", "prefix", "all", "soft", "dryRun", "id"])?;
    let (how, dry_run) = manner(&mut body, &mut draft)?;
    let mut targets = TARGETS.into_iter().filter_map(|name| Some((name, body.take(name)?)));
    let (Some((name, said)), None) = (targets.next(), targets.next()) else {
        let reason = format!("must have exactly one of {}", TARGETS.join(", "));
        return Err(BadField::new("body", reason));
    };
    let target = match name {
        "url" => Target::Urls(vec![names::url(&said.text(name)?, name, desk)?]),
        "tag" => Target::Tags(vec![names::tag(said.text(name)?, name)?]),
        "urls" => Target::Urls(each(said, name, |text, at| names::url(&text, at, desk))?),
        "tags" => Target::Tags(each(said, name, names::tag)?),
        "prefix" => Target::Prefix(names::prefix(&said.text(name)?, name, desk)?),
        _ if said == Tree::Flag(true) => Target::All,
        _ => return Err(BadField::new(name, "must be true, or not there")),
    };
    Ok(draft.order(target, how, dry_run))
}

/// The order that the body of `POST /ban` gives; the ban has the order's id.
pub(super) fn ban(
    mut body: Fields,
    mut draft: Draft,
    desk: &dyn Desk,
) -> Result<Invalidation, BadField> {
    body.only(&["host", "path", "headers", "ttl", "soft", "dryRun", "id"])?;
    let (how, dry_run) = manner(&mut body, &mut draft)?;
    let host = body.text("host")?.map(|host| names::host(&host, "http", "host", desk));
    let path = body.object("path")?.map(path_pattern).transpose()?;
    let headers = body.list("headers")?.unwrap_or_default();
    if headers.len() > MOST_HEADERS {
        return Err(BadField::new("headers", format!("may have {MOST_HEADERS} conditions")));
    }
    if path.is_none() && headers.is_empty() {
        return Err(BadField::new("body", "must have path, headers or both"));
    }
    let headers = headers.into_iter().map(condition).collect::<Result<_, _>>()?;
    let ttl = body.take("ttl").map(|ttl| ttl::milliseconds(&ttl, "ttl"));
    let ban = Ban {
        id: draft.id.clone(),
        host: host.transpose()?,
        path,
        headers,
        ttl_ms: ttl.transpose()?.unwrap_or(ttl::DEFAULT_MS),
    };
    Ok(draft.order(Target::Ban(ban), how, dry_run))
}

/// What all orders may say: `id`, `soft`, `dryRun`.
fn manner(body: &mut Fields, draft: &mut Draft) -> Result<(How, bool), BadField> {
    if let Some(id) = body.text("id")? {
        draft.id = names::id(id, "id")?;
    }
    let how = if body.flag("soft")? { How::Soft } else { How::Hard };
    Ok((how, body.flag("dryRun")?))
}

/// Every text of a list that names something and not too much.
fn each<T>(
    list: Tree,
    name: &str,
    read: impl Fn(String, &str) -> Result<T, BadField>,
) -> Result<Vec<T>, BadField> {
    let Tree::List(members) = list else {
        return Err(BadField::new(name, "must be a list"));
    };
    if !(1..=MOST_NAMES).contains(&members.len()) {
        let reason = format!("must have 1 to {MOST_NAMES} members, not {}", members.len());
        return Err(BadField::new(name, reason));
    }
    let read = |(i, member): (usize, Tree)| {
        let at = format!("{name}[{i}]");
        read(member.text(&at)?, &at)
    };
    members.into_iter().enumerate().map(read).collect()
}

fn condition((place, tree): (String, Tree)) -> Result<HeaderCondition, BadField> {
    let mut fields = Fields::of(place, tree)?;
    fields.only(&["name", "value"])?;
    let at = fields.name("name");
    let Some(name) = fields.text("name")? else {
        return Err(BadField::new(at, "must be there"));
    };
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| BadField::new(at, "is not the name of a header field"))?;
    let value = fields.object("value")?.map(pattern).transpose()?;
    Ok(HeaderCondition { name: name.as_str().to_owned(), value: value.map(|(value, _)| value) })
}

/// A pattern for paths. One that no path can match is a slip of the pen.
fn path_pattern(fields: Fields) -> Result<Pattern, BadField> {
    let place = fields.place().to_owned();
    let (pattern, compiled) = pattern(fields)?;
    let head = compiled.literal_head();
    if head.first().is_some_and(|first| *first != b'/') {
        return Err(BadField::new(place, "can match nothing: every path begins with /"));
    }
    if head.contains(&b'?') {
        return Err(BadField::new(place, "can match nothing: the query is no part of the path"));
    }
    Ok(pattern)
}

fn pattern(mut fields: Fields) -> Result<(Pattern, Compiled), BadField> {
    fields.only(&KINDS.map(Kind::as_str))?;
    let mut said = KINDS.into_iter().filter_map(|kind| Some((kind, fields.take(kind.as_str())?)));
    let (Some((kind, text)), None) = (said.next(), said.next()) else {
        let reason = format!("must have exactly one of {}", KINDS.map(Kind::as_str).join(", "));
        return Err(BadField::new(fields.place(), reason));
    };
    let at = fields.name(kind.as_str());
    let text = text.text(&at)?;
    let compiled =
        Compiled::compile(kind, &text).map_err(|error| BadField::new(at, error.to_string()))?;
    let pattern = match kind {
        Kind::Glob => Pattern::Glob(text),
        Kind::Prefix => Pattern::Prefix(text),
        Kind::Exact => Pattern::Exact(text),
        Kind::Regex => Pattern::Regex(text),
    };
    Ok((pattern, compiled))
}
