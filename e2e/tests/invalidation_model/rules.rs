//! The rules that nodes and senders keep, each of which can be broken.

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A fill is vouched for as of the arrival of its answer.
    SentLate,
    /// The answer of a tier is vouched for as far as this node is.
    OwnApplied,
    /// Requests do not remember when they came.
    Arrived,
    /// Entries do not say what came before them.
    Prev,
    /// Who says that it read past an entry counts as having applied it.
    Inferred,
    /// A node that is cut off counts as validating before its lease is over.
    LeaseEarly,
    /// A node goes on serving when its lease is over.
    LeaseIgnored,
    /// A node whose lease was over trusts what it stored as soon as it caught up.
    TrustsAgain,
    /// A tier is asked for anything it has.
    LeastZero,
    /// A node does not empty itself after a gap.
    GapKept,
    /// A log that failed over gives out lower ids than those that it lost.
    IdsGoBack,
    /// A peer's answer is vouched for as far as this node is.
    PeerOwnApplied,
    /// What the previous owner has stored is taken without a word about positions.
    InheritWordless,
    /// A previous owner gives what it has stored to whoever asks, as what was asked for.
    InheritUnchecked,
    /// The same, but it says truly what that is vouched for.
    InheritBehind,
    /// Where a key is not at home, requests do not remember when they came.
    PeerArrived,
    /// What is not to be kept is shared apart from the store, which orders do not reach.
    TransientApart,
    /// A position that an origin says is taken for the word of a tier.
    StrayBelieved,
    /// A node in the middle vouches for what it was asked, whatever the tier above it said.
    PeerPromises,
    /// A node waits for whatever is under way, also on behalf of a peer.
    PeerWaits,
    /// A peer's request goes on to a peer.
    PeerAcross,
    /// An edge answers its peers as it answers clients: with what is stale by an order, too.
    SoftToPeer,
}

/// A world to run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    pub broken: Option<Broken>,
}

/// What is counted, so that the model cannot go blind.
macro_rules! tallied {
    ($($name:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum What { $($name),* }

        impl What {
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

tallied!(
    // Steps.
    Arrives,
    Looks,
    Polls,
    Sends,
    GoesOn,
    Reaches,
    Returns,
    Appends,
    Finishes,
    Aborts,
    Changes,
    Publishes,
    Lifts,
    Reads,
    Acknowledges,
    Beats,
    Judges,
    Passes,
    Sweeps,
    Forgets,
    CutsSender,
    Squalls,
    Rifts,
    HealsSenders,
    Cuts,
    Heals,
    Restarts,
    Leaves,
    Starts,
    FailsOver,
    RestartsLog,
    Trims,
    Garbles,
    Fails,
    Departs,
    Regroups,
    Learns,
    Probes,
    Doubts,
    // Answers to clients.
    Hit,
    Marked,
    Filled,
    Fetched,
    Renewed,
    PastStore,
    OnError,
    Checked,
    HeldToOrder,
    // Outcomes.
    Joined,
    RetriedForOrder,
    RetriedElse,
    Detached,
    NotStored,
    StoredSoft,
    TierHit,
    TierWaited,
    TierFetched,
    TierCaughtUp,
    TierBehind,
    TierValidated,
    TierPast,
    TierForeign,
    TierLeast,
    TierWordNewer,
    TierWordOverruled,
    Unstorable,
    UnstorableTier,
    Unvouched,
    LeaseReturned,
    GapEpoch,
    GapTrimmed,
    GapBackwards,
    GapBroken,
    Evicted,
    Counted,
    CompletedOwed,
    Completed,
    Republished,
    Unanswered,
    LostAck,
    Malformed,
    // Rings, peers, and whoever comes anew.
    OwnerAnswered,
    NextOwner,
    Bypass,
    OriginAnswered,
    PeerAnswered,
    PeerHit,
    PeerMiss,
    PeerUnreachable,
    PeerRefused,
    PeerAlone,
    HotKept,
    NotKept,
    LetGo,
    LetGoDetached,
    TransientShared,
    InheritAsked,
    Inherited,
    InheritedAged,
    InheritRefused,
    InheritUnreachable,
    RingChanged,
    ViewDiffers,
    WordPassedOn,
    Breaks,
    Stray,
    Quiet,
);

#[derive(Clone, Debug)]
pub struct Tally(Vec<u64>);

impl Tally {
    pub fn new() -> Self {
        Self(vec![0; What::ALL.len()])
    }

    pub fn note(&mut self, what: What) {
        self.0[what as usize] += 1;
    }

    pub fn of(&self, what: What) -> u64 {
        self.0[what as usize]
    }

    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }
}

impl What {
    /// How a client's answer is told.
    pub fn said(self) -> &'static str {
        match self {
            Self::Hit => "answers from the store",
            Self::Marked => "answers what is stale and says so",
            Self::Filled => "answers who waited",
            Self::Fetched => "answers what it fetched",
            Self::Renewed => "answers what was renewed",
            Self::OnError => "answers what is stale for an error",
            _ => "answers past the store",
        }
    }
}
