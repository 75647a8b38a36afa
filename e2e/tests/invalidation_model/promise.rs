//! What was promised: which versions a client must not see any more.

use std::sync::Arc;

use wire::invalidation::How;

use crate::site::{KEYS, TAGS, tags};
use crate::targets::Names;

/// The oldest versions that may be served of one URL, for a hard order and for a soft one.
type Floor = [u32; 2];

/// All that was promised so far. Bans are listed, since they end.
#[derive(Default)]
pub struct Promises {
    urls: [Floor; KEYS],
    tags: [[Floor; TAGS]; KEYS],
    bans: Vec<Arc<Ban>>,
}

pub struct Ban {
    id: String,
    names: Names,
    how: How,
    versions: [u32; KEYS],
    /// The time from which nothing is promised any more.
    until: u64,
}

/// What one request must not see, as of its arrival.
#[derive(Clone)]
pub struct Must {
    key: usize,
    url: Floor,
    tags: [Floor; TAGS],
    bans: Vec<Arc<Ban>>,
}

fn column(how: How) -> usize {
    match how {
        How::Hard => 0,
        How::Soft => 1,
    }
}

impl Promises {
    /// An order is complete: nothing that it names is served from now on that is older than these.
    /// `ends`: for a ban its id and its end.
    pub fn make(
        &mut self,
        names: &Names,
        how: How,
        versions: &[u32; KEYS],
        ends: Option<(&str, u64)>,
    ) {
        if let Some((id, until)) = ends {
            let (id, names) = (id.to_owned(), names.clone());
            self.bans.push(Arc::new(Ban { id, names, how, versions: *versions, until }));
            return;
        }
        let at = column(how);
        for (key, version) in versions.iter().enumerate() {
            let raise = |floor: &mut Floor| floor[at] = floor[at].max(*version);
            match names {
                Names::Keys(keys) if keys & (1 << key) != 0 => raise(&mut self.urls[key]),
                Names::Tags(bits) => {
                    let named = self.tags[key].iter_mut().enumerate();
                    named.filter(|(tag, _)| bits & (1 << tag) != 0).for_each(|(_, f)| raise(f));
                }
                _ => {}
            }
        }
    }

    pub fn lift(&mut self, id: &str) {
        self.bans.retain(|ban| ban.id != id);
    }

    pub fn pass_time(&mut self, now: u64) {
        self.bans.retain(|ban| ban.until > now);
    }

    /// What a request that arrives now must not see.
    pub fn must(&self, key: usize) -> Must {
        let bans = self.bans.clone();
        Must { key, url: self.urls[key], tags: self.tags[key], bans }
    }
}

impl Must {
    /// What is wrong with being answered with this version now; `false` says that it held it to something.
    pub fn check(
        &self,
        version: u32,
        marked: bool,
        now: u64,
        promises: &Promises,
    ) -> Result<bool, String> {
        let mut held = false;
        for at in [0, 1] {
            if at == 1 && marked {
                continue;
            }
            let bits = tags(self.key, version);
            let tagged =
                (0..TAGS).filter(|tag| bits & (1 << tag) != 0).map(|tag| self.tags[tag][at]);
            let floor = tagged.fold(self.url[at], u32::max);
            held |= floor > 0;
            if version < floor {
                let how = ["hard", "soft"][at];
                return Err(format!(
                    "version {version}, but {floor} was promised by a {how} order"
                ));
            }
        }
        for ban in &self.bans {
            let still =
                ban.until > now && promises.bans.iter().any(|other| Arc::ptr_eq(other, ban));
            let named = ban.names.has(self.key, version) && !(marked && ban.how == How::Soft);
            held |= named;
            if still && named && version < ban.versions[self.key] {
                let floor = ban.versions[self.key];
                return Err(format!("version {version}, but {floor} was promised by {:?}", ban.id));
            }
        }
        Ok(held)
    }
}
