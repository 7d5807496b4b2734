//! Which name somebody may have meant, for messages about a name that there is not.

/// From here on two words are alike.
const ALIKE: f64 = 0.6;

/// Longer than any name; to compare what is longer would take long, and find nothing.
const LONGEST: usize = 80;

/// The name that is most like what was written, if any is like it.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &'a str| (strsim::normalized_damerau_levenshtein(written, name), name);
    let names = names.into_iter().filter(|_| written.len() <= LONGEST);
    let most = names.map(likeness).max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    Some(most.1).filter(|_| most.0 >= ALIKE)
}

/// What a message puts behind a name that there is not: the nearest one in brackets, or nothing.
pub fn meant<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, names).map_or(String::new(), |name| format!(" (did you mean {name}?)"))
}

/// The same for a text whose name goes up to its first colon, as `dead-bank:1`, among forms such as `dead-bank:K`. What
/// follows the colon is kept. Where the name is right, there is nothing to suggest.
pub fn meant_form<'a>(written: &str, forms: impl IntoIterator<Item = &'a str>) -> String {
    let (name, rest) = written.split_at(written.find(':').unwrap_or(written.len()));
    let names = forms.into_iter().filter_map(|form| form.split([':', '[']).next());
    match nearest(name, names) {
        Some(near) if near != name => format!(" (did you mean {near}{rest}?)"),
        _ => String::new(),
    }
}

/// What ends a message of a reader of TOML or JSON about a key or value that there is not, as "unknown field `a`, expected
/// one of `b`, `c`".
pub fn meant_key(message: &str) -> String {
    if !message.starts_with("unknown field ") && !message.starts_with("unknown variant ") {
        return String::new();
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let near = words.next().and_then(|written| nearest(written, words));
    near.map_or(String::new(), |near| format!("; did you mean {near}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_is_meant_and_none_where_none_is_similar() {
        let names = ["tick", "laws", "every-order"];
        assert_eq!(nearest("tikc", names), Some("tick"));
        assert_eq!(nearest("every-ordre", names), Some("every-order"));
        assert_eq!(nearest("banana", names), None);
        assert_eq!(nearest(&"tick".repeat(1000), names), None);
        assert_eq!(meant("law", names), " (did you mean laws?)");
        assert_eq!(meant("banana", names), "");
    }

    #[test]
    fn of_a_form_the_name_is_compared_and_what_follows_is_kept() {
        let forms = ["dead-bank:K", "threads[:WORKERS]", "short-count"];
        assert_eq!(meant_form("dead-bnk:1", forms), " (did you mean dead-bank:1?)");
        assert_eq!(meant_form("thread:4", forms), " (did you mean threads:4?)");
        assert_eq!(meant_form("shortcount", forms), " (did you mean short-count?)");
        assert_eq!(meant_form("dead-bank:99", forms), "");
        assert_eq!(meant_form("banana:1", forms), "");
    }

    #[test]
    fn a_message_about_an_unknown_key_says_which_was_meant_and_another_message_says_nothing() {
        let message = "unknown field `cuont`, expected one of `count`, `seed`, `budget`";
        assert_eq!(meant_key(message), "; did you mean count?");
        assert_eq!(
            meant_key("unknown variant `bank-swep`, expected `bank-sweep` or `tick`"),
            "; did you mean bank-sweep?"
        );
        assert_eq!(meant_key("unknown field `x`, expected `seed`"), "");
        assert_eq!(meant_key("missing field `seed`"), "");
    }
}
