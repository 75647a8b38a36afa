//! The answers of an authoritative GeoDNS: from the bytes of a query to the bytes of the answer.
//!
//! Never: sockets, clocks, tasks; `now` is an argument. Start at [`answer::answer`]; it reads ([`packet`]), finds who
//! owns the name ([`fleet`]), where the client is ([`place`]), and which PoPs suit it ([`steer`]). Beside it:
//! [`health`] of one address, the [`quorum`] of observers, the [`limit`] of answers, and the [`redirect`](mod@redirect)s
//! of the HTTP router.

pub mod answer;
pub mod fleet;
pub mod health;
pub mod limit;
pub mod packet;
pub mod place;
pub mod quorum;
pub mod redirect;
pub mod steer;
