//! Whether a fleet document can be used.

use std::collections::BTreeSet;

use http::uri::Authority;

use super::{
    FORMAT, Fleet, HOST, MAX_MEMBERS, MAX_NAME, MAX_RING_WEIGHT, MAX_WEIGHT, Member, Ring,
};

/// A fleet document cannot be used as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// Written for another release.
    #[error("fleet format {0} is not {FORMAT}")]
    Format(u32),
    /// A ring's name is empty, too long, or has spaces or other invisible characters.
    #[error("ring name {0:?} must be 1 to {MAX_NAME} visible ASCII characters")]
    RingName(String),
    /// More members than a ring holds.
    #[error("ring {ring}: {members} members, at most {MAX_MEMBERS}")]
    Members {
        /// The ring.
        ring: String,
        /// How many it has.
        members: usize,
    },
    /// The members' weights are too much together.
    #[error("ring {ring}: the weights are {weight} together, at most {MAX_RING_WEIGHT}")]
    RingWeight {
        /// The ring.
        ring: String,
        /// Their sum.
        weight: u64,
    },
    /// A member's name is empty, too long, or has spaces or other invisible characters.
    #[error("ring {ring}: member name {name:?} must be 1 to {MAX_NAME} visible ASCII characters")]
    Name {
        /// The ring.
        ring: String,
        /// The name.
        name: String,
    },
    /// Two members have the same name.
    #[error("ring {ring}: two members are named {name}")]
    Duplicate {
        /// The ring.
        ring: String,
        /// The name.
        name: String,
    },
    /// Not `http://host:port`.
    #[error("ring {ring}: url {url:?} of {name} must be http://host:port")]
    Url {
        /// The ring.
        ring: String,
        /// The member.
        name: String,
        /// Its URL.
        url: String,
    },
    /// A member's weight is out of range.
    #[error("ring {ring}: weight {weight} of {name}, at most {MAX_WEIGHT}")]
    Weight {
        /// The ring.
        ring: String,
        /// The member.
        name: String,
        /// Its weight.
        weight: u32,
    },
    /// A PoP's name is empty, too long, or has spaces or other invisible characters.
    #[error("ring {ring}: pop {pop:?} of {name} must be 1 to {MAX_NAME} visible ASCII characters")]
    Pop {
        /// The ring.
        ring: String,
        /// The member.
        name: String,
        /// The PoP.
        pop: String,
    },
    /// Not an authority, with or without `{host}` in it once.
    #[error(
        "ring {ring}: public {public:?} of {name} must be host or host:port; {HOST} in it, once, stands for the site's host"
    )]
    Public {
        /// The ring.
        ring: String,
        /// The member.
        name: String,
        /// Where clients would reach it.
        public: String,
    },
}

impl Fleet {
    /// Whether the document can be used.
    ///
    /// # Errors
    /// The first thing that is wrong, by ring and member.
    pub fn check(&self) -> Result<(), FleetError> {
        if self.format != FORMAT {
            return Err(FleetError::Format(self.format));
        }
        for (name, ring) in &self.rings {
            if !is_name(name) {
                return Err(FleetError::RingName(name.clone()));
            }
            ring.check(name)?;
        }
        Ok(())
    }
}

impl Ring {
    fn check(&self, ring: &str) -> Result<(), FleetError> {
        if self.members.len() > MAX_MEMBERS {
            let members = self.members.len();
            return Err(FleetError::Members { ring: ring.to_owned(), members });
        }
        let mut names = BTreeSet::new();
        for member in &self.members {
            member.check(ring)?;
            if !names.insert(&member.name) {
                let name = member.name.clone();
                return Err(FleetError::Duplicate { ring: ring.to_owned(), name });
            }
        }
        let weight = self.members.iter().map(|member| u64::from(member.weight)).sum();
        if weight > u64::from(MAX_RING_WEIGHT) {
            return Err(FleetError::RingWeight { ring: ring.to_owned(), weight });
        }
        Ok(())
    }
}

impl Member {
    fn check(&self, ring: &str) -> Result<(), FleetError> {
        let (ring, name) = (ring.to_owned(), self.name.clone());
        if !is_name(&name) {
            return Err(FleetError::Name { ring, name });
        }
        if !is_url(&self.url) {
            return Err(FleetError::Url { ring, name, url: self.url.clone() });
        }
        if self.weight > MAX_WEIGHT {
            return Err(FleetError::Weight { ring, name, weight: self.weight });
        }
        if let Some(pop) = self.pop.clone().filter(|pop| !is_name(pop)) {
            return Err(FleetError::Pop { ring, name, pop });
        }
        match self.public.clone().filter(|public| !is_public(public)) {
            Some(public) => Err(FleetError::Public { ring, name, public }),
            None => Ok(()),
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_public(text: &str) -> bool {
    let host = text.replacen(HOST, "host", 1);
    if text.len() > MAX_NAME || host.contains(['@', '{', '}', '*']) {
        return false;
    }
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let port = authority.as_str().strip_prefix(authority.host());
    let port = port.and_then(|rest| rest.strip_prefix(':'));
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = |port: &str| digits(port) && port.parse::<u16>().is_ok_and(|port| port != 0);
    // In the host: a port is nobody's name.
    !authority.host().is_empty()
        && (authority.as_str() == authority.host() || port.is_some_and(is_port))
}

fn is_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else { return false };
    let Ok(authority) = rest.strip_suffix('/').unwrap_or(rest).parse::<Authority>() else {
        return false;
    };
    // `u16` reads `+80` too.
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let port = authority.port().filter(|port| digits(port.as_str()) && port.as_u16() != 0);
    port.is_some() && !authority.host().is_empty() && !authority.as_str().contains('@')
}
