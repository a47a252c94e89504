//! Card → text for a terminal or a pipe.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Card, Item, Line, Span, Style, Tone};
use crate::domain::text::Lang;

/// The narrowest width that text is wrapped to; below it the terminal wraps for itself.
const MIN_WIDTH: usize = 24;
/// How far a section's lines stand in from its heading.
const INDENT: usize = 2;

/// The columns that `text` takes; Chinese characters take two.
#[must_use]
pub fn display_width(text: &str) -> usize {
    text.width()
}

/// `card` as text, wrapped to `width` columns (not at all for 0), with ANSI colours when `colours`.
/// It ends with a line break.
#[must_use]
pub fn terminal(card: &Card, colours: bool, width: usize) -> String {
    let mut page = Page {
        out: String::new(),
        colours,
        width: if width == 0 {
            usize::MAX
        } else {
            width.max(MIN_WIDTH)
        },
    };
    let title = Line::new().strong(&format!("{} {}", mark(card.tone), card.title));
    page.line(&title, "", Some(colour(card.tone)));
    for section in &card.sections {
        let in_one_line = section.items.len() == 1
            && matches!(&section.items[0], Item::Line(line) if !line.bullet);
        if section.heading.is_empty() {
            page.items(&section.items);
            continue;
        }
        page.out.push('\n');
        let colon = match card.lang {
            Lang::En => ":",
            Lang::Zh => "：",
        };
        let heading = Line::new().strong(&format!("{}{colon}", section.heading));
        if let (true, Item::Line(line)) = (in_one_line, &section.items[0]) {
            let mut whole = heading;
            if card.lang == Lang::En {
                whole = whole.plain(" ");
            }
            whole.spans.extend(line.spans.iter().cloned());
            page.line(&whole, &" ".repeat(INDENT), None);
        } else {
            page.line(&heading, "", None);
            page.items(&section.items);
        }
    }
    if !card.footer.is_empty() {
        page.out.push('\n');
        page.line(&Line::new().dim(&card.footer.join(" · ")), "", None);
    }
    page.out
}

fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✓",
        Tone::Warning => "!",
        Tone::Bad => "✗",
        Tone::Unclear => "?",
        Tone::Neutral => "·",
    }
}

fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "32",
        Tone::Warning => "33",
        Tone::Bad => "31",
        Tone::Unclear => "35",
        Tone::Neutral => "36",
    }
}

struct Page {
    out: String,
    colours: bool,
    width: usize,
}

impl Page {
    fn items(&mut self, items: &[Item]) {
        let indent = " ".repeat(INDENT);
        for item in items {
            match item {
                Item::Line(line) => {
                    let lead = if line.bullet { "• " } else { "  " };
                    self.out.push_str(lead);
                    self.line_after(line, &indent, INDENT, None);
                }
                Item::Block(lines) => {
                    for line in lines {
                        let bar = self.painted("│ ", Some("2"));
                        self.out.push_str(&indent);
                        self.out.push_str(&bar);
                        self.out.push_str(line);
                        self.out.push('\n');
                    }
                }
            }
        }
    }

    fn line(&mut self, line: &Line, hanging: &str, colour: Option<&str>) {
        self.line_after(line, hanging, 0, colour);
    }

    /// Writes `line` from column `used` on; its further lines begin with `hanging`.
    fn line_after(&mut self, line: &Line, hanging: &str, used: usize, colour: Option<&str>) {
        let mut column = used;
        let mut before = None;
        for (style, mut text) in line.spans.iter().flat_map(pieces) {
            let first = text.chars().next();
            let fits = column.saturating_add(text.trim_end().width()) <= self.width;
            if !fits && column > hanging.width() && may_break(before, first) {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.out.push('\n');
                self.out.push_str(hanging);
                column = hanging.width();
                text = text.trim_start();
            }
            before = text.chars().next_back();
            let painted = self.painted(text, code(style, colour).as_deref());
            self.out.push_str(&painted);
            column += text.width();
        }
        self.out.push('\n');
    }

    fn painted(&self, text: &str, code: Option<&str>) -> String {
        match code {
            Some(code) if self.colours && !text.trim().is_empty() => {
                format!("\u{1b}[{code}m{text}\u{1b}[0m")
            }
            _ => text.to_owned(),
        }
    }
}

fn code(style: Style, colour: Option<&str>) -> Option<String> {
    let own = match style {
        Style::Plain => None,
        Style::Strong => Some("1"),
        Style::Code => Some("36"),
        Style::Dim => Some("2"),
    };
    match (own, colour) {
        (Some(own), Some(colour)) => Some(format!("{own};{colour}")),
        (Some(code), None) | (None, Some(code)) => Some(code.to_owned()),
        (None, None) => None,
    }
}

/// Chinese punctuation that must not begin a line.
fn clings(c: char) -> bool {
    matches!(
        c,
        '，' | '。' | '、' | '；' | '：' | '！' | '？' | '）' | '”' | '’' | '》' | '」' | '…'
    )
}

fn is_wide(c: char) -> bool {
    c.width().unwrap_or(0) > 1
}

/// Whether a line may end after `before` and the next begin with `after`: at a space, and beside a
/// wide character, since Chinese breaks anywhere.
fn may_break(before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let opens = matches!(before, '（' | '“' | '‘' | '《' | '「');
    let place = before == ' ' || is_wide(before) || is_wide(after);
    place && !opens && !clings(after) && after != ' '
}

/// Pieces that are never broken: words, single spaces, and wide characters one by one.
fn pieces(span: &Span) -> impl Iterator<Item = (Style, &str)> {
    let mut rest = span.text.as_str();
    std::iter::from_fn(move || {
        let c = rest.chars().next()?;
        let end = if is_wide(c) || c == ' ' {
            c.len_utf8()
        } else {
            rest.char_indices()
                .find(|(_, c)| *c == ' ' || is_wide(*c))
                .map_or(rest.len(), |(at, _)| at)
        };
        let clinging: usize = rest
            .chars()
            .skip(rest.get(..end).map_or(0, |text| text.chars().count()))
            .take_while(|c| clings(*c))
            .map(char::len_utf8)
            .sum();
        let (text, tail) = rest.split_at(end + clinging);
        rest = tail;
        Some((span.style, text))
    })
}
