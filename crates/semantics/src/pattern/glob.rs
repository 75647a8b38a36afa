//! Globs, matched by following all the ways through the pattern at once: one bit for each place in
//! it, one pass over the text, nothing to go back to.

use smallvec::SmallVec;

use super::{BadPattern, MAX_WILDCARDS};

/// A compiled glob: a literal head, a literal tail, and what is between.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    head: Box<[u8]>,
    tail: Box<[u8]>,
    middle: Option<Box<Middle>>,
}

/// From the first wildcard to the last. Place `i` is where the first `i` elements are matched.
#[derive(Clone, Debug)]
struct Middle {
    /// Bytes that the pattern tells apart.
    class: [u8; 256],
    /// For each class, where the element after a place takes its bytes: `words` words a class.
    takes: Box<[u64]>,
    /// Places where a star stands: any byte may pass, or any but a slash.
    any: Box<[u64]>,
    within: Box<[u64]>,
    words: usize,
    /// The last place.
    end: usize,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Star,
    /// `**`
    Stars,
}

type Places = SmallVec<[u64; 4]>;

impl Glob {
    pub(super) fn compile(text: &[u8]) -> Result<Self, BadPattern> {
        let tokens = parse(text)?;
        let literal = |token: &Token| matches!(token, Token::Byte(_));
        let bytes = |tokens: &[Token]| tokens.iter().filter_map(byte_of).collect();
        let Some(first) = tokens.iter().position(|token| !literal(token)) else {
            return Ok(Self { head: bytes(&tokens), tail: Box::default(), middle: None });
        };
        let last = tokens.iter().rposition(|token| !literal(token)).unwrap_or(first);
        Ok(Self {
            head: bytes(&tokens[..first]),
            tail: bytes(&tokens[last + 1..]),
            middle: Some(Box::new(Middle::new(&tokens[first..=last]))),
        })
    }

    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let Some(middle) = &self.middle else {
            return text == &*self.head;
        };
        let rest = text.strip_prefix(&*self.head).and_then(|rest| rest.strip_suffix(&*self.tail));
        rest.is_some_and(|rest| middle.run(rest).0)
    }

    /// Words looked at while matching.
    #[cfg(test)]
    pub(super) fn steps(&self, text: &[u8]) -> usize {
        self.middle.as_ref().map_or(0, |middle| middle.run(text).1)
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let words = |middle: &Middle| middle.takes.len() + middle.any.len() + middle.within.len();
        let middle = self.middle.as_ref().map_or(0, |m| size_of::<Middle>() + 8 * words(m));
        self.head.len() + self.tail.len() + middle
    }
}

impl Middle {
    fn new(tokens: &[Token]) -> Self {
        let end = tokens.iter().filter(|t| !matches!(t, Token::Star | Token::Stars)).count();
        let words = end / 64 + 1;
        // Class 0: whatever the pattern does not name; 1: the slash, which no `?` takes.
        let mut class = [0; 256];
        class[usize::from(b'/')] = 1;
        let mut classes = 2;
        for byte in tokens.iter().filter_map(byte_of) {
            let class = &mut class[usize::from(byte)];
            if *class == 0 {
                // Text has no more than 243 different bytes, so that the number cannot overflow.
                *class = u8::try_from(classes).unwrap_or(u8::MAX);
                classes += 1;
            }
        }
        let mut middle = Self {
            class,
            takes: vec![0; classes * words].into(),
            any: vec![0; words].into(),
            within: vec![0; words].into(),
            words,
            end,
        };
        middle.place(tokens, classes);
        middle
    }

    fn place(&mut self, tokens: &[Token], classes: usize) {
        let mut place = 0;
        for token in tokens {
            let (word, bit) = (place / 64, 1u64 << (place % 64));
            match token {
                Token::Stars => self.any[word] |= bit,
                Token::Star => self.within[word] |= bit,
                Token::Byte(byte) => {
                    let class = usize::from(self.class[usize::from(*byte)]);
                    self.takes[class * self.words + word] |= bit;
                    place += 1;
                }
                Token::One => {
                    for class in (0..classes).filter(|class| *class != 1) {
                        self.takes[class * self.words + word] |= bit;
                    }
                    place += 1;
                }
            }
        }
    }

    /// Whether a text matches, and how many words that took.
    fn run(&self, text: &[u8]) -> (bool, usize) {
        let mut places: Places = smallvec::smallvec![0; self.words];
        places[0] = 1;
        let (end_word, end_bit) = (self.end / 64, 1u64 << (self.end % 64));
        let open_end = self.any[end_word] & end_bit != 0;
        let mut steps = 0;
        for &byte in text {
            if open_end && places[end_word] & end_bit != 0 {
                return (true, steps);
            }
            let class = usize::from(self.class[usize::from(byte)]);
            let takes = &self.takes[class * self.words..][..self.words];
            let (mut carry, mut alive) = (0, 0);
            for (word, place) in places.iter_mut().enumerate() {
                let stay = self.any[word] | if byte == b'/' { 0 } else { self.within[word] };
                let taken = *place & takes[word];
                *place = (taken << 1) | carry | (*place & stay);
                carry = taken >> 63;
                alive |= *place;
            }
            steps += self.words;
            if alive == 0 {
                return (false, steps);
            }
        }
        (places[end_word] & end_bit != 0, steps)
    }
}

fn byte_of(token: &Token) -> Option<u8> {
    match token {
        Token::Byte(byte) => Some(*byte),
        _ => None,
    }
}

fn parse(text: &[u8]) -> Result<Vec<Token>, BadPattern> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut wildcards = 0;
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let token = match byte {
            b'\\' => {
                let lone = || BadPattern::Syntax("a backslash with nothing after it".to_owned());
                let (&next, after) = rest.split_first().ok_or_else(lone)?;
                rest = after;
                Token::Byte(next)
            }
            b'?' => Token::One,
            b'*' => {
                let more = rest.iter().take_while(|b| **b == b'*').count();
                rest = &rest[more..];
                if more == 0 { Token::Star } else { Token::Stars }
            }
            _ => Token::Byte(byte),
        };
        wildcards += usize::from(!matches!(token, Token::Byte(_)));
        tokens.push(token);
    }
    if wildcards > MAX_WILDCARDS {
        return Err(BadPattern::TooManyWildcards);
    }
    Ok(tokens)
}
