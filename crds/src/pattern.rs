//! What the schema requires of texts.
//!
//! Kept few and simple: the API server shows a pattern as it is, and nobody learns from one what to
//! write. `translate` checks the same texts again, thoroughly and with words.

/// A host name, or `*.` and one.
pub const HOST: &str = r"^(\*\.)?[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$";

/// A host name.
pub const EXACT_HOST: &str = r"^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$";

/// `http` or `https`, a host and perhaps a port.
pub const ORIGIN: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+/?$";

/// The same with names in lower case, of which `{host}` may be a part.
pub const PLACE_URL: &str = r"^https?://[^\s/?#@A-Z]+$";

/// A path, perhaps with a query.
pub const PATH: &str = r"^/[^\s#]*$";

/// A status, or a range of them.
pub const STATUSES: &str = "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$";

/// A name of the kind that Kubernetes gives to labels (RFC 1123).
pub const LABEL: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";

/// A network in CIDR form; whether it is one is checked in words.
pub const NETWORK: &str = "^[0-9A-Fa-f:.]+/[0-9]{1,3}$";

/// Two capital letters, as of a country (ISO 3166-1).
pub const CODE: &str = "^[A-Z]{2}$";

/// An IP address; whether it is one is checked in words.
pub const ADDRESS: &str = "^[0-9A-Fa-f:.]{2,45}$";

/// A header's name (a token of RFC 9110).
pub const HEADER: &str = "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$";

/// A cookie's name (the same, in another order, so that the two can be told apart).
pub const COOKIE: &str = "^[-!#$%&'*+.^_`|~A-Za-z0-9]+$";

/// A media type, or `text/*`.
pub const MEDIA_TYPE: &str = r"^[-!#$%&'+.^_`|~0-9A-Za-z]+/(\*|[-!#$%&'+.^_`|~0-9A-Za-z]+)$";

/// An http or https URL without a fragment.
pub const URL: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+([/?][^\s#]*)?$";

/// The head of one, or of a path.
pub const URL_PREFIX: &str = r"^([Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+([/?][^\s#]*)?|/[^\s#]*)$";

/// A tag, as a `Surrogate-Key` and a `Cache-Tag` can carry it.
pub const TAG: &str = r"^[^\s,]+$";
