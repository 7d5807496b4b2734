//! Numbers with their nouns, as sentences need them.

use std::fmt::Display;

/// "1 set", "255 sets".
pub fn counted(number: impl Display, noun: &str) -> String {
    let number = number.to_string();
    if number == "1" {
        return format!("1 {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ if noun.ends_with("sh") => format!("{number} {noun}es"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_alone() {
        assert_eq!(
            [counted(2, "crash"), counted(0, "delivery"), counted(2, "way")],
            ["2 crashes", "0 deliveries", "2 ways"]
        );
        assert_eq!([0, 1, 11].map(|number| counted(number, "delta")), ["0 deltas", "1 delta", "11 deltas"]);
    }
}
