//! What is true at the origin, and what clients must therefore no longer get.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use e2e::client::Answer;
use e2e::origin::{Asked, Origin, Reply};

/// Pages that the origin has.
pub(crate) const PAGES: usize = 24;
/// Each page has the tag of its group.
pub(crate) const GROUPS: usize = 4;

/// Every page with its version: the newest, and the oldest that clients may still get.
pub(crate) struct Truth {
    pages: Vec<Page>,
    wrong: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Page {
    version: AtomicU64,
    least: AtomicU64,
}

/// A change of pages, and the versions that clients must get at least once its order is complete.
#[derive(Clone, Debug)]
pub(crate) struct Change(Vec<(usize, u64)>);

impl Truth {
    /// The truth of `origin`, which answers with the version that is true when it is asked.
    pub(crate) fn at(origin: &Origin) -> Arc<Self> {
        let pages = (0..PAGES).map(|_| Page::default()).collect();
        let truth = Arc::new(Self { pages, wrong: Mutex::default() });
        truth.serve(origin, "*");
        truth
    }

    /// Has `origin` tell the truth at `path`.
    pub(crate) fn serve(self: &Arc<Self>, origin: &Origin, path: &str) {
        let told = self.clone();
        origin.on(path, move |asked| told.tell(asked));
    }

    fn tell(&self, asked: &Asked) -> Reply {
        let page = asked.target.strip_prefix("/page/").and_then(|n| n.parse::<usize>().ok());
        let Some(page) = page.filter(|page| *page < PAGES) else { return Reply::status(404) };
        let version = self.pages[page].version.load(SeqCst);
        Reply::validated(asked, &format!("\"{page}-{version}\""), version.to_string())
            .field("cache-control", "max-age=3600")
            .field("surrogate-key", &tag(page % GROUPS))
    }

    /// Changes `pages` at the origin; their order is to be sent now.
    pub(crate) fn change(&self, pages: impl IntoIterator<Item = usize>) -> Change {
        let raised = |page: usize| (page, self.pages[page].version.fetch_add(1, SeqCst) + 1);
        Change(pages.into_iter().map(raised).collect())
    }

    /// The order of a change was reported complete: who asks from now on gets nothing older.
    pub(crate) fn complete(&self, change: &Change) {
        for (page, version) in &change.0 {
            self.pages[*page].least.fetch_max(*version, SeqCst);
        }
    }

    /// To be taken before a request for `page` is sent, for [`Truth::judge`].
    pub(crate) fn least(&self, page: usize) -> u64 {
        self.pages[page].least.load(SeqCst)
    }

    /// Whether an answer is one, and new enough.
    pub(crate) fn judge(&self, page: usize, least: u64, from: &str, answer: &Answer) -> bool {
        let version = answer.text().parse::<u64>().ok();
        let good = answer.status == 200 && !answer.cut && version.is_some_and(|v| v >= least);
        if !good {
            self.complain(format!("page {page} of {from}, at least {least}: {answer:?}"));
        }
        good
    }

    pub(crate) fn complain(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// Nothing was wrong so far.
    #[track_caller]
    pub(crate) fn assert_kept(&self) {
        let wrong = self.wrong.lock().unwrap();
        let first: Vec<_> = wrong.iter().take(5).collect();
        assert!(wrong.is_empty(), "{} answers are wrong, first {first:#?}", wrong.len());
    }
}

pub(crate) fn tag(group: usize) -> String {
    format!("group-{group}")
}

/// The pages with the tag of `group`.
pub(crate) fn tagged(group: usize) -> impl Iterator<Item = usize> {
    (0..PAGES).filter(move |page| page % GROUPS == group)
}

pub(crate) fn path(page: usize) -> String {
    format!("/page/{page}")
}
