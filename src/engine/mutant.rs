//! Mutants of engines: mistakes that are planted one at a time, to see which scenarios and which judges find them.
//!
//! A mutant lies in the folder of its engine, as a flag that the engine asks for where its code differs. That place marks
//! the mutant as reached: a scenario in which no such place is executed says nothing of the mutant.

use std::cell::Cell;

use crate::domain::data::{DataType, View};

/// A mutant of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its name.
    pub name: &'static str,
    /// What is wrong, in a line.
    pub about: &'static str,
    /// Why no crash walk can show it, where none can.
    pub not_in_walks: Option<&'static str>,
    /// The data type that it is of; nothing if it is wrong whatever users edit.
    pub data: Option<DataType>,
}

impl Mutant {
    /// The mutants of a table, with those that no walk can show and why.
    pub fn of_table<M: Copy + PartialEq>(
        table: &[(M, &'static str, &'static str)],
        not_in_walks: &[(M, &'static str)],
    ) -> Vec<Mutant> {
        let why = |mutant: M| not_in_walks.iter().find(|(of, _)| *of == mutant).map(|&(_, why)| why);
        table
            .iter()
            .map(|&(mutant, name, about)| Mutant { name, about, not_in_walks: why(mutant), data: None })
            .collect()
    }
}

thread_local! {
    /// Whether the code of a mutant was executed on this thread. A world or a walk stays on one thread.
    static REACHED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this mutant is planted. If it is, its code is executed now: it is reached.
pub fn reaches<M: PartialEq>(planted: Option<M>, mutant: M) -> bool {
    let is_planted = planted == Some(mutant);
    if is_planted {
        REACHED.set(true);
    }
    is_planted
}

/// Does some work on this thread, and tells whether the code of a mutant was executed in it.
pub fn reached_in<T>(work: impl FnOnce() -> T) -> (T, bool) {
    let before = REACHED.replace(false);
    let done = work();
    let reached = REACHED.replace(before);
    REACHED.set(before || reached);
    (done, reached)
}

/// What is shown where counters stop at the limits of 64 bits, and do not wrap: the mistake of a mutant. What is not a
/// counter is shown as it is.
pub fn clamped(shows: Vec<View>, start: i64) -> Vec<View> {
    let clamp = |view| match view {
        View::Counter(number) => View::Counter(start.saturating_add(number.wrapping_sub(start))),
        other => other,
    };
    shows.into_iter().map(clamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_is_reached_where_its_code_is_executed_and_nowhere_else() {
        assert_eq!(reached_in(|| reaches(Some(1), 2)), (false, false));
        assert_eq!(reached_in(|| reaches(None, 1)), (false, false));
        assert_eq!(reached_in(|| reaches(Some(1), 1)), (true, true));
        // What is reached within is reached around it, and not after it.
        assert_eq!(reached_in(|| reached_in(|| reaches(Some(1), 1)).1), (true, true));
        assert!(!reached_in(|| ()).1);
    }
}
