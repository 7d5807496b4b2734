//! Text that comes from elsewhere, made inert for XML.

/// The text without what XML 1.0 does not allow and without what turns the direction of text: each such character is U+FFFD.
pub(super) fn inert(text: &str) -> String {
    let one = |character: char| match character {
        '\n' | '\t' => character,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        plain => plain,
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_does_not_allow_is_replaced_and_the_rest_stays() {
        assert_eq!(
            inert("a\u{0}b\u{1b}[31m\u{202e}\u{ffff}\r\u{85}"),
            "a\u{fffd}b\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(inert("a\tb\nc <&> ü 😀"), "a\tb\nc <&> ü 😀");
    }
}
