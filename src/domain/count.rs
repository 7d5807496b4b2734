//! Numbers with their nouns, as sentences need them.

use std::fmt::Display;

/// "1 set", "255 sets".
pub fn counted(number: impl Display, noun: &str) -> String {
    let number = number.to_string();
    if number == "1" { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_alone() {
        assert_eq!([0, 1, 11].map(|number| counted(number, "delta")), ["0 deltas", "1 delta", "11 deltas"]);
    }
}
