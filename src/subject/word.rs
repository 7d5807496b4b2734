//! What the software accumulators have in common: a state of one word, which arrivals alone change.

use crate::domain::evidence::Evidence;
use crate::domain::subject::{Subject, SubjectError, WordState};

/// A software accumulator, by where it keeps its word.
pub trait Word: WordState {
    /// What it is called.
    const NAME: &'static str;

    /// What this one is called: its kind, and what it was opened with.
    fn called(&self) -> &str {
        Self::NAME
    }

    /// All of its state.
    fn word(&mut self) -> &mut u64;
}

impl<W: Word> Subject for W {
    fn name(&self) -> &str {
        self.called()
    }

    fn evidence(&self) -> Evidence {
        Evidence::Software
    }

    fn longest_order(&self) -> u64 {
        u64::MAX
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        *self.word() = 0;
        Ok(())
    }

    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        let state = *self.word();
        *self.word() = self.after(state, arrivals);
        Ok(())
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        Ok(*self.word())
    }
}
