//! A drawing as inline SVG: it takes the page's text colour and theme, scales by its view box, and escapes every text.
//!
//! Lengths are tenths of a unit, and a unit is about a pixel of a narrow screen. Colours are CSS variables with
//! fallbacks that can be read on white and on black.

use std::fmt::Write;

use crate::report::inert::for_xml;

/// Characters of a text are about so wide, in tenths of a unit.
pub(super) const CHARACTER: i32 = 74;

/// The size of text.
pub(super) const FONT: i32 = 120;

/// A place: right, and down.
pub(super) type At = (i32, i32);

/// What something is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Ink {
    /// The colour of the page's text.
    Text,
    /// The same, so faint that data stand out: grids and lifelines.
    Faint,
    /// The first series.
    First,
    /// The second.
    Second,
    /// The third.
    Third,
    /// The fourth.
    Fourth,
    /// What holds.
    Good,
    /// What failed.
    Bad,
    /// What is not known.
    Doubt,
}

impl Ink {
    /// Every ink, by its number.
    pub(super) const ALL: [Ink; 9] =
        [Ink::Text, Ink::Faint, Ink::First, Ink::Second, Ink::Third, Ink::Fourth, Ink::Good, Ink::Bad, Ink::Doubt];

    /// The colour as CSS has it.
    fn css(self) -> &'static str {
        match self {
            Ink::Text | Ink::Faint => "currentColor",
            Ink::First => "var(--figure-first,#2f7fc1)",
            Ink::Second => "var(--figure-second,#b8691b)",
            Ink::Third => "var(--figure-third,#8f63c4)",
            Ink::Fourth => "var(--figure-fourth,#1d8a80)",
            Ink::Good => "var(--figure-good,#2c8a50)",
            Ink::Bad => "var(--figure-bad,#d2433c)",
            Ink::Doubt => "var(--figure-doubt,#9a7414)",
        }
    }

    fn opacity(self) -> &'static str {
        if self == Ink::Faint { " opacity='.3'" } else { "" }
    }
}

/// How a line goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Dash {
    /// Without gaps.
    #[default]
    Whole,
    /// In dashes.
    Dashes,
    /// In points.
    Points,
}

impl Dash {
    /// Every dash, by its number.
    pub(super) const ALL: [Dash; 3] = [Dash::Whole, Dash::Dashes, Dash::Points];

    fn attribute(self) -> &'static str {
        match self {
            Dash::Whole => "",
            Dash::Dashes => " stroke-dasharray='6 4'",
            Dash::Points => " stroke-dasharray='1.5 3'",
        }
    }
}

/// A mark, distinguished from others by its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A full circle.
    Dot,
    /// An empty circle.
    Ring,
    /// Two strokes across each other.
    Cross,
    /// A full square on its corner.
    Diamond,
    /// A full triangle.
    Triangle,
    /// A full square.
    Square,
    /// An empty square.
    Frame,
}

/// Where a text stands from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

impl Anchor {
    fn attribute(self) -> &'static str {
        match self {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor='middle'",
            Anchor::End => " text-anchor='end'",
        }
    }
}

/// A drawing that is being made.
#[derive(Debug, Default)]
pub(super) struct Svg {
    body: String,
}

impl Svg {
    /// A line through places.
    pub(super) fn line(&mut self, places: &[At], ink: Ink, dash: Dash, width: u32) {
        let points: Vec<String> = places.iter().map(|&(x, y)| format!("{},{}", units(x), units(y))).collect();
        let (css, opacity, dash) = (ink.css(), ink.opacity(), dash.attribute());
        let width = units(width as i32);
        let points = points.join(" ");
        self.add(format_args!(
            "<polyline points='{points}' fill='none' stroke='{css}' stroke-width='{width}'{dash}{opacity}/>"
        ));
    }

    /// An area within places.
    pub(super) fn area(&mut self, places: &[At], ink: Ink) {
        let points: Vec<String> = places.iter().map(|&(x, y)| format!("{},{}", units(x), units(y))).collect();
        let (points, css, opacity) = (points.join(" "), ink.css(), ink.opacity());
        self.add(format_args!("<polygon points='{points}' fill='{css}'{opacity}/>"));
    }

    /// A circle.
    pub(super) fn circle(&mut self, (x, y): At, radius: i32, ink: Ink, full: bool) {
        let (x, y, radius, css, opacity) = (units(x), units(y), units(radius), ink.css(), ink.opacity());
        let paint =
            if full { format!("fill='{css}'") } else { format!("fill='none' stroke='{css}' stroke-width='1.6'") };
        self.add(format_args!("<circle cx='{x}' cy='{y}' r='{radius}' {paint}{opacity}/>"));
    }

    /// A mark.
    pub(super) fn mark(&mut self, (x, y): At, mark: Mark, ink: Ink) {
        let around = |corners: &[At]| corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect::<Vec<At>>();
        const FRAME: [At; 5] = [(-36, -36), (36, -36), (36, 36), (-36, 36), (-36, -36)];
        match mark {
            Mark::Dot => self.circle((x, y), 44, ink, true),
            Mark::Ring => self.circle((x, y), 38, ink, false),
            Mark::Diamond => self.area(&around(&[(0, -56), (56, 0), (0, 56), (-56, 0)]), ink),
            Mark::Triangle => self.area(&around(&[(0, -52), (52, 42), (-52, 42)]), ink),
            Mark::Square => self.area(&around(&FRAME[..4]), ink),
            Mark::Frame => self.line(&around(&FRAME), ink, Dash::Whole, 16),
            Mark::Cross => {
                self.line(&around(&[(-40, -40), (40, 40)]), ink, Dash::Whole, 22);
                self.line(&around(&[(-40, 40), (40, -40)]), ink, Dash::Whole, 22);
            }
        }
    }

    /// A text, its middle line at the place.
    pub(super) fn text(&mut self, at: At, anchor: Anchor, text: &str) {
        self.styled_text(at, anchor, "", text);
    }

    /// The same, bold.
    pub(super) fn bold(&mut self, at: At, anchor: Anchor, text: &str) {
        self.styled_text(at, anchor, " font-weight='bold'", text);
    }

    /// A text that goes up to the right.
    pub(super) fn slanted(&mut self, (x, y): At, text: &str) {
        let turn = format!(" transform='rotate(-60 {} {})'", units(x), units(y));
        self.styled_text((x, y), Anchor::Start, &turn, text);
    }

    fn styled_text(&mut self, (x, y): At, anchor: Anchor, more: &str, text: &str) {
        let (x, y, anchor, text) = (units(x), units(y), anchor.attribute(), escaped(text));
        self.add(format_args!("<text x='{x}' y='{y}' dy='.35em'{anchor}{more}>{text}</text>"));
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("a string takes every text");
    }

    /// The whole drawing. It fills the width that it is given up to 1.4 times its own; where it is so wide that
    /// its text would be too small on a narrow screen, it keeps a width of its own.
    pub(super) fn finish(self, (width, height): At, title: &str, alt: &str) -> String {
        /// Units that fit a narrow screen.
        const NARROW: i32 = 3900;
        let (title, alt) = (escaped(title), escaped(alt));
        let most = width * 7 / 50;
        let least = if width > NARROW { format!("min-width:{}px;", width * 9 / 100) } else { String::new() };
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' role='img' aria-label='{title}' font-size='12' \
             fill='currentColor' style='display:block;width:100%;{least}max-width:{most}px;height:auto;font-family:inherit'>\n\
             <title>{title}</title>\n<desc>{alt}</desc>\n{}</svg>\n",
            units(width),
            units(height),
            self.body
        )
    }
}

/// Tenths of a unit, in units.
fn units(tenths: i32) -> String {
    let (sign, whole, part) = (if tenths < 0 { "-" } else { "" }, tenths.abs() / 10, tenths.abs() % 10);
    if part == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// A text that means nothing to XML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in for_xml(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(' '),
            plain => safe.push(plain),
        }
    }
    safe
}

/// A text of at most so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// About how wide a text is.
pub(super) fn width(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX / CHARACTER) * CHARACTER
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour such as `#2f7fc1`.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("two digits")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn every_colour_stands_out_from_white_and_from_black() {
        let contrast = |one: f64, other: f64| (one.max(other) + 0.05) / (one.min(other) + 0.05);
        for ink in Ink::ALL {
            let Some((_, fallback)) = ink.css().split_once(',') else { continue };
            let colour = luminance(fallback.trim_end_matches(')'));
            let (on_white, on_black) = (contrast(colour, luminance("#ffffff")), contrast(colour, luminance("#121212")));
            // What pictures need, by WCAG 2.2 (1.4.11).
            assert!(on_white >= 3.0 && on_black >= 3.0, "{ink:?}: {on_white:.2} on white, {on_black:.2} on black");
        }
    }

    #[test]
    fn inks_and_dashes_are_found_by_their_numbers() {
        assert!(Ink::ALL.iter().enumerate().all(|(place, &ink)| ink as usize == place));
        assert!(Dash::ALL.iter().enumerate().all(|(place, &dash)| dash as usize == place));
    }

    #[test]
    fn a_hostile_text_is_text() {
        let mut svg = Svg::default();
        let hostile = "</text><script>alert('1')</script>\u{0}\u{1b}[31m\u{202e}\"&";
        svg.text((0, 0), Anchor::Start, hostile);
        let drawn = svg.finish((100, 100), hostile, hostile);
        let read = roxmltree::Document::parse(&drawn).expect("well-formed");
        let names: Vec<&str> =
            read.descendants().filter(|node| node.is_element()).map(|n| n.tag_name().name()).collect();
        assert_eq!(names, ["svg", "title", "desc", "text"]);
        let text = read.descendants().find(|node| node.has_tag_name("text")).and_then(|node| node.text());
        assert_eq!(text, Some("</text><script>alert('1')</script>\u{fffd}\u{fffd}[31m\u{fffd}\"&"));
    }

    #[test]
    fn units_are_written_exactly() {
        assert_eq!([0, 5, -5, 120, 123, -1204].map(units), ["0", "0.5", "-0.5", "12", "12.3", "-120.4"]);
    }
}
