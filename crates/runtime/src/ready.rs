//! Readiness: what must be so before a process takes work, by name.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The conditions under which a process is ready. Cheap to clone; without conditions it is ready.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<Conditions>>);

#[derive(Debug, Default)]
struct Conditions {
    made: u64,
    listed: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    number: u64,
    name: String,
    /// `None`: fulfilled.
    unmet: Option<String>,
}

/// One condition, in the hands of whoever knows whether it is fulfilled.
///
/// A gate that is dropped leaves its condition as it stood: a task that died must not open it.
#[derive(Debug)]
pub struct Gate {
    number: u64,
    readiness: Readiness,
}

/// A condition that is not fulfilled, for people: `log: not yet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The condition.
    pub name: String,
    /// Why it is not fulfilled.
    pub why: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.why)
    }
}

impl Readiness {
    /// One more condition, called `name`; not fulfilled yet.
    #[must_use]
    pub fn gate(&self, name: &str) -> Gate {
        let number = self.with(|conditions| {
            conditions.made += 1;
            conditions.listed.push(Condition {
                number: conditions.made,
                name: name.to_owned(),
                unmet: Some("not yet".to_owned()),
            });
            conditions.made
        });
        Gate { number, readiness: self.clone() }
    }

    /// What is in the way, in the order in which the conditions were made; nothing when ready.
    pub fn unmet(&self) -> Vec<Unmet> {
        self.with(|conditions| {
            let unmet = |c: &Condition| {
                let why = c.unmet.clone()?;
                Some(Unmet { name: c.name.clone(), why })
            };
            conditions.listed.iter().filter_map(unmet).collect()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Conditions) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Gate {
    /// It is fulfilled.
    pub fn open(&self) {
        self.set(None);
    }

    /// It is not, and why.
    pub fn close(&self, why: &str) {
        self.set(Some(why.to_owned()));
    }

    /// It no longer matters: what it stood for was taken away on purpose.
    pub fn retire(self) {
        self.readiness.with(|conditions| conditions.listed.retain(|c| c.number != self.number));
    }

    fn set(&self, unmet: Option<String>) {
        self.readiness.with(|conditions| {
            if let Some(found) = conditions.listed.iter_mut().find(|c| c.number == self.number) {
                found.unmet = unmet;
            }
        });
    }
}

#[cfg(test)]
mod tests;
