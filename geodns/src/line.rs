//! The line to the log: edges are heard on it, and the other observers.

use std::sync::Arc;

use bus::Bus;
use tokio::task::JoinHandle;

use crate::exchange::exchange_on;
use crate::loads::follow_loads;
use crate::options::LogOptions;
use crate::service::Service;

/// The line, as long as the process runs.
pub(crate) struct Line(Option<JoinHandle<()>>);

impl Line {
    /// Waits until the others were told that it goes; to be called when the process is closed.
    pub(crate) async fn leave(self) {
        if let Some(exchange) = self.0 {
            // It limits its own time, and who does not hear it waits for a lease.
            let _ = exchange.await;
        }
    }
}

/// Connects to the log of `options`, if there is to be one; in a runtime only.
///
/// # Errors
/// When the options cannot be used.
pub(crate) fn start(service: &Arc<Service>, options: &LogOptions) -> anyhow::Result<Line> {
    let Some(bus) = options.open()?.map(Arc::new) else { return Ok(Line(None)) };
    let members: Arc<dyn Bus> = Arc::clone(&bus) as Arc<dyn Bus>;
    tokio::spawn(follow_loads(Arc::clone(service), members));
    Ok(Line(Some(tokio::spawn(exchange_on(Arc::clone(service), bus, options.name())))))
}
