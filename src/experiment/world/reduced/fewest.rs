//! Delta debugging: leaves parts out, in chunks that become smaller, as long as what is left fails.

/// Leaves out of `parts` what can be. In the end no single one of them can.
///
/// # Errors
/// If `fails` gives one: then `parts` is what was left by then.
pub(super) fn fewest<T: Clone, E>(parts: &mut Vec<T>, mut fails: impl FnMut(&[T]) -> Result<bool, E>) -> Result<(), E> {
    let mut chunk = parts.len();
    while chunk > 0 {
        let (mut at, before) = (0, parts.len());
        while at < parts.len() {
            let mut without = parts.clone();
            without.drain(at..(at + chunk).min(parts.len()));
            if fails(&without)? {
                *parts = without;
            } else {
                at += chunk;
            }
        }
        chunk = match chunk {
            // Where one was left out, those before it may not be needed any more.
            1 if parts.len() < before => 1,
            1 => 0,
            _ => chunk.div_ceil(2).min(parts.len().max(1)),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn left(parts: u32, fails: impl Fn(&[u32]) -> bool) -> (Vec<u32>, u32) {
        let (mut left, mut tries) = ((0..parts).collect(), 0);
        let tried = fewest(&mut left, |parts| {
            tries += 1;
            Ok::<bool, Infallible>(fails(parts))
        });
        tried.expect("it cannot fail");
        (left, tries)
    }

    #[test]
    fn what_is_needed_is_left_and_nothing_else_and_most_goes_in_few_tries() {
        let needed = |parts: &[u32]| [17, 600, 999].iter().all(|needed| parts.contains(needed));
        let (all, tries) = left(1000, needed);
        assert_eq!(all, [17, 600, 999]);
        assert!(tries < 100, "{tries}");
        assert_eq!(left(1000, |_| true).0, Vec::<u32>::new());
        assert_eq!(left(0, |_| true).1, 0);
        assert_eq!(left(9, |parts| parts.len() == 9).0.len(), 9);
    }

    #[test]
    fn no_single_part_of_what_is_left_can_go_though_parts_depend_on_each_other() {
        // An even one needs the odd one after it, and two pairs are needed.
        let fails = |parts: &[u32]| {
            let pairs = parts.iter().filter(|&&part| part % 2 == 0 && parts.contains(&(part + 1))).count();
            pairs >= 2 && !(parts.len() < 8 && parts.contains(&5))
        };
        let (all, _) = left(40, fails);
        assert!(fails(&all));
        for leave in 0..all.len() {
            let mut without = all.clone();
            without.remove(leave);
            assert!(!fails(&without), "{all:?} without {leave}");
        }
    }

    #[test]
    fn who_may_try_no_more_keeps_what_was_left_by_then() {
        let (mut parts, mut tries): (Vec<u32>, u32) = ((0..100).collect(), 0);
        let ended = fewest(&mut parts, |parts| {
            tries += 1;
            if tries > 3 { Err("over") } else { Ok(parts.contains(&99)) }
        });
        assert_eq!((ended, parts), (Err("over"), (50..100).collect()));
    }
}
