//! HTTP caching decided by pure functions: RFC 9110, 9111, 5861, 9211, 9213, 8586, 9875 and the
//! framing parts of 9112, as far as a shared cache needs them.
//!
//! What it never does: read a clock (`now` is always an argument), touch a socket, file or task, or
//! know about configuration formats. Nothing here panics on any input, and every outcome carries a
//! reason from one vocabulary ([`reasons`]) whose tokens appear in `Cache-Status`, metrics and logs.
//!
//! Where to start: [`storable()`] decides whether a response may be kept and for how long,
//! [`Freshness::judge`] whether a kept one may be used, [`evaluate()`] what a conditional request
//! gets, [`write_cache_key`] and [`variant_key`] where things are kept. [`FramingCheck`] guards the
//! raw bytes before any of this; [`Pattern`] is what people say which responses they mean with. `docs/standards.md` lists what is promised, section by section.

pub mod cache_status;
pub mod coding;
pub mod conditional;
pub mod directives;
pub mod fields;
pub mod framing;
pub mod freshen;
pub mod freshness;
pub mod key;
mod lists;
pub mod pattern;
pub mod policy;
pub mod range;
pub mod reasons;
mod sf;
pub mod storable;
pub mod tags;
pub mod target;
pub mod targeted;
pub mod time;
pub mod vary;

pub use cache_status::{CacheStatus, Fwd};
pub use coding::{
    Coding, CodingSet, CompressionRules, Negotiated, NoTransformReason, acceptable, compressible,
    negotiate, weaken_etag,
};
pub use conditional::{
    EntityTag, Precondition, add_validators, evaluate, has_validator, not_modified_headers,
    validates,
};
pub use directives::{Delta, FieldScope, MaxStale, RequestDirectives, ResponseDirectives};
pub use fields::{
    LoopVerdict, append_cdn_loop, append_forwarded, append_via, asked_upgrade, cdn_loop_check,
    join_cookies, request_id, strip_hop_by_hop, strip_nominated,
};
pub use framing::{FramingCheck, FramingError, HeadLimits};
pub use freshen::{freshen_headers, head_matches};
pub use freshness::{Freshness, LifetimeSource, Verdict};
pub use key::{
    BadHost, KeyParts, KeyRules, QueryRule, normalize_host, normalize_prefix, normalize_target,
    split_key, write_cache_key,
};
pub use pattern::{BadPattern, Pattern};
pub use policy::{Heuristic, NegativeTtls, Policy, SetCookie};
pub use range::{
    ByteSpec, ContentRange, RangeIgnored, RangeRequest, Resolved, if_range_matches, multipart,
    parse_range, resolve,
};
pub use reasons::{MissReason, NoStoreReason, PassReason, StaleReason};
pub use storable::{Exchange, Storable, heuristically_cacheable, post_storable_as_get, storable};
pub use tags::{BadTag, TagLimits, all_tags, check_tag, surrogate_tags};
pub use target::{
    cache_group_invalidation, cache_groups, invalidated_targets, is_safe, resolve_same_origin,
};
pub use targeted::{ControlSource, SURROGATE_ID, effective_directives};
pub use time::{Timestamp, format_http_date, parse_http_date};
pub use vary::{
    VariantRules, Vary, VaryField, language_match, language_quality, parse_vary, variant_key,
};
