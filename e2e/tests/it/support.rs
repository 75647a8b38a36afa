//! What every test begins with.

use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, World};

/// An origin and an edge in front of it.
pub(crate) async fn start() -> (Origin, World) {
    let origin = Origin::start().await.unwrap();
    let world = Setup::new(&origin).start().await.unwrap();
    (origin, world)
}

/// The same, with something changed.
pub(crate) async fn start_with(change: impl FnOnce(Setup) -> Setup) -> (Origin, World) {
    let origin = Origin::start().await.unwrap();
    let world = change(Setup::new(&origin)).start().await.unwrap();
    (origin, world)
}

/// An origin that answers everything with what it was asked for.
pub(crate) async fn echoing(change: impl FnOnce(Setup) -> Setup) -> (Origin, World) {
    let (origin, world) = start_with(change).await;
    origin.on("*", |asked| {
        Reply::fresh(60, format!("{} {} {}", asked.method, asked.target, asked.text()))
    });
    (origin, world)
}
