//! What only some bodies have beside their bytes. Nearly all are complete and asked for as they are:
//! these have a null pointer here.

use std::sync::Arc;

use super::Body;
use super::live::Live;

/// The body's writing side, and what was derived from it.
#[derive(Default)]
pub(super) struct State(Option<Box<Parts>>);

#[derive(Default)]
struct Parts {
    /// There while the body is being written, and for ever when it failed or only streamed.
    live: Option<Box<Live>>,
    derived: DerivedSlots,
}

/// One for each coding.
pub(super) type DerivedSlots = [Option<Arc<Body>>; 3];

impl State {
    pub(super) fn live(live: Live) -> Self {
        let live = Some(Box::new(live));
        Self(Some(Box::new(Parts { live, derived: DerivedSlots::default() })))
    }

    pub(super) fn get_live(&self) -> Option<&Live> {
        self.0.as_ref()?.live.as_deref()
    }

    pub(super) fn live_mut(&mut self) -> Option<&mut Live> {
        self.0.as_mut()?.live.as_deref_mut()
    }

    /// The last byte is in.
    pub(super) fn take_live(&mut self) -> Option<Box<Live>> {
        let parts = self.0.as_mut()?;
        let live = parts.live.take();
        if parts.derived.iter().all(Option::is_none) {
            self.0 = None;
        }
        live
    }

    pub(super) fn derived(&self) -> impl Iterator<Item = &Arc<Body>> {
        self.0.iter().flat_map(|parts| parts.derived.iter().flatten())
    }

    pub(super) fn derived_mut(&mut self) -> &mut DerivedSlots {
        &mut self.0.get_or_insert_default().derived
    }
}
