//! What happened lately, told when something is wrong.

use std::collections::VecDeque;
use std::fmt;

const KEPT: usize = 20_000;
const TOLD: usize = 300;

#[derive(Clone, Copy)]
struct Event {
    step: u64,
    /// None: it concerns all.
    key: Option<usize>,
    node: Option<usize>,
    what: &'static str,
    detail: u64,
}

/// The last events.
pub struct Trace {
    events: VecDeque<Event>,
}

impl Trace {
    pub fn new() -> Self {
        Self { events: VecDeque::with_capacity(KEPT) }
    }

    pub fn note(
        &mut self,
        step: u64,
        key: Option<usize>,
        node: Option<usize>,
        what: &'static str,
        detail: u64,
    ) {
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(Event { step, key, node, what, detail });
    }

    /// The last events that concern a key, and a node.
    pub fn of(&self, key: usize, node: usize) -> String {
        let concerns = |event: &&Event| match event.key {
            Some(of) => of == key,
            // Others answer for it.
            None => event.node.is_none_or(|of| of == node || event.what != "applied"),
        };
        let told: Vec<_> = self.events.iter().rev().filter(concerns).take(TOLD).collect();
        told.into_iter().rev().map(|event| format!("{event}\n")).collect()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8} ", self.step)?;
        match self.node {
            Some(node) => write!(f, "node {node} ")?,
            None => f.write_str("       ")?,
        }
        write!(f, "{} {}", self.what, self.detail)?;
        self.key.map_or(Ok(()), |key| write!(f, " (key {key})"))
    }
}
