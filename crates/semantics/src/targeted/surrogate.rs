//! `Surrogate-Control`, from the W3C note on edge architecture: a comma list whose members may be
//! aimed at one surrogate (`max-age=60;name`), with `max-age=3600+600` for ten minutes of grace.

use http::HeaderMap;

use super::SURROGATE_CONTROL;
use crate::directives::syntax::Directive;
use crate::directives::{Delta, ResponseDirectives};
use crate::lists::{delta_seconds, members, split_outside_quotes, trim_ows};

/// The name a directive is aimed at to reach this cache, and that `Surrogate-Capability` announces.
pub const SURROGATE_ID: &str = "blue-origin";

/// `None` when nothing in the field concerns the caching here, so that `Cache-Control` governs:
/// often it only announces ESI markup.
pub(super) fn parse(headers: &HeaderMap) -> Option<ResponseDirectives> {
    let mut general = ResponseDirectives::default();
    let mut ours = ResponseDirectives::default();
    for line in headers.get_all(SURROGATE_CONTROL) {
        for member in members(line.as_bytes()) {
            match target(member) {
                Target::Everyone(directive) => apply(&mut general, directive),
                Target::Us(directive) => apply(&mut ours, directive),
                Target::Another => {}
            }
        }
    }
    // What names us beats what names no one, as the note says.
    let mut chosen = if ours.present { ours } else { general };
    if !chosen.present {
        return None;
    }
    chosen.present = true;
    Some(chosen)
}

enum Target<'a> {
    Everyone(&'a [u8]),
    Us(&'a [u8]),
    Another,
}

fn target(member: &[u8]) -> Target<'_> {
    let mut parts = split_outside_quotes(member, b';');
    let directive = parts.next().unwrap_or_default();
    let mut named = false;
    for part in parts {
        named = true;
        if part.eq_ignore_ascii_case(SURROGATE_ID.as_bytes()) {
            return Target::Us(directive);
        }
    }
    if named { Target::Another } else { Target::Everyone(directive) }
}

/// `present` is set by directives that say something about caching, not by `content` or unknowns.
fn apply(directives: &mut ResponseDirectives, text: &[u8]) {
    let directive = Directive::parse(trim_ows(text));
    let mut buffer = [0; 24];
    let name = directive.lowercase_name(&mut buffer);
    match name {
        b"max-age" => {
            directives.present = true;
            let (max_age, grace) = max_age(&directive);
            directives.max_age = directives.max_age.and(max_age);
            directives.stale_while_revalidate = directives.stale_while_revalidate.and(grace);
        }
        b"no-store" | b"no-store-remote" => {
            directives.present = true;
            directives.no_store = true;
        }
        b"private"
        | b"no-cache"
        | b"public"
        | b"must-revalidate"
        | b"s-maxage"
        | b"stale-while-revalidate"
        | b"stale-if-error" => {
            directives.present = true;
            directives.apply(&directive);
        }
        _ => {}
    }
}

/// `3600` or `3600+600`: lifetime, and how long it may be served past that while refreshing.
fn max_age(directive: &Directive<'_>) -> (Delta, Delta) {
    use crate::directives::syntax::Argument;
    if let Argument::Token(text) | Argument::Quoted(text) = directive.argument
        && let Some(plus) = memchr::memchr(b'+', text)
    {
        return match (delta_seconds(&text[..plus]), delta_seconds(&text[plus + 1..])) {
            (Some(age), Some(grace)) => (Delta::Seconds(age), Delta::Seconds(grace)),
            _ => (Delta::Malformed, Delta::Absent),
        };
    }
    (Delta::parse(&directive.argument), Delta::Absent)
}
