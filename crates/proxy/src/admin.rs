//! What a node answers on its admin port, all of it behind the token: [`debug`] shows what it holds and runs
//! on, [`invalidation`] takes orders to invalidate.

mod answer;
pub mod debug;
pub mod invalidation;
mod routes;
mod url;
