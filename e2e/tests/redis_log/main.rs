//! Edge programs on a log in a real Redis that is killed, stopped, trimmed, cut off and written to by hand,
//! under traffic: no client request fails, no order is lost, and nothing is stale after an order was reported
//! complete (I6, I7, I8, F).

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod asleep;
mod cut_off;
mod fleet;
mod killed;
mod namespaces;
mod odd;
mod orders;
mod paused;
mod traffic;
mod truth;
