//! A document as one HTML page that needs no network and no script, for screens of any width and for paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::document::{Align, Block, Cell, Column, Document, Judgement, Report, Section, Shape, Table, Tone};
use crate::report::figure::Figure;
use crate::report::inert::inert;

/// How the page looks.
const STYLE: &str = include_str!("page.css");

/// Nothing is loaded and nothing is run, whatever a record holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The attribute that names the language of an SVG, which a page does not need.
const NAMESPACE: &str = " xmlns='http://www.w3.org/2000/svg'";

/// The whole page.
pub fn render(document: &Document) -> String {
    let is_several = document.overview.is_some();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("abench ", env!("CARGO_PKG_VERSION")));
                title { (inert(&document.title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the verdict" }
                header { h1 { (inert(&document.title)) } }
                main id="main" {
                    @if let Some(overview) = &document.overview {
                        section aria-label="All records" { (table(overview, "overview")) }
                    }
                    @for (place, of) in document.reports.iter().enumerate() {
                        (report(of, &format!("r{}", place + 1), is_several))
                    }
                }
                footer { p { "Made from records by abench " (env!("CARGO_PKG_VERSION")) ". Every number is one of a record." } }
            }
        }
    };
    page.into_string()
}

/// One record; `id` goes before the ids of its parts.
fn report(report: &Report, id: &str, is_one_of_several: bool) -> Markup {
    html! {
        article aria-labelledby=[is_one_of_several.then(|| format!("{id}-title"))] {
            @if is_one_of_several {
                h2.record id=(format!("{id}-title")) { (inert(&report.title)) }
            }
            @if let Some(warning) = &report.warning { p.warning role="note" { (inert(warning)) } }
            (judgement(&report.judgement))
            nav aria-label=(format!("Parts of {}", inert(&report.title))) {
                ul {
                    @for section in &report.sections {
                        li { a href=(format!("#{id}-{}", section.name)) { (inert(&section.title)) } }
                    }
                }
            }
            @for of in &report.sections {
                (section(of, id, is_one_of_several))
            }
        }
    }
}

fn judgement(judgement: &Judgement) -> Markup {
    let Judgement { verdict, remark, exit, reasons, warrants, facts } = judgement;
    html! {
        section.verdict.(class(judgement.tone())) aria-label="Verdict" {
            p.word { span.label { "Verdict" } " " strong { (verdict) } (inert(remark)) " " span.exit { "(exit " (exit) ")" } }
            @for reason in reasons {
                p { (inert(reason)) }
            }
            @if !warrants.is_empty() {
                p.label { "What holds rests on" }
                ul { @for warrant in warrants { li { (inert(warrant)) } } }
            }
            (pairs(facts))
        }
    }
}

fn section(section: &Section, id: &str, is_deeper: bool) -> Markup {
    let name = format!("{id}-{}", section.name);
    let title = heading(&section.title, if is_deeper { 3 } else { 2 }, Some(&format!("{name}-title")));
    let blocks = html! {
        @for (place, of) in section.blocks.iter().enumerate() {
            (block(of, &format!("{name}-{place}"), is_deeper))
        }
    };
    html! {
        section id=(name) aria-labelledby=(format!("{name}-title")) {
            @if section.folded {
                details { summary { (title) } (blocks) }
            } @else {
                (title) (blocks)
            }
        }
    }
}

/// A heading of this level.
fn heading(words: &str, level: u8, id: Option<&str>) -> Markup {
    let words = inert(words);
    html! {
        @match level {
            2 => { h2 id=[id] { (words) } }
            3 => { h3 id=[id] { (words) } }
            _ => { h4 id=[id] { (words) } }
        }
    }
}

fn block(block: &Block, id: &str, is_deeper: bool) -> Markup {
    html! {
        @match block {
            Block::Heading(words) => { (heading(words, if is_deeper { 4 } else { 3 }, None)) }
            Block::Paragraph(words) => { p { (inert(words)) } }
            Block::Note(words) => { p.note { (inert(words)) } }
            Block::List(items) => { ul { @for item in items { li { (inert(item)) } } } }
            Block::Facts(facts) => { (pairs(facts)) }
            Block::Table(of) => { (table(of, id)) }
            Block::Command(command) => { pre.command tabindex="0" { code { (inert(command)) } } }
            Block::Steps { caption, lines } => {
                p.caption { (inert(caption)) }
                pre tabindex="0" { code { @for line in lines { (inert(line)) "\n" } } }
            }
            Block::Figure(of) => { (figure(of, id)) }
        }
    }
}

fn pairs(pairs: &[(String, String)]) -> Markup {
    html! {
        @if !pairs.is_empty() {
            dl { @for (name, value) in pairs { div { dt { (inert(name)) } dd { (inert(value)) } } } }
        }
    }
}

/// A table, in a box of its own that scrolls where the window is too narrow. One of sentences is shown row by row there.
/// The roles say what a table is where its style makes it look like none.
fn table(table: &Table, id: &str) -> Markup {
    let Table { caption, columns, rows, shape } = table;
    let kind = if *shape == Shape::Prose { "prose" } else { "numbers" };
    html! {
        div.scroll role="region" aria-labelledby=(format!("{id}-caption")) tabindex="0" {
            table.(kind) role="table" {
                caption { span id=(format!("{id}-caption")) { (inert(caption)) } }
                thead role="rowgroup" { tr role="row" {
                    @for column in columns { th.(align(column.align)) role="columnheader" scope="col" { (inert(&column.title())) } }
                } }
                tbody role="rowgroup" {
                    @for row in rows { tr role="row" {
                        @for (place, (of, column)) in row.iter().zip(columns).enumerate() { (cell(of, column, place == 0)) }
                    } }
                }
            }
        }
    }
}

fn cell(cell: &Cell, column: &Column, names_row: bool) -> Markup {
    let text = inert(&cell.text);
    let text = if column.align == Align::Right {
        grouped(&text)
    } else {
        html! { (text) }
    };
    let words = html! {
        @match cell.tone {
            Tone::Plain => { (text) }
            tone => { span.(class(tone)) { (text) } }
        }
    };
    let head = inert(&column.title());
    html! {
        @if names_row {
            th.(align(column.align)) role="rowheader" scope="row" { (words) }
        } @else {
            td.(align(column.align)) role="cell" data-head=(head) { (words) }
        }
    }
}

/// A long number in groups of three digits. The gaps are of the style alone: what is copied is the number.
fn grouped(text: &str) -> Markup {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if digits < 5 || !(rest.is_empty() || rest.starts_with(' ')) {
        return html! { (text) };
    }
    let first = match digits % 3 {
        0 => 3,
        first => first,
    };
    let (head, tail) = number.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| std::str::from_utf8(group).unwrap_or_default());
    html! { (head) @for group in groups { span.g { (group) } } (rest) }
}

fn figure(figure: &Figure, id: &str) -> Markup {
    let Figure { title, svg, alt, table, .. } = figure;
    html! {
        figure {
            figcaption id=(format!("{id}-caption")) { (inert(title)) }
            div.plot role="img" aria-labelledby=(format!("{id}-caption")) aria-describedby=(format!("{id}-alt")) {
                (PreEscaped(svg.replace(NAMESPACE, "")))
            }
            p.note id=(format!("{id}-alt")) { (inert(alt)) }
            details {
                summary { "The numbers behind it" }
                (self::table(&Table { caption: title.clone(), ..table.clone() }, &format!("{id}-numbers")))
            }
        }
    }
}

fn align(align: Align) -> &'static str {
    if align == Align::Right { "right" } else { "left" }
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Doubtful => "doubtful",
        Tone::Bad => "bad",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The colours of a theme, by their names, as red, green and blue.
    fn palette(theme: &str) -> Vec<(String, [f64; 3])> {
        let colours = theme.split(';').filter_map(|line| {
            let (name, hex) = line.split_once("--")?.1.split_once(": #")?;
            let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).ok().map(|part| f64::from(part) / 255.0);
            Some((name.to_owned(), [part(0)?, part(2)?, part(4)?]))
        });
        colours.collect()
    }

    /// The contrast of two colours as WCAG 2 defines it.
    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let linear = |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
        let luminance =
            |[red, green, blue]: [f64; 3]| 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_colour_of_words_is_read_on_every_ground_in_both_themes() {
        let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").expect("two themes");
        let dark = dark.split_once("} }").expect("an end").0;
        let light = light.split_once('}').expect("an end").0;
        for theme in [light, dark] {
            let colours = palette(theme);
            let of = |kind: &str| colours.iter().filter(move |(name, _)| name.starts_with(kind)).collect::<Vec<_>>();
            let (words, grounds) = (of("text"), of("ground"));
            assert!(words.len() >= 5 && grounds.len() >= 3, "{colours:?}");
            for (word, colour) in words {
                for (ground, behind) in &grounds {
                    let contrast = contrast(*colour, *behind);
                    assert!(contrast >= 4.5, "{word} on {ground}: {contrast:.2}");
                }
            }
        }
    }

    #[test]
    fn the_box_of_the_verdict_has_the_colour_of_the_exit_code() {
        use crate::domain::verdict::Verdict;
        let page = |verdict, exit| {
            let (reasons, warrants, facts) = (Vec::new(), Vec::new(), Vec::new());
            judgement(&Judgement { verdict, remark: String::new(), exit, reasons, warrants, facts }).into_string()
        };
        let expected = [
            (Verdict::Falsified, 0, "good"),
            (Verdict::Falsified, 1, "bad"),
            (Verdict::Holds, 1, "bad"),
            (Verdict::Inconclusive, 3, "doubtful"),
        ];
        for (verdict, exit, class) in expected {
            let page = page(verdict, exit);
            assert!(page.starts_with(&format!("<section class=\"verdict {class}\"")), "{page}");
            assert!(page.contains(&format!("<strong>{verdict}</strong>")), "{page}");
        }
    }

    #[test]
    fn a_long_number_is_grouped_and_stays_one_number() {
        assert_eq!(grouped("1234567").into_string(), r#"1<span class="g">234</span><span class="g">567</span>"#);
        assert_eq!(grouped("123456 B").into_string(), r#"123<span class="g">456</span> B"#);
        assert_eq!(grouped("1234").into_string(), "1234");
        assert_eq!(grouped("12345x<").into_string(), "12345x&lt;");
    }
}
