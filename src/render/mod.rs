//! Domain → card; card → text for terminals and Markdown.
//!
//! - `card`: the neutral form that every medium is made from
//! - `report`: a report → card; `changed`: what differs from the last healthy run
//! - `page`: a page of the handbook → card
//! - `history`: recorded diagnoses → card
//! - `evidence`: everything that a run saw, as a Markdown file
//! - `terminal`, `markdown`: card → text
//! - `clean`: text from outside, made harmless
//! - `quantity`: facts with their units; `words`: our own words

mod card;
mod changed;
mod clean;
mod evidence;
mod history;
mod markdown;
mod page;
mod quantity;
mod report;
mod telling;
mod terminal;
mod words;

pub use card::{Card, Item, Line, Section, SectionKind, Span, Style, Tone};
pub use clean::{clean_block, clean_line, cut_chars, last_lines};
pub use evidence::evidence;
pub use history::{HistoryRow, history};
pub use markdown::markdown;
pub use page::page;
pub use quantity::{duration, fact};
pub use report::card;
pub use terminal::{display_width, terminal};
pub use words::{risk_word, tone_of, verdict_word};
