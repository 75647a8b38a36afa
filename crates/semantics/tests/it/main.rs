//! The decisions of this crate held against the standards: one file per section or group of
//! sections, tables where a table says it best.

// The exception for tests in clippy.toml does not reach helpers outside of test functions.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod rfc5861_stale;
mod rfc7239_forwarded;
mod rfc8246_immutable;
mod rfc8586_loops;
mod rfc9110_12_negotiation;
mod rfc9110_13_conditional;
mod rfc9110_14_range;
mod rfc9110_4_uris;
mod rfc9110_5_6_values;
mod rfc9110_7_routing;
mod rfc9110_8_8_validators;
mod rfc9110_9_methods;
mod rfc9111_3_2_updating;
mod rfc9111_3_storing;
mod rfc9111_4_1_vary;
mod rfc9111_4_2_freshness;
mod rfc9111_4_3_validation;
mod rfc9111_4_4_invalidation;
mod rfc9111_5_2_directives;
mod rfc9112_framing;
mod rfc9211_cache_status;
mod rfc9213_targeted;
mod rfc9651_fields;
mod rfc9875_groups;
mod support;
