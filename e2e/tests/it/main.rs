//! End-to-end tests in one process: an EdgePool, its edges, a scripted origin, clients; real sockets.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod admin;
mod agreement;
mod borders;
mod collapsing;
mod compression;
mod connections;
mod drain;
mod dying;
mod following;
mod framing;
mod hits;
mod lines;
mod nodes;
mod orders;
mod places;
mod processes;
mod programs;
mod protection;
mod protocol;
mod purge_method;
mod purging;
mod ranges;
mod redirects;
mod regions;
mod sharing;
mod shield;
mod shields;
mod slowly;
mod staleness;
mod storing;
mod streaming;
mod support;
mod targets;
mod termination;
mod tiers;
mod tls;
mod trust;
mod validation;
mod ways;
mod whereabouts;
