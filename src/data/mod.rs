//! Data types: what an intent does to a view, and which views are right, given what users did and had seen.
//!
//! A new data type is one file here, a word in [`crate::domain::data`], and a match arm in [`apply`] that the compiler asks
//! for. Engines that replay intents use [`apply`]; judges use the specification of each type.
//!
//! Knows: the ledger. Must not: know engines, messages or the world.

pub mod counter;
pub mod tags;

use crate::domain::data::{Intent, View};

/// Does what a user intends to a view. An intent of another data type changes nothing; gives whether the view changed.
pub fn apply(view: &mut View, intent: Intent) -> bool {
    match view {
        View::Counter(number) => counter::apply(number, intent),
        View::Tags(elements) => tags::apply(elements, intent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_changes_a_view_of_its_own_data_type_alone() {
        let all = [Intent::Increase(7), Intent::Insert(3), Intent::Remove(4)];
        let after = |view: View| {
            all.map(|intent| {
                let mut view = view.clone();
                (apply(&mut view, intent), view.to_string())
            })
        };
        let told = |changed: bool, view: &str| (changed, view.to_owned());
        assert_eq!(
            after(View::Counter(i64::MAX)),
            [
                told(true, "-9223372036854775802"),
                told(false, "9223372036854775807"),
                told(false, "9223372036854775807")
            ]
        );
        assert_eq!(after(View::Tags([4].into())), [told(false, "{4}"), told(true, "{3, 4}"), told(true, "{}")]);
    }
}
