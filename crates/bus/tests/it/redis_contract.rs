//! The log in a real Redis keeps the contract.

use crate::server::Server;

async fn redis() -> Server {
    Server::start(&[]).await
}

mod contract {
    use super::redis;

    bus::contract!(redis);
}
