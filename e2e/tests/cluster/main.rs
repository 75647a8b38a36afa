//! What only a real Kubernetes shows: `make e2e` gets one and runs these (e2e/cluster).
//!
//! Without one they are ignored, and counted so. They run on any cluster that `KUBECONFIG` names, each in a
//! namespace of its own; `support.rs` says what else they are told.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod definitions;
mod examples;
mod node;
mod nulls;
mod refusals;
mod serving;
mod support;
