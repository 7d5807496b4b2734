//! Letters: what a keystroke types into a text, each told from all others of its text.
//!
//! A judge of texts must know which keystroke a letter that is shown comes from. So no text has a letter twice: the second "l"
//! that users type carries an invisible mark, a variation selector of Unicode (U+E0100 to U+E01EF), the third another one. Engines
//! store and show such a letter as two code points in a row.

use serde::{Deserialize, Serialize};

/// The first of the marks, and how many there are.
const FIRST_MARK: u32 = 0xE0100;
const MARKS: u32 = 240;

/// What users of a drawn world type first.
const FIRST_LETTERS: &str = "abcdefghijklmnopqrstuvwxyz \u{5d0}\u{5d1}\u{5d2}\u{627}\u{628}\u{62a}\u{301}\u{308}\u{327}\u{1f600}\
    \u{1f469}\u{200d}\u{1f680}\u{fe0f}\u{1d11e}\u{e9}\u{df}\u{fb01}\u{202e}\u{feff}\n\t\"\\'<&%+:{}";

/// The ideographs that follow.
const FIRST_IDEOGRAPH: u32 = 0x4E00;
const IDEOGRAPHS: u64 = 20_000;

/// Where the number of a copy begins in a letter.
const COPY: u32 = 21;

/// One letter: a code point, and which of its copies it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Letter(u32);

/// A number that is no letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is the number of no letter")]
pub struct NoLetter(u32);

impl TryFrom<u32> for Letter {
    type Error = NoLetter;

    fn try_from(number: u32) -> Result<Self, NoLetter> {
        let letter = Letter(number);
        let is_letter = char::from_u32(number & ((1 << COPY) - 1)).is_some() && letter.copy() <= MARKS;
        if is_letter { Ok(letter) } else { Err(NoLetter(number)) }
    }
}

impl From<Letter> for u32 {
    fn from(letter: Letter) -> u32 {
        letter.0
    }
}

impl From<char> for Letter {
    fn from(code_point: char) -> Self {
        Letter(code_point.into())
    }
}

impl Letter {
    /// How often a text can have one code point.
    pub const MOST_COPIES: u32 = MARKS + 1;

    /// The code point.
    pub fn code_point(self) -> char {
        char::from_u32(self.0 & ((1 << COPY) - 1)).expect("a letter is a code point")
    }

    /// Which of the letters with its code point it is, from 0.
    pub fn copy(self) -> u32 {
        self.0 >> COPY
    }

    /// Another letter with the same code point; nothing where there are no more.
    pub fn copied(self, copy: u32) -> Option<Self> {
        (copy <= MARKS).then(|| Letter(u32::from(self.code_point()) | copy << COPY))
    }

    /// Whether it is a mark without a letter before it, which would be read as that of the letter before it.
    pub fn is_mark(self) -> bool {
        (FIRST_MARK..FIRST_MARK + MARKS).contains(&self.code_point().into())
    }

    /// The letter of this number, of those that users of a drawn world type: first small ones, then what engines have trouble
    /// with (right to left, combining, beyond 16 bits, what must be quoted), then the ideographs of Unicode, then their copies.
    pub fn numbered(number: u64) -> Self {
        let first = FIRST_LETTERS.chars().count() as u64;
        let (copy, number) = (number / (first + IDEOGRAPHS), number % (first + IDEOGRAPHS));
        let code_point = match number.checked_sub(first) {
            None => FIRST_LETTERS.chars().nth(number as usize),
            Some(number) => char::from_u32(FIRST_IDEOGRAPH + number as u32),
        };
        let letter = Letter::from(code_point.expect("there are so many"));
        letter.copied(copy.min(MARKS.into()) as u32).expect("there are so many copies")
    }

    /// The code points that stand for it: one, or two where it carries a mark.
    pub fn code_points(self) -> impl Iterator<Item = char> {
        let mark = self.copy().checked_sub(1).and_then(|mark| char::from_u32(FIRST_MARK + mark));
        std::iter::once(self.code_point()).chain(mark)
    }

    /// The letters of a text.
    pub fn all_of(text: &str) -> Vec<Letter> {
        let mut letters: Vec<Letter> = Vec::new();
        for code_point in text.chars() {
            let copy = u32::from(code_point).checked_sub(FIRST_MARK).filter(|&mark| mark < MARKS).map(|mark| mark + 1);
            let marked = letters.last_mut().filter(|last| last.copy() == 0).zip(copy);
            match marked.and_then(|(last, copy)| Some((last.copied(copy)?, last))) {
                Some((copied, last)) => *last = copied,
                None => letters.push(Letter::from(code_point)),
            }
        }
        letters
    }

    /// Letters as a text, marks included.
    pub fn text(letters: &[Letter]) -> String {
        letters.iter().flat_map(|letter| letter.code_points()).collect()
    }

    /// Letters as people read them: without marks.
    pub fn read(letters: &[Letter]) -> String {
        letters.iter().map(|letter| letter.code_point()).collect()
    }
}

impl std::fmt::Display for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}'", self.code_point().escape_debug())?;
        if self.copy() > 0 { write!(f, " number {}", self.copy() + 1) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_letter_is_read_back_from_its_number_and_any_text_from_its_letters(
            text in any::<String>(),
            copy in 0..=MARKS,
        ) {
            let letters: Vec<Letter> = text
                .chars()
                .filter(|&code_point| !(FIRST_MARK..FIRST_MARK + MARKS).contains(&u32::from(code_point)))
                .filter_map(|code_point| Letter::from(code_point).copied(copy))
                .collect();
            prop_assert_eq!(Letter::all_of(&Letter::text(&letters)), &*letters);
            for letter in letters {
                prop_assert_eq!(Letter::try_from(u32::from(letter)), Ok(letter));
            }
        }

        #[test]
        fn any_text_is_that_of_its_letters(text in any::<String>()) {
            prop_assert_eq!(Letter::text(&Letter::all_of(&text)), text);
        }
    }

    #[test]
    fn a_second_letter_of_a_code_point_carries_a_mark_that_nobody_sees() {
        let [first, second] = [0, 1].map(|copy| Letter::from('l').copied(copy).expect("there are more"));
        assert_eq!(Letter::text(&[first, second]), "ll\u{E0100}");
        assert_eq!(Letter::all_of("ll\u{E0100}"), [first, second]);
        assert_eq!(Letter::read(&[first, second]), "ll");
        assert_eq!([first, second].map(|letter| letter.to_string()), ["'l'", "'l' number 2"]);
        assert_eq!(Letter::from('l').copied(Letter::MOST_COPIES), None);
        assert_eq!(Letter::try_from(0xD800), Err(NoLetter(0xD800)), "half a code point is no letter");
    }
}
