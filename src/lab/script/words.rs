//! What users of a script type: which letters, and at which place of what their device shows.

use std::collections::BTreeSet;

use crate::domain::data::{Intent, View};
use crate::domain::history::{Fate, UserEdit};
use crate::domain::letter::Letter;
use crate::domain::script::Words;
use crate::engine::host::NodeId;
use crate::lab::World;

/// The letters that were typed so far, each with its register: no text has one twice.
#[derive(Default)]
pub(super) struct Typed(BTreeSet<(u32, Letter)>);

impl Typed {
    /// This letter, or its first copy that nobody has typed. Where there is none, nobody can tell the two apart: steps have not so
    /// many.
    fn next(&mut self, register: u32, letter: Letter) -> Letter {
        let copies = (letter.copy()..).map_while(|copy| letter.copied(copy));
        let free = copies.into_iter().find(|&copied| self.0.insert((register, copied)));
        free.unwrap_or(letter)
    }

    /// What stands for an intent of a user.
    pub(super) fn intent(&mut self, register: u32, written: Intent) -> Intent {
        match written {
            Intent::Type { after, letter } => Intent::Type { after, letter: self.next(register, letter) },
            _ => written,
        }
    }

    /// The keystrokes of a user who is shown this.
    fn keystrokes(&mut self, register: u32, words: &Words, shown: &[Letter]) -> Vec<Intent> {
        let piece = match words {
            Words::Erase(piece) | Words::Type { after: Some(piece), .. } => Letter::all_of(piece),
            Words::Type { after: None, .. } => Vec::new(),
        };
        let found = found(&piece, shown).unwrap_or(&[]);
        let mut after = match words {
            Words::Erase(_) => return found.iter().map(|&letter| Intent::Erase(letter)).collect(),
            Words::Type { after: None, .. } => shown.last().copied(),
            Words::Type { .. } => found.last().copied(),
        };
        let mut keystroke = |letter| {
            let letter = self.next(register, letter);
            Intent::Type { after: after.replace(letter), letter }
        };
        words.letters().into_iter().map(&mut keystroke).collect()
    }
}

/// The first place where a piece of text is shown, whichever copies its letters are.
fn found<'a>(piece: &[Letter], shown: &'a [Letter]) -> Option<&'a [Letter]> {
    let is_found = |at: &&[Letter]| at.iter().zip(piece).all(|(one, other)| one.code_point() == other.code_point());
    (!piece.is_empty()).then(|| shown.windows(piece.len()).find(is_found))?
}

impl World<'_> {
    /// What a user does to a text now.
    pub(super) fn keystrokes(&mut self, node: NodeId, register: u32, words: &Words) -> Vec<UserEdit> {
        let shown = self.devices[node as usize].replica().map(|replica| replica.shows()).unwrap_or_default();
        let shown = shown.get(register as usize).and_then(View::letters).unwrap_or(&[]);
        let Some(script) = &mut self.script else { return Vec::new() };
        let intents = script.typed.keystrokes(register, words, shown);
        let edit = |intent| UserEdit { at: self.now, register, intent, fate: Fate::Binding };
        intents.into_iter().map(edit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, after: Option<&str>) -> Words {
        Words::Type { text: text.to_owned(), after: after.map(str::to_owned) }
    }

    /// What a device shows after words, if it showed this before.
    fn after(shown: &str, words: &[Words]) -> String {
        let (mut letters, mut all) = (Vec::new(), Typed::default());
        for words in [&[typed(shown, None)], words].concat() {
            let keystrokes = all.keystrokes(0, &words, &letters);
            keystrokes.into_iter().for_each(|intent| _ = crate::data::text::apply(&mut letters, intent));
        }
        let distinct: BTreeSet<Letter> = letters.iter().copied().collect();
        assert_eq!(distinct.len(), letters.len(), "no letter is typed twice");
        Letter::read(&letters)
    }

    #[test]
    fn words_come_after_a_piece_of_what_is_shown_at_the_end_or_at_the_beginning() {
        assert_eq!(after("hello", &[typed(" all", None)]), "hello all");
        assert_eq!(after("hello", &[typed("ll", Some("hell"))]), "hellllo");
        assert_eq!(after("hello", &[typed("oh ", Some("")), typed("?!", Some("nowhere"))]), "?!oh hello");
        assert_eq!(after("a a", &[typed("b", Some("a"))]), "ab a", "the first place counts");
        assert_eq!(after("", &[typed("", None)]), "");
    }

    #[test]
    fn words_that_are_erased_go_where_they_are_shown_first_and_nothing_else_goes() {
        assert_eq!(after("to be or not to be", &[Words::Erase("be".to_owned())]), "to  or not to be");
        assert_eq!(after("to be", &[Words::Erase("bee".to_owned()), Words::Erase(String::new())]), "to be");
    }
}
