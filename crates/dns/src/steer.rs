//! Which PoPs a client gets: from where it is and how they stand.

mod choose;
mod explain;
mod order;
mod planner;
mod ramp;
mod room;
mod view;

pub use choose::{Choice, choose, nearest};
pub use explain::{Candidate, Explanation, Verdict, explain};
pub use planner::{Planner, Seen};
pub use ramp::Ramp;
pub use view::{PopState, SideView, Standing, View};

#[cfg(test)]
mod tests;
