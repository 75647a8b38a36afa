//! Texts that must be something: hosts, URLs, names. Each check gives the normal form or the reason.

use std::net::Ipv6Addr;

use crds::{Amount, ByteQuantity, Duration, pattern};
use http::uri::{Authority, Scheme, Uri};
use ipnet::IpNet;

mod order;

pub(crate) use order::{path_pattern, pattern as text_pattern, purge_url, tag, url_prefix};

/// Why a text is not what it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Nothing there.
    #[error("must not be empty")]
    Empty,
    /// A URL or a port where a host belongs.
    #[error("`{0}` is not a host name; give the name alone, without scheme, port or path")]
    NotHostAlone(String),
    /// A `*` that is not the whole first label, or the only one.
    #[error("`{0}`: a wildcard must be the whole first label, as in `*.example.com`")]
    Wildcard(String),
    /// A `*` where one name is needed.
    #[error("`{0}` must be one host name, without a wildcard")]
    NoWildcard(String),
    /// A letter outside ASCII.
    #[error("`{0}` has letters outside ASCII; write its punycode form, which begins with `xn--`")]
    NotAscii(String),
    /// Not labels of letters, digits and hyphens.
    #[error(
        "`{0}` is not a host name: labels of 1 to 63 letters, digits and inner hyphens, joined by dots, \
         253 characters at most"
    )]
    Host(String),
    /// Not an http or https URL.
    #[error(
        "`{0}` is not the URL of an origin; write `http://host`, `https://host` or either with `:port`"
    )]
    Url(String),
    /// A user name or password in a URL.
    #[error("`{0}` carries a user name; an origin URL is scheme, host and port only")]
    UrlUser(String),
    /// A path or query in a URL.
    #[error("`{0}` carries a path or query, which come from the client; write `{1}`")]
    UrlPath(String, String),
    /// Not in the form that it is stored in.
    #[error("`{0}` must be written as `{1}`")]
    NotNormal(String, String),
    /// Not a network.
    #[error("`{0}` is not a network; write it as `10.0.0.0/8` or `2001:db8::/32`")]
    Network(String),
    /// Bits outside of the network's length.
    #[error("`{0}` has bits set beyond its length; did you mean `{1}`?")]
    NetworkBits(String, String),
    /// Not a field name.
    #[error("`{0}` is not the name of a header: letters, digits and - only, without the colon")]
    Header(String),
    /// Not a cookie name.
    #[error("`{0}` is not the name of a cookie: no spaces, `=`, `;` or `,`")]
    Cookie(String),
    /// Not a parameter's name.
    #[error("`{0}` is not the name of a query parameter: no `&`, `=`, `#` or spaces")]
    Parameter(String),
    /// Everything.
    #[error("`*/*` would compress what does not get smaller; name the types, such as `text/*`")]
    AnyMediaType,
    /// Parameters on a media type.
    #[error("`{0}`: leave out the parameters after `;`")]
    MediaTypeParameters(String),
    /// Not a media type.
    #[error("`{0}` is not a media type; write it as `application/json` or `text/*`")]
    MediaType(String),
    /// Not a label.
    #[error("`{0}` must be 1 to 63 lower-case letters, digits and inner hyphens")]
    Label(String),
    /// Not two letters.
    #[error("`{0}` must be two capital letters, such as `CH`")]
    Code(String),
    /// Not a path.
    #[error("`{0}` is not a path; write `/`, or `/path` with the query if it needs one")]
    Path(String),
    /// Not a status or a range of them.
    #[error("`{0}` is not a status such as `200`, or a range such as `200-399`")]
    Statuses(String),
    /// A range that ends before it begins.
    #[error("`{0}` must begin with the lower status; write `{1}`")]
    StatusesTurned(String, String),
    /// No certificate.
    #[error("no certificates in it; paste them in PEM form, from `-----BEGIN CERTIFICATE-----` on")]
    NoCertificate,
    /// Half a certificate.
    #[error("certificate {0} is cut short or garbled; paste the whole PEM block")]
    Certificate(usize),
    /// Not a URL of something stored.
    #[error(
        "`{0}` is not a URL to purge; write `https://host/path`, with the query if there is one"
    )]
    PurgeUrl(String),
    /// Not the head of one.
    #[error("`{0}` is not a prefix; write `/path` or `https://host/path`")]
    Prefix(String),
    /// Not a tag.
    #[error("`{0}` is not a tag: 1 to 1024 bytes without spaces, commas and control characters")]
    Tag(String),
    /// A pattern that is none of the four, or several.
    #[error("give exactly one of `glob`, `prefix`, `exact` and `regex`")]
    OnePattern,
    /// A pattern of this kind that is refused.
    #[error("{1}")]
    Pattern(&'static str, String),
    /// A pattern for paths that does not begin like one.
    #[error("can match nothing: every path begins with `/`")]
    NoPath,
    /// A pattern for paths with a query.
    #[error(
        "can match nothing: a path ends before the `?` of a query; to purge with a query, use a PurgeRequest"
    )]
    PathQuery,
    /// Something that has a message of its own.
    #[error("{0}")]
    Other(String),
}

/// A host name in lower case, perhaps with `*.` before it.
pub(crate) fn host_or_wildcard(text: &str) -> Result<String, BadText> {
    match text.strip_prefix("*.") {
        Some(rest) if rest.contains('*') => Err(BadText::Wildcard(text.to_owned())),
        Some(rest) => host(rest).map(|host| format!("*.{host}")).map_err(|error| match error {
            BadText::Empty => BadText::Wildcard(text.to_owned()),
            error => error,
        }),
        None if text.contains('*') => Err(BadText::Wildcard(text.to_owned())),
        None => host(text),
    }
}

/// A host name in lower case.
pub(crate) fn host(text: &str) -> Result<String, BadText> {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match text {
        "" => Err(BadText::Empty),
        _ if text.contains('*') => Err(BadText::NoWildcard(text.to_owned())),
        _ if text.contains([':', '/', '?', '@']) => Err(BadText::NotHostAlone(text.to_owned())),
        _ if !text.is_ascii() => Err(BadText::NotAscii(text.to_owned())),
        _ if text.len() > 253 || !text.split('.').all(label) => Err(BadText::Host(text.to_owned())),
        _ => Ok(text.to_ascii_lowercase()),
    }
}

/// `scheme://host[:port]` in lower case; a lone `/` after it is dropped.
pub(crate) fn origin_url(text: &str) -> Result<String, BadText> {
    let bad = || BadText::Url(text.to_owned());
    if text.is_empty() {
        return Err(BadText::Empty);
    }
    let (without_fragment, fragment) = text.split_once('#').unwrap_or((text, ""));
    let uri: Uri = without_fragment.parse().map_err(|_| bad())?;
    let scheme = uri.scheme().filter(|s| [Scheme::HTTP, Scheme::HTTPS].contains(s));
    let (scheme, authority) = scheme.zip(uri.authority()).ok_or_else(bad)?;
    if authority.as_str().contains('@') {
        return Err(BadText::UrlUser(text.to_owned()));
    }
    let normal = format!("{scheme}://{}", origin_authority(authority).ok_or_else(bad)?);
    if uri.path() != "/" || uri.query().is_some() || !fragment.is_empty() {
        return Err(BadText::UrlPath(text.to_owned(), normal));
    }
    Ok(normal)
}

/// `host[:port]`; more lenient on the host than for sites, as names inside a cluster or a compose file
/// may have underscores.
fn origin_authority(authority: &Authority) -> Option<String> {
    let host = authority.host();
    let valid = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            host.len() <= 253
                && host.split('.').all(|label| !label.is_empty() && label.len() <= 63)
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        }
    };
    let port = &authority.as_str()[host.len()..];
    let port_is_valid = port.is_empty()
        || port
            .strip_prefix(':')
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse::<u16>().ok())
            .is_some_and(|port| port > 0);
    (valid && port_is_valid).then(|| authority.as_str().to_ascii_lowercase())
}

/// A network without bits beyond its length.
pub(crate) fn network(text: &str) -> Result<IpNet, BadText> {
    let network: IpNet = text.parse().map_err(|_| BadText::Network(text.to_owned()))?;
    let trunc = network.trunc();
    if trunc == network {
        Ok(network)
    } else {
        Err(BadText::NetworkBits(text.to_owned(), trunc.to_string()))
    }
}

/// A field name in lower case.
pub(crate) fn header(text: &str) -> Result<String, BadText> {
    http::HeaderName::from_bytes(text.as_bytes())
        .map(|name| name.as_str().to_owned())
        .map_err(|_| BadText::Header(text.to_owned()))
}

/// A cookie's name.
pub(crate) fn cookie(text: &str) -> Result<String, BadText> {
    if is_token(text) { Ok(text.to_owned()) } else { Err(BadText::Cookie(text.to_owned())) }
}

/// A query parameter's name.
pub(crate) fn parameter(text: &str) -> Result<String, BadText> {
    let outlaw = |c: char| "&=#".contains(c) || c.is_whitespace() || c.is_control();
    if text.is_empty() || text.contains(outlaw) {
        return Err(BadText::Parameter(text.to_owned()));
    }
    Ok(text.to_owned())
}

/// A media type or a range of them, in lower case.
pub(crate) fn media_type(text: &str) -> Result<String, BadText> {
    if text.contains(';') {
        return Err(BadText::MediaTypeParameters(text.to_owned()));
    }
    if text == "*/*" || text == "*" {
        return Err(BadText::AnyMediaType);
    }
    // `*` is a character of tokens, but here it stands for all of them.
    let plain = |part: &str| is_token(part) && !part.contains('*');
    match text.split_once('/') {
        Some((kind, sub)) if plain(kind) && (sub == "*" || plain(sub)) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err(BadText::MediaType(text.to_owned())),
    }
}

/// A path, perhaps with a query.
pub(crate) fn path(text: &str) -> Result<String, BadText> {
    let outlaw = |c: char| c == '#' || c.is_whitespace();
    let valid = text.starts_with('/')
        && !text.contains(outlaw)
        && text.parse::<http::uri::PathAndQuery>().is_ok();
    if valid { Ok(text.to_owned()) } else { Err(BadText::Path(text.to_owned())) }
}

/// The least and the greatest of a range of statuses, or one that is both.
pub(crate) fn statuses(text: &str) -> Result<(u16, u16), BadText> {
    let bad = || BadText::Statuses(text.to_owned());
    let status = |digits: &str| {
        let plain = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
        let number = digits.parse::<u16>().ok().filter(|n| (100..=599).contains(n));
        number.filter(|_| plain).ok_or_else(bad)
    };
    let (least, greatest) = text.split_once('-').unwrap_or((text, text));
    let (least, greatest) = (status(least)?, status(greatest)?);
    if least > greatest {
        let turned = format!("{greatest}-{least}");
        return Err(BadText::StatusesTurned(text.to_owned(), turned));
    }
    Ok((least, greatest))
}

/// A name as Kubernetes gives to labels.
pub(crate) fn label(text: &str) -> Result<String, BadText> {
    let valid = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if valid { Ok(text.to_owned()) } else { Err(BadText::Label(text.to_owned())) }
}

/// Two capital letters.
pub(crate) fn code(text: &str) -> Result<String, BadText> {
    let valid = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    if valid { Ok(text.to_owned()) } else { Err(BadText::Code(text.to_owned())) }
}

/// At least one whole certificate in PEM form. What is inside is for the TLS library to judge.
pub(crate) fn certificates(text: &str) -> Result<(), BadText> {
    let mut blocks = text.split("-----BEGIN CERTIFICATE-----");
    blocks.next();
    let mut count = 0;
    for block in blocks {
        count += 1;
        let body = block.split_once("-----END CERTIFICATE-----").map(|(body, _)| body.trim());
        let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c) || c.is_whitespace();
        if !body.is_some_and(|body| !body.is_empty() && body.chars().all(base64)) {
            return Err(BadText::Certificate(count));
        }
    }
    if count == 0 { Err(BadText::NoCertificate) } else { Ok(()) }
}

/// What the schema says with a pattern, in words. `None` for a pattern that is not ours.
pub(crate) fn by_pattern(schema: &str, text: &str) -> Option<Result<(), BadText>> {
    let unit = |r: Result<String, BadText>| Some(r.map(drop));
    match schema {
        pattern::HOST => unit(host_or_wildcard(text)),
        pattern::EXACT_HOST => unit(host(text)),
        pattern::ORIGIN => unit(origin_url(text)),
        pattern::PLACE_URL => Some(place_url(text)),
        pattern::LABEL => unit(label(text)),
        pattern::CODE => unit(code(text)),
        pattern::PATH => unit(path(text)),
        pattern::STATUSES => Some(statuses(text).map(drop)),
        pattern::NETWORK => Some(network(text).map(drop)),
        pattern::ADDRESS => Some(address(text)),
        pattern::HEADER => unit(header(text)),
        pattern::COOKIE => unit(cookie(text)),
        pattern::MEDIA_TYPE => unit(media_type(text)),
        pattern::URL => Some(purge_url(text).map(drop)),
        pattern::URL_PREFIX => Some(url_prefix(text).map(drop)),
        pattern::TAG => unit(tag(text)),
        Duration::PATTERN => {
            Some(text.parse::<Duration>().map(drop).map_err(|e| BadText::Other(e.to_string())))
        }
        ByteQuantity::PATTERN => {
            Some(text.parse::<ByteQuantity>().map(drop).map_err(|e| BadText::Other(e.to_string())))
        }
        Amount::PATTERN => Some(amount(text)),
        _ => None,
    }
}

/// Of a place.
fn address(text: &str) -> Result<(), BadText> {
    let wrong = |_| BadText::Other(format!("`{text}` is not an IP address such as `192.0.2.1`"));
    let address = text.parse::<std::net::IpAddr>().map_err(wrong)?.to_canonical();
    let broadcast = address == std::net::Ipv4Addr::BROADCAST;
    if address.is_unspecified() || address.is_multicast() || broadcast {
        let reason = format!("`{text}` is not an address that a client can reach");
        return Err(BadText::Other(reason));
    }
    Ok(())
}

/// Where a router sends clients; what `{host}` may be a part of is for the zones to judge.
fn place_url(text: &str) -> Result<(), BadText> {
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase()) && !text.ends_with('/');
    if lower && origin_url(&text.replacen("{host}", "host", 1)).is_ok() {
        return Ok(());
    }
    let form = "`https://` or `http://` and a name in lower case, perhaps a port, and no path";
    Err(BadText::Other(format!("`{text}` is not where a place is: {form}")))
}

/// Of any resource of a machine.
fn amount(text: &str) -> Result<(), BadText> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[number.len()..];
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str, most| {
        (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let known = ["", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi"].contains(&unit);
    if digits(whole, 18) && digits(part, 9) && known {
        return Ok(());
    }
    Err(BadText::Other(format!("`{text}` is not an amount such as `500m`, `2` or `1Gi`")))
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests;
