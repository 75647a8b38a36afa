//! An order, ready to be applied: patterns compiled, URLs turned into keys.

use http::HeaderName;
use semantics::pattern::{BadPattern, Kind, Pattern};
use wire::Invalidation;
use wire::invalidation::{How, Pattern as Text, Target, Url};

use super::ban::Matcher;

/// An order that can be applied to a store.
#[derive(Debug)]
pub struct Order {
    pub(crate) what: What,
    pub(crate) how: How,
    pub(crate) dry_run: bool,
}

#[derive(Debug)]
pub(crate) enum What {
    /// These keys, and whatever is stored for URLs whose keys hold more than the URL.
    Urls(Vec<Box<[u8]>>, Option<Matcher>),
    Tags(Vec<Box<[u8]>>),
    Match(Matcher),
    All,
    Ban(Box<wire::invalidation::Ban>, Matcher),
    Lift(String),
}

/// Where the responses of one URL may be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Under exactly these keys.
    pub exact: Vec<Vec<u8>>,
    /// Under keys that begin with one of these and go on with a line feed: the site adds fields.
    pub heads: Vec<Vec<u8>>,
}

/// An order cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOrder {
    /// A pattern is no good.
    #[error("{field}: {error}")]
    Pattern {
        /// Which one.
        field: String,
        /// What is wrong with it.
        error: BadPattern,
    },
    /// Not the name of a header field.
    #[error("headers: {0:?} is not the name of a header field")]
    FieldName(String),
    /// More bans are in force than a store will hold.
    #[error("{0} bans are in force already; lift some, or wait until they end")]
    TooManyBans(usize),
}

impl Order {
    /// Makes an order ready. `keys` tells where the responses of a URL are stored.
    ///
    /// # Errors
    /// When a pattern does not compile or a field name is none.
    pub fn new(order: &Invalidation, mut keys: impl FnMut(&Url) -> Keys) -> Result<Self, BadOrder> {
        let bytes = |text: &String| text.as_bytes().into();
        let what = match &order.target {
            Target::Urls(urls) => {
                let (mut exact, mut heads) = (Vec::new(), Vec::new());
                for url in urls {
                    let found = keys(url);
                    exact.extend(found.exact.into_iter().map(Vec::into_boxed_slice));
                    heads.extend(found.heads.into_iter().map(Vec::into_boxed_slice));
                }
                let matcher = Matcher { urls: heads, ..Matcher::default() };
                What::Urls(exact, (!matcher.urls.is_empty()).then_some(matcher))
            }
            Target::Tags(tags) => What::Tags(tags.iter().map(bytes).collect()),
            Target::Prefix(prefix) => What::Match(Matcher {
                host: prefix.host.as_ref().map(bytes),
                head: Some(bytes(&prefix.path)),
                ..Matcher::default()
            }),
            Target::All => What::All,
            Target::Ban(ban) => What::Ban(Box::new(ban.clone()), matcher(ban)?),
            Target::Lift(id) => What::Lift(id.clone()),
        };
        Ok(Self { what, how: order.how, dry_run: order.dry_run })
    }

    /// A hard order about everything of a host, for what a changed configuration stores elsewhere.
    pub fn host(host: &str) -> Self {
        let (host, head) = (Some(host.as_bytes().into()), Some(b"/".as_slice().into()));
        let what = What::Match(Matcher { host, head, ..Matcher::default() });
        Self { what, how: How::Hard, dry_run: false }
    }

    /// A hard order about one tag, for what a response itself invalidates (RFC 9875).
    pub fn tag(tag: &[u8]) -> Self {
        Self { what: What::Tags(vec![tag.into()]), how: How::Hard, dry_run: false }
    }
}

fn matcher(ban: &wire::invalidation::Ban) -> Result<Matcher, BadOrder> {
    let path = ban.path.as_ref().map(|text| compile("path".to_owned(), text)).transpose()?;
    let headers = ban.headers.iter().map(|condition| {
        let name = HeaderName::from_bytes(condition.name.as_bytes())
            .map_err(|_| BadOrder::FieldName(condition.name.clone()))?;
        let field = || format!("headers.{}", condition.name);
        let value = condition.value.as_ref().map(|text| compile(field(), text)).transpose()?;
        Ok((name, value))
    });
    let host = ban.host.as_ref().map(|host| host.as_bytes().into());
    Ok(Matcher { host, path, headers: headers.collect::<Result<_, _>>()?, ..Matcher::default() })
}

fn compile(field: String, text: &Text) -> Result<Pattern, BadOrder> {
    let (kind, text) = match text {
        Text::Glob(text) => (Kind::Glob, text),
        Text::Prefix(text) => (Kind::Prefix, text),
        Text::Exact(text) => (Kind::Exact, text),
        Text::Regex(text) => (Kind::Regex, text),
    };
    Pattern::compile(kind, text).map_err(|error| BadOrder::Pattern { field, error })
}
