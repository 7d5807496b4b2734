//! Texts: what the specification refuses.

use super::*;
use crate::domain::data::View;
use crate::domain::history::{Had, Sighting, UserEdit};
use Fate::{Binding, Unshared};
use Runs::{BothWays, Forward, Mixed};

/// Edits of two devices: which device, how many edits of each it may have, what it showed, and what it did.
type Row<'a> = (usize, [u32; 2], &'a str, Intent);

fn letters(text: &str) -> Vec<Letter> {
    Letter::all_of(text)
}

fn typed(after: &str, letter: char) -> Intent {
    Intent::Type { after: letters(after).first().copied(), letter: letter.into() }
}

fn erase(letter: char) -> Intent {
    Intent::Erase(letter.into())
}

fn said_of(view: &str, rows: &[(Row<'_>, Fate)], runs: Runs) -> Vec<String> {
    let sightings: Vec<Sighting> = rows
        .iter()
        .map(|((_, may_have, shown, _), _)| Sighting {
            shown: View::Text(letters(shown)),
            had: Had::upto(may_have, [].into()),
            may_have: may_have.as_slice().into(),
            wall: 0,
        })
        .collect();
    let mut numbers = [0; 2];
    let mut edits = Vec::new();
    for (&((device, _, _, intent), fate), sighting) in rows.iter().zip(&sightings) {
        let edit = UserEdit { at: 0, register: 0, intent, fate };
        edits.push(Edited { device, number: numbers[device], edit, sighting });
        numbers[device] += 1;
    }
    wrong(&letters(view), &edits, runs, Fate::is_unshared).iter().map(Wrong::to_string).collect()
}

fn said(view: &str, rows: &[Row<'_>], runs: Runs) -> Vec<String> {
    said_of(view, &rows.iter().map(|&row| (row, Binding)).collect::<Vec<_>>(), runs)
}

const NOTHING: [&str; 0] = [];

#[test]
fn every_letter_is_shown_once_unless_somebody_erased_it() {
    let rows = [(0, [0, 0], "", typed("", 'a')), (0, [1, 0], "a", typed("a", 'b'))];
    assert_eq!(said("ab", &rows, BothWays), NOTHING);
    assert_eq!(said("b", &rows, BothWays), ["'a' is gone, and nobody erased it"]);
    assert_eq!(said("aab", &rows, BothWays), ["'a' is shown twice, and was typed once"]);
    assert_eq!(said("axb", &rows, BothWays), ["'x' is shown, and nobody typed it"]);
    let erased = [rows[0], rows[1], (1, [2, 0], "ab", erase('a'))];
    assert_eq!(said("b", &erased, BothWays), NOTHING);
    assert_eq!(said("ab", &erased, BothWays), ["'a' is back, and somebody who had seen it erased it"]);
    let unshown = [rows[0], rows[1], (1, [0, 0], "", erase('a'))];
    assert_eq!(said("b", &unshown, BothWays), ["'a' is gone, and nobody erased it"], "what is not shown nobody erases");
}

#[test]
fn an_edit_that_no_engine_can_be_asked_to_have_may_be_missing() {
    let rows = [((0, [0, 0], "", typed("", 'a')), Unshared), ((1, [1, 0], "a", erase('a')), Unshared)];
    assert_eq!([said_of("a", &rows, BothWays), said_of("", &rows[..1], BothWays)], [NOTHING, NOTHING]);
    assert_eq!(said_of("b", &rows, BothWays), ["'b' is shown, and nobody typed it"]);
}

#[test]
fn what_stood_before_another_letter_where_a_user_typed_stays_before_it() {
    let rows = [(0, [0, 0], "", typed("", 'a')), (0, [1, 0], "a", typed("a", 'c')), (1, [2, 0], "ac", typed("a", 'b'))];
    assert_eq!(said("abc", &rows, Mixed), NOTHING);
    assert_eq!(said("acb", &rows, Mixed), ["'c' stands before 'b', and a user saw them the other way round"]);
    assert_eq!(said("bac", &rows, Mixed), ["'b' stands before 'a', and a user saw them the other way round"]);
    // Whoever types after what is not shown types at the beginning.
    let at_the_beginning = [rows[0], (1, [1, 0], "a", typed("z", 'b'))];
    assert_eq!(said("ba", &at_the_beginning, Mixed), NOTHING);
    assert_eq!(said("ab", &at_the_beginning, Mixed).len(), 1);
}

#[test]
fn runs_that_were_typed_forward_at_the_same_time_are_not_mixed_where_the_engine_declares_so() {
    let rows = [
        (0, [0, 0], "", typed("", 'a')),
        (0, [1, 0], "a", typed("a", 'b')),
        (1, [0, 0], "", typed("", 'x')),
        (1, [0, 1], "x", typed("x", 'y')),
    ];
    for runs in [BothWays, Forward] {
        assert_eq!([said("abxy", &rows, runs), said("xyab", &rows, runs)], [NOTHING, NOTHING]);
        for view in ["axby", "axyb", "xaby"] {
            let told = said(view, &rows, runs);
            assert!(told.len() == 1 && told[0].starts_with("two runs that were typed at the same time"), "{told:?}");
        }
    }
    assert_eq!(said("axby", &rows, Mixed), NOTHING);
    // A user who saw the run, or may have, types into it.
    for may_have in [[2, 0], [1, 0]] {
        let seen = [rows[0], rows[1], (1, may_have, "ab", typed("a", 'x')), (1, [2, 1], "axb", typed("x", 'y'))];
        assert_eq!(said("axyb", &seen, BothWays), NOTHING);
    }
}

#[test]
fn a_run_that_is_typed_backward_stays_whole_where_the_engine_declares_both_ways() {
    let rows = [
        (0, [0, 0], "", typed("", 'b')),
        (0, [1, 0], "b", typed("", 'a')),
        (1, [0, 0], "", typed("", 'y')),
        (1, [0, 1], "y", typed("", 'x')),
    ];
    assert_eq!([said("abxy", &rows, BothWays), said("xyab", &rows, BothWays)], [NOTHING, NOTHING]);
    assert_eq!(said("axby", &rows, BothWays).len(), 1);
    assert_eq!([said("axby", &rows, Forward), said("axby", &rows, Mixed)], [NOTHING, NOTHING]);
}

#[test]
fn a_run_ends_where_something_else_came_to_the_text_or_its_last_letter_was_erased() {
    // Between 'b' and 'a' of device 0, 'r' of device 1 came.
    let came = [
        (0, [0, 0], "", typed("", 'b')),
        (0, [1, 1], "rb", typed("", 'a')),
        (1, [0, 0], "", typed("", 'r')),
        (1, [0, 1], "r", typed("", 'q')),
    ];
    assert_eq!(said("aqrb", &came, BothWays), NOTHING);
    let erased = [
        (0, [0, 0], "", typed("", 'b')),
        (0, [1, 0], "b", erase('b')),
        (0, [2, 0], "", typed("", 'a')),
        (1, [0, 0], "", typed("", 'y')),
        (1, [0, 1], "y", typed("y", 'z')),
    ];
    assert_eq!([said("ayz", &erased, BothWays), said("yza", &erased, BothWays)], [NOTHING, NOTHING]);
    assert_eq!(said("yaz", &erased, BothWays).len(), 1, "a run of one letter is one, too");
    let erases_between = [
        (0, [0, 0], "", typed("", 'a')),
        (0, [1, 0], "a", typed("a", 'b')),
        (0, [2, 0], "ab", erase('a')),
        (0, [3, 0], "b", typed("b", 'c')),
        (1, [0, 0], "", typed("", 'y')),
    ];
    assert_eq!(said("byc", &erases_between, BothWays).len(), 1);
}

#[test]
fn what_others_saw_of_a_run_is_no_part_of_what_they_did_not_see() {
    // Device 0 types 'c', which device 1 sees, and then 'b' and 'a' in front of it; device 1 types 'y' and 'x' in front of it.
    let rows = [
        (0, [0, 0], "", typed("", 'c')),
        (0, [1, 0], "c", typed("", 'b')),
        (0, [2, 0], "bc", typed("", 'a')),
        (1, [1, 0], "c", typed("", 'y')),
        (1, [1, 1], "yc", typed("", 'x')),
    ];
    assert_eq!([said("abxyc", &rows, BothWays), said("xyabc", &rows, BothWays)], [NOTHING, NOTHING]);
    assert_eq!(
        said("axbyc", &rows, BothWays),
        ["two runs that were typed at the same time are mixed: one begins with 'b', the other with 'y'"]
    );
}

#[test]
fn a_letter_that_was_shown_may_be_gone_only_if_an_erase_of_it_may_have_come() {
    struct Come(bool);
    impl Whereabouts for Come {
        fn is_known(&self, _: &Edited<'_>) -> bool {
            true
        }
        fn is_there(&self, _: &Edited<'_>) -> bool {
            self.0
        }
        fn may_be_there(&self, _: &Edited<'_>) -> bool {
            self.0
        }
    }
    let sighting = Sighting {
        shown: View::Text(letters("ab")),
        had: Had::upto(&[2, 0], [].into()),
        may_have: [2, 0].into(),
        wall: 0,
    };
    let edit = UserEdit { at: 0, register: 0, intent: erase('a'), fate: Binding };
    let edits = [Edited { device: 1, number: 0, edit, sighting: &sighting }];
    let may = |letter: char, came| may_be_gone(letter.into(), &edits, &Come(came));
    assert_eq!([may('a', true), may('a', false), may('b', true)], [true, false, false]);
}

#[test]
fn an_edit_of_a_text_changes_what_it_is_about() {
    let mut text = letters("ac");
    assert!(apply(&mut text, typed("a", 'b')) && apply(&mut text, typed("z", 'x')));
    assert_eq!(text, letters("xabc"));
    assert!(apply(&mut text, erase('a')) && !apply(&mut text, erase('a')));
    assert_eq!(text, letters("xbc"));
    assert_eq!(meant(&text, typed("a", 'y')), typed("", 'y'));
    assert_eq!(meant(&text, typed("b", 'y')), typed("b", 'y'));
    assert!(!is_meant(&text, erase('a')) && is_meant(&text, erase('b')) && is_meant(&text, typed("a", 'y')));
}
