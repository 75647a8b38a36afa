//! Why a client is sent where it is, or nowhere.

/// Why a client is sent to a PoP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RedirectReason {
    /// It suits the client best.
    Nearest,
    /// The client asked for it.
    Override,
}

impl RedirectReason {
    /// A stable token for metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Override => "override",
        }
    }
}

/// Why a client is sent nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalReason {
    /// The host is none.
    BadHost,
    /// What is asked for is no path.
    BadTarget,
    /// No pool with a router serves the host.
    UnknownHost,
    /// The client would come back.
    Loop,
    /// No PoP is well.
    AllBad,
    /// There is no PoP that clients can be sent to.
    NoTarget,
}

impl RefusalReason {
    /// All of them, for metrics.
    pub const ALL: [Self; 6] = [
        Self::BadHost,
        Self::BadTarget,
        Self::UnknownHost,
        Self::Loop,
        Self::AllBad,
        Self::NoTarget,
    ];

    /// A stable token for metrics and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadHost => "bad-host",
            Self::BadTarget => "bad-target",
            Self::UnknownHost => "unknown-host",
            Self::Loop => "loop",
            Self::AllBad => "all-bad",
            Self::NoTarget => "no-target",
        }
    }

    /// The status of an answer that says so.
    //= rfc9110#15.5.20
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadHost | Self::BadTarget => 400,
            Self::UnknownHost => 421,
            Self::Loop => 508,
            Self::AllBad | Self::NoTarget => 503,
        }
    }

    /// A sentence for people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::BadHost => "the host is missing or is not a host",
            Self::BadTarget => "what is asked for is not a path",
            Self::UnknownHost => "this router does not serve the host",
            Self::Loop => "whoever is sent on from here would come back here",
            Self::AllBad => "no point of presence is well, come again later",
            Self::NoTarget => "no point of presence can be reached from here, come again later",
        }
    }
}
