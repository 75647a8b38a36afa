//! The GeoDNS as a program among others: places that die and come back, and observers that are cut off (R6, F).

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod cut_off;
mod failover;
mod first_zones;
mod load;
