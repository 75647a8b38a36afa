//! Why something happened: one vocabulary for `Cache-Status` details, metric labels and logs.
//!
//! Some of these are found by other crates (a body too large, a collapse that timed out) and live
//! here nevertheless, so that a reason is spelled in one place.

macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident => $token:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every reason, in declaration order: what a metric registers ahead of time.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable kebab-case token.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $token,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use reasons;

reasons! {
    /// Why a response is not stored.
    NoStoreReason {
        /// The method's results are not stored (RFC 9111 §3).
        Method => "method",
        /// The status is not final, or neither it nor the response allows storing.
        Status => "status",
        /// The request said `no-store`.
        RequestNoStore => "request-no-store",
        /// The response said `no-store`.
        ResponseNoStore => "response-no-store",
        /// The response is `private`.
        Private => "private",
        /// The request was authorized and the response gives no permission (RFC 9111 §3.5).
        Authorization => "authorization",
        /// `Vary: *`, one that cannot be understood, or one on a field that this cache writes itself.
        VaryStar => "vary-star",
        /// `Set-Cookie` without a permission meant for shared caches.
        SetCookie => "set-cookie",
        /// Nothing allows reuse and there is no validator to ask with.
        NoLifetime => "no-lifetime",
        /// `must-understand` with a status this cache does not know.
        MustUnderstand => "must-understand",
        /// A 206: parts are not put together.
        PartialContent => "partial-content",
        /// The body exceeds the largest object the store takes.
        TooLarge => "too-large",
        /// It has more tags than can be kept, and could not be purged by the rest.
        TooManyTags => "too-many-tags",
        /// The tier above does not vouch for it as far as was asked.
        Unvouched => "unvouched",
        /// Another node of the place owns the key, and keeps it.
        PeerOwns => "peer-owns",
        /// The body ended before its announced length.
        Truncated => "truncated",
        /// The connection was upgraded or tunnelled.
        Upgraded => "upgraded",
        /// An invalidation arrived while the response was under way.
        Purged => "purged",
        /// The URL has as many variants as are allowed.
        TooManyVariants => "too-many-variants",
        /// A site rule says so.
        Rule => "rule",
        /// The store has no room, or refused the object.
        NoRoom => "no-room",
    }
}

reasons! {
    /// Why nothing stored could be used.
    MissReason {
        /// Nothing is stored under this URL.
        UriMiss => "uri-miss",
        /// The URL is stored, but no variant for this request.
        VaryMiss => "vary-miss",
        /// What is stored has expired and could not be validated.
        Expired => "expired",
        /// What was stored has been purged.
        Purged => "purged",
        /// A ban covers what is stored.
        Banned => "banned",
        /// The stored part does not cover the requested range.
        PartialMiss => "partial-miss",
        /// The request insists on an answer from the origin.
        Request => "request",
        /// The stored object turned out unreadable.
        Damaged => "damaged",
    }
}

reasons! {
    /// Why a request went past the cache.
    PassReason {
        /// The method is not one the cache answers.
        Method => "method",
        /// The URL was found uncacheable a moment ago.
        HitForMiss => "hit-for-miss",
        /// The request carries credentials.
        Authorization => "authorization",
        /// An upgrade or tunnel.
        Upgrade => "upgrade",
        /// A range the cache does not cut itself.
        Range => "range",
        /// The request said `no-store`.
        RequestNoStore => "request-no-store",
        /// Waiting for another request's fill took too long.
        CollapseTimeout => "collapse-timeout",
        /// The shared fill failed and this request tries itself.
        CollapseFailed => "collapse-failed",
        /// A precondition only the origin can judge.
        Precondition => "precondition",
        /// This tier is behind on invalidations and bypasses its store.
        Behind => "behind",
        /// The request carries a body.
        RequestBody => "request-body",
        /// A site rule says so.
        Rule => "rule",
    }
}

reasons! {
    /// Why a stored response is not, or not simply, fresh.
    StaleReason {
        /// Its lifetime has passed.
        Expired => "expired",
        /// The response said `no-cache`.
        NoCache => "no-cache",
        /// The request said `no-cache`.
        RequestNoCache => "request-no-cache",
        /// It is older than the request's `max-age`.
        RequestMaxAge => "request-max-age",
        /// It will not stay fresh for the request's `min-fresh`.
        RequestMinFresh => "request-min-fresh",
        /// It was purged softly.
        Invalidated => "invalidated",
        /// The origin failed and stale-if-error applies.
        OriginError => "origin-error",
        /// The node lost the invalidation log and cannot vouch for it.
        LogLoss => "log-loss",
    }
}

#[cfg(test)]
mod tests;
