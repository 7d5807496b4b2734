//! Texts from records, made harmless: a record may have been edited by anybody.
//!
//! What a format escapes beyond this is its own matter.

/// The text with every character replaced that moves a terminal's cursor, changes the direction of reading or cannot be
/// seen: by its number, such as `\u{1b}`.
pub fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if is_invisible(character) => shown += &format!("\\u{{{:x}}}", u32::from(character)),
            _ => shown.push(character),
        }
    }
    shown
}

/// The text, inert, and cut off where it is longer than so many characters.
pub fn inert_start(text: &str, most: usize) -> String {
    let shown = inert(text);
    match shown.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

/// An argument as a POSIX shell takes it: in quotes if a character in it would mean something to a shell.
pub fn quoted(argument: &str) -> String {
    let argument = inert(argument);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+%@".contains(c);
    match !argument.is_empty() && argument.chars().all(plain) {
        true => argument,
        false => format!("'{}'", argument.replace('\'', "'\\''")),
    }
}

/// The text without what XML 1.0 does not allow and without what turns the direction of text: each such character is U+FFFD.
pub fn for_xml(text: &str) -> String {
    let one = |character: char| match character {
        '\n' | '\t' => character,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        plain => plain,
    };
    text.chars().map(one).collect()
}

/// Control characters, marks of direction, characters of no width, separators of lines, tags, and what may stand for any glyph.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown_by_its_number() {
        assert_eq!(inert("a\u{1b}[31mb\nc\u{202e}d\u{200b}\u{85}"), "a\\u{1b}[31mb\\u{a}c\\u{202e}d\\u{200b}\\u{85}");
        assert_eq!(inert("naïve × 10^3, <b>"), "naïve × 10^3, <b>");
        assert_eq!(inert_start("abcdef", 3), "abc…");
    }

    #[test]
    fn what_xml_does_not_allow_is_replaced_and_the_rest_stays() {
        assert_eq!(
            for_xml("a\u{0}b\u{1b}[31m\u{202e}\u{ffff}\r\u{85}"),
            "a\u{fffd}b\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(for_xml("a\tb\nc <&> ü 😀"), "a\tb\nc <&> ü 😀");
    }

    #[test]
    fn an_argument_is_one_argument_of_a_shell() {
        assert_eq!(quoted("case1,model,engine,seed=0x7"), "case1,model,engine,seed=0x7");
        assert_eq!(quoted("a; rm -rf ~"), "'a; rm -rf ~'");
        assert_eq!(quoted("it's\n$(x)"), "'it'\\''s\\u{a}$(x)'");
        assert_eq!(quoted(""), "''");
    }
}
