//! Domain names as they stand in packets.

/// Bytes of a name at most, the last zero included.
pub const MAX_DOMAIN: usize = 255;

/// A domain name as it stands in a packet: labels, each behind its length, and a last one of length 0. Never
/// compressed, always whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    /// The name at the start of `bytes`; `None` if there is none, or one that is compressed.
    //= rfc1035#3.1
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        loop {
            match usize::from(*bytes.get(at)?) {
                0 => return (at < MAX_DOMAIN).then(|| Self(&bytes[..=at])),
                length @ 1..=63 => at += 1 + length,
                _ => return None,
            }
            if at >= MAX_DOMAIN {
                return None;
            }
        }
    }

    /// Its bytes, the last zero included.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// How many labels it has, without the last one of length 0.
    #[must_use]
    pub fn labels(self) -> usize {
        let mut rest = self;
        let mut count = 0;
        while let Some(parent) = rest.parent() {
            rest = parent;
            count += 1;
        }
        count
    }

    /// The name without its first label; `None` for the root.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let length = usize::from(*self.0.first()?);
        if length == 0 {
            return None;
        }
        self.0.get(1 + length..).map(Name)
    }

    /// The name in lower case, in `buffer`. Bytes of lengths are below all letters.
    //= rfc4343#3
    pub fn lower(self, buffer: &mut [u8; MAX_DOMAIN]) -> Name<'_> {
        let lower = &mut buffer[..self.0.len()];
        lower.copy_from_slice(self.0);
        lower.make_ascii_lowercase();
        Name(lower)
    }

    /// A domain name in text, `cdn.example.com`, as bytes of a packet; `None` if it cannot be one. The empty text
    /// is the root.
    #[must_use]
    pub fn encode(text: &str) -> Option<Box<[u8]>> {
        let mut bytes = Vec::with_capacity(text.len() + 2);
        for label in text.split('.').filter(|_| !text.is_empty()) {
            let length =
                u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
            bytes.push(length);
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
        (bytes.len() <= MAX_DOMAIN).then(|| bytes.into())
    }

    /// How many bytes a name takes at `at`, when its content does not matter. A pointer ends it and must lead to an
    /// earlier place behind the head, so no name can lead to itself.
    //= rfc1035#4.1.4
    pub(super) fn skip(packet: &[u8], at: usize) -> Option<usize> {
        let mut end = at;
        loop {
            match usize::from(*packet.get(end)?) {
                0 => return (end - at < MAX_DOMAIN).then_some(end + 1 - at),
                length @ 1..=63 => end += 1 + length,
                high @ 0xC0.. => {
                    let target = (high & 0x3F) << 8 | usize::from(*packet.get(end + 1)?);
                    return (12..at).contains(&target).then_some(end + 2 - at);
                }
                _ => return None,
            }
            if end - at >= MAX_DOMAIN {
                return None;
            }
        }
    }
}
