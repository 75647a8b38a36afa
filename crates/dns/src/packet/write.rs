//! Answers, written into a buffer of the caller's.

use super::{CLASS_IN, Edns, Head, MAX_UDP, Question, Rcode, rtype};

const HEAD: usize = 12;
/// Where the question's name stands: right behind the head.
const QUESTION: usize = HEAD;
const RESPONSE: u8 = 0x80;
const AUTHORITATIVE: u8 = 0x04;
const TRUNCATED: u8 = 0x02;

/// There is no room left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer does not fit")]
pub struct Full;

/// The sections behind the question, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What was asked for.
    Answer = 6,
    /// Who says so.
    Authority = 8,
    /// What helps besides.
    Additional = 10,
}

/// Writes one answer. A record is there as a whole or not at all.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut [u8],
    at: usize,
    /// No record goes beyond this.
    limit: usize,
    /// Held back for the last record.
    held: usize,
    /// Where the sections begin.
    start: usize,
}

impl<'b> Writer<'b> {
    /// An answer with the head and the question, of `limit` bytes at most.
    ///
    /// # Errors
    /// `out` or `limit` has no room even for these.
    pub fn new(
        out: &'b mut [u8],
        limit: usize,
        head: Head,
        question: Option<&Question<'_>>,
    ) -> Result<Self, Full> {
        let limit = limit.min(out.len());
        let mut writer = Self { out, at: 0, limit, held: 0, start: 0 };
        writer.put(&head.id.to_be_bytes())?;
        let flags = RESPONSE | head.opcode << 3 | u8::from(head.recursion_desired);
        writer.put(&[flags, u8::from(head.checking_disabled) << 4])?;
        writer.put(&[0, u8::from(question.is_some()), 0, 0, 0, 0, 0, 0])?;
        if let Some(question) = question {
            //= rfc1035#4.1.2
            // As it came, with the case of its letters: some resolvers tell forgers by it.
            writer.put(question.name.bytes())?;
            writer.put(&question.qtype.to_be_bytes())?;
            writer.put(&question.class.to_be_bytes())?;
        }
        writer.start = writer.at;
        Ok(writer)
    }

    /// The answer is given with authority.
    pub fn authoritative(&mut self) {
        self.out[2] |= AUTHORITATIVE;
    }

    /// Holds `bytes` back from records, for the OPT record that comes last.
    pub fn reserve(&mut self, bytes: usize) {
        self.held = bytes;
    }

    /// A record. Its owner is the end of the question's name, from its byte `owner` on, `data` is as it stands in a
    /// packet.
    ///
    /// # Errors
    /// It does not fit. Nothing of it is there then.
    //= rfc1035#4.1.3
    pub fn record(
        &mut self,
        section: Section,
        owner: usize,
        rtype: u16,
        ttl: u32,
        data: &[u8],
    ) -> Result<(), Full> {
        let pointer = 0xC000 | u16::try_from(QUESTION + owner).map_err(|_| Full)? & 0x3FFF;
        self.record_of(section, &pointer.to_be_bytes(), rtype, ttl, data)
    }

    /// A record whose owner stands in `owner` as in a packet.
    ///
    /// # Errors
    /// It does not fit. Nothing of it is there then.
    pub fn record_of(
        &mut self,
        section: Section,
        owner: &[u8],
        rtype: u16,
        ttl: u32,
        data: &[u8],
    ) -> Result<(), Full> {
        let length = u16::try_from(data.len()).map_err(|_| Full)?;
        let whole = owner.len() + 10 + data.len();
        if self.at + whole + self.held > self.limit {
            return Err(Full);
        }
        self.put(owner)?;
        self.put(&rtype.to_be_bytes())?;
        self.put(&CLASS_IN.to_be_bytes())?;
        self.put(&ttl.to_be_bytes())?;
        self.put(&length.to_be_bytes())?;
        self.put(data)?;
        self.count(section);
        Ok(())
    }

    /// Takes back all records and says that there are more than fit, so that the client asks by TCP.
    //= rfc2181#9
    pub fn truncate(&mut self) {
        self.at = self.start;
        self.out[2] |= TRUNCATED;
        self.out[6..HEAD].fill(0);
    }

    /// Bytes of the OPT record that answers `edns`.
    pub fn opt_length(edns: &Edns) -> usize {
        11 + edns.subnet.map_or(0, |subnet| 8 + subnet.octets())
    }

    /// The OPT record, with the client's subnet if it sent one and the `scope` that the answer depends on.
    ///
    /// # Errors
    /// It does not fit.
    //= rfc6891#7
    pub fn opt(&mut self, rcode: Rcode, edns: Option<&Edns>, scope: u8) -> Result<(), Full> {
        let subnet = edns.and_then(|edns| edns.subnet);
        let data = subnet.map_or(0, |subnet| 8 + subnet.octets());
        if self.at + 11 + data > self.limit {
            return Err(Full);
        }
        self.put(&[0])?;
        self.put(&rtype::OPT.to_be_bytes())?;
        self.put(&(MAX_UDP as u16).to_be_bytes())?;
        let flags = if edns.is_some_and(|edns| edns.dnssec_ok) { 0x80 } else { 0 };
        self.put(&[(rcode.number() >> 4) as u8, 0, flags, 0])?;
        self.put(&(data as u16).to_be_bytes())?;
        if let Some(subnet) = subnet {
            //= rfc7871#7.2.1
            self.put(&[0, 8])?;
            self.put(&(data as u16 - 4).to_be_bytes())?;
            self.put(&subnet.family.to_be_bytes())?;
            self.put(&[subnet.source, scope])?;
            self.put(&subnet.address[..subnet.octets()])?;
        }
        self.count(Section::Additional);
        Ok(())
    }

    /// Ends the answer and says how many bytes it has.
    #[must_use]
    pub fn finish(self, rcode: Rcode) -> usize {
        self.out[3] |= (rcode.number() & 0x0F) as u8;
        self.at
    }

    fn count(&mut self, section: Section) {
        let at = section as usize;
        let count = u16::from_be_bytes([self.out[at], self.out[at + 1]]).saturating_add(1);
        self.out[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.at + bytes.len();
        if end > self.limit {
            return Err(Full);
        }
        self.out[self.at..end].copy_from_slice(bytes);
        self.at = end;
        Ok(())
    }
}
