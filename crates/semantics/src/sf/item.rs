//! Items, parameters and inner lists of structured fields (RFC 9651 §4.2.3 and after).

use super::Member;

/// A bare item, told apart as far as anyone here cares.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Bare {
    Integer(i64),
    String(String),
    Token(String),
    Boolean(bool),
    /// A decimal, byte sequence, date or display string: well-formed, and never what is wanted.
    Other,
}

pub(super) struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|b| !accept(*b)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    pub(super) fn skip_sp(&mut self) {
        self.take_while(|b| b == b' ');
    }

    fn skip_ows(&mut self) {
        self.take_while(|b| b == b' ' || b == b'\t');
    }

    /// Moves to the next member, or to the end; a comma with nothing after it is a fault.
    pub(super) fn next_member(&mut self) -> Option<()> {
        self.skip_ows();
        if self.at_end() {
            return Some(());
        }
        if !self.eat(b',') {
            return None;
        }
        self.skip_ows();
        (!self.at_end()).then_some(())
    }

    pub(super) fn key(&mut self) -> Option<String> {
        if !matches!(self.peek()?, b'a'..=b'z' | b'*') {
            return None;
        }
        let key =
            self.take_while(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*'));
        ascii(key)
    }

    pub(super) fn member(&mut self) -> Option<Member> {
        let member = if self.eat(b'(') {
            self.inner_list()?;
            Member::InnerList
        } else {
            Member::Item(self.bare()?)
        };
        self.parameters()?;
        Some(member)
    }

    fn inner_list(&mut self) -> Option<()> {
        loop {
            self.skip_sp();
            if self.eat(b')') {
                return Some(());
            }
            self.bare()?;
            self.parameters()?;
            if !matches!(self.peek()?, b' ' | b')') {
                return None;
            }
        }
    }

    /// Parameters are checked and dropped: no field here defines any.
    pub(super) fn parameters(&mut self) -> Option<()> {
        while self.eat(b';') {
            self.skip_sp();
            self.key()?;
            if self.eat(b'=') {
                self.bare()?;
            }
        }
        Some(())
    }

    //= rfc9651#4.2.3.1
    fn bare(&mut self) -> Option<Bare> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'"' => self.string(),
            b'*' | b'a'..=b'z' | b'A'..=b'Z' => {
                let token = self.take_while(|b| is_tchar(b) || b == b':' || b == b'/');
                Some(Bare::Token(ascii(token)?))
            }
            b'?' => {
                self.next();
                match self.next()? {
                    b'0' => Some(Bare::Boolean(false)),
                    b'1' => Some(Bare::Boolean(true)),
                    _ => None,
                }
            }
            b':' => {
                self.next();
                self.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
                self.eat(b':').then_some(Bare::Other)
            }
            b'@' => {
                self.next();
                matches!(self.number()?, Bare::Integer(_)).then_some(Bare::Other)
            }
            b'%' => self.display_string(),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Bare> {
        let negative = self.eat(b'-');
        let digits = self.take_while(|b| b.is_ascii_digit());
        if self.eat(b'.') {
            let fraction = self.take_while(|b| b.is_ascii_digit());
            let fits = (1..=12).contains(&digits.len()) && (1..=3).contains(&fraction.len());
            return fits.then_some(Bare::Other);
        }
        if !(1..=15).contains(&digits.len()) {
            return None;
        }
        let value = digits.iter().fold(0i64, |value, d| value * 10 + i64::from(d - b'0'));
        Some(Bare::Integer(if negative { -value } else { value }))
    }

    fn string(&mut self) -> Option<Bare> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next()? {
                b'"' => return Some(Bare::String(text)),
                b'\\' => match self.next()? {
                    escaped @ (b'"' | b'\\') => text.push(char::from(escaped)),
                    _ => return None,
                },
                plain @ 0x20..=0x7e => text.push(char::from(plain)),
                _ => return None,
            }
        }
    }

    fn display_string(&mut self) -> Option<Bare> {
        self.next();
        if !self.eat(b'"') {
            return None;
        }
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(bytes).ok().map(|_| Bare::Other),
                b'%' => bytes.push(lower_hex(self.next()?)? << 4 | lower_hex(self.next()?)?),
                plain @ 0x20..=0x7e => bytes.push(plain),
                _ => return None,
            }
        }
    }
}

fn lower_hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

fn ascii(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// The characters of a token (RFC 9110 §5.6.2).
pub(crate) const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
