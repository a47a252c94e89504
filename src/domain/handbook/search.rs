//! Finding pages, checks and remedies by words, in both languages. Pure.

use super::{Check, Handbook, Manual, Runbook};
use crate::domain::text::{Lang, Text};

/// Most hits that a search gives.
pub const MOST_HITS: usize = 20;

/// How much a match in a field weighs: what a thing is called says more than what it may say.
mod weight {
    pub(super) const ID: u32 = 10;
    pub(super) const TITLE: u32 = 8;
    pub(super) const SYMPTOM: u32 = 6;
    pub(super) const CAUSE: u32 = 4;
    pub(super) const SENTENCE: u32 = 3;
}

/// Something of the handbook that fits the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The page.
    pub page: String,
    /// The check, prevention or remedy; `None` for the page itself.
    pub part: Option<String>,
    /// What it is called.
    pub title: Text,
    /// The text that fits best.
    pub text: Text,
    score: u32,
}

/// What of `handbook` fits `words`, the best first, at most [`MOST_HITS`].
///
/// Latin words fit a word that begins with them, or any part of one from three letters on. Chinese
/// has no spaces: it is compared by pairs of neighbouring characters, so that a part of a longer
/// phrase is found, too. Something is found when at least half of all words and pairs are in it.
#[must_use]
pub fn search(handbook: &Handbook, words: &str) -> Vec<Hit> {
    let wanted = terms(words);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut hits: Vec<Hit> = handbook
        .pages
        .values()
        .flat_map(|page| things(page))
        .filter_map(|thing| thing.fits(&wanted))
        .collect();
    // A stable sort: among equals the handbook's order stays.
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.score));
    hits.truncate(MOST_HITS);
    hits
}

/// What can be found, with its fields and their weights.
struct Thing {
    page: String,
    part: Option<String>,
    title: Text,
    fields: Vec<(u32, Text)>,
}

impl Thing {
    fn new(page: &Runbook, part: Option<&str>, title: &Text) -> Self {
        let id = part.unwrap_or(page.id.as_str());
        Self {
            page: page.id.to_string(),
            part: part.map(str::to_owned),
            title: title.clone(),
            fields: vec![
                (weight::ID, Text::new(id, id)),
                (weight::TITLE, title.clone()),
            ],
        }
    }

    fn with(mut self, weight: u32, text: &Text) -> Self {
        self.fields.push((weight, text.clone()));
        self
    }

    fn fits(self, wanted: &[String]) -> Option<Hit> {
        let mut score = 0;
        let mut found = 0;
        let mut best: Option<(u32, &Text)> = None;
        let of_fields: Vec<Vec<u32>> = self
            .fields
            .iter()
            .map(|(weight, text)| {
                let texts = [Lang::En, Lang::Zh].map(|lang| text.get(lang).to_lowercase());
                wanted
                    .iter()
                    .map(|term| {
                        let there = texts.iter().any(|text| contains(text, term));
                        if there { *weight } else { 0 }
                    })
                    .collect()
            })
            .collect();
        for n in 0..wanted.len() {
            let most = of_fields.iter().filter_map(|field| field.get(n)).max();
            let most = most.copied().unwrap_or_default();
            score += most;
            found += usize::from(most > 0);
        }
        if found * 2 < wanted.len() || found == 0 {
            return None;
        }
        // The id and the title are shown anyway.
        for ((_, text), matched) in self.fields.iter().zip(&of_fields).skip(2) {
            let sum: u32 = matched.iter().sum();
            if sum > best.map_or(0, |(most, _)| most) {
                best = Some((sum, text));
            }
        }
        let first = self.fields.get(2).map(|(_, text)| text);
        let text = best.map(|(_, text)| text).or(first).cloned();
        Some(Hit {
            page: self.page,
            part: self.part,
            title: self.title,
            text: text.unwrap_or_default(),
            score,
        })
    }
}

fn things(page: &Runbook) -> Vec<Thing> {
    let mut own = Thing::new(page, None, &page.title).with(weight::SYMPTOM, &page.symptom);
    for alert in page.alerts.iter().flat_map(|alert| alert.values()) {
        own = own.with(weight::CAUSE, &Text::new(alert, alert));
    }
    let checks = page.checks.iter().chain(&page.prevent);
    let manual = page.looks.iter().chain(&page.manual);
    let remedies = page.remedies.iter().map(|remedy| {
        Thing::new(page, Some(remedy.id.as_str()), &remedy.title)
            .with(weight::SENTENCE, &remedy.say)
    });
    std::iter::once(own)
        .chain(checks.map(|check| of_check(page, check)))
        .chain(manual.map(|step| of_manual(page, step)))
        .chain(remedies)
        .collect()
}

fn of_check(page: &Runbook, check: &Check) -> Thing {
    let mut thing = Thing::new(page, Some(check.id.as_str()), &check.title);
    for rule in &check.rules {
        thing = thing.with(weight::SENTENCE, &without_facts(rule.say.source()));
        if let Some(cause) = &rule.cause {
            thing = thing.with(weight::CAUSE, &Text::new(cause.as_str(), cause.as_str()));
        }
    }
    thing
}

fn of_manual(page: &Runbook, step: &Manual) -> Thing {
    Thing::new(page, Some(step.id.as_str()), &step.title).with(weight::SENTENCE, &step.say)
}

/// A sentence as it reads before it is filled in: facts as an ellipsis.
fn without_facts(text: &Text) -> Text {
    let cut = |text: &str| {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
            let (before, from) = rest.split_at(start);
            out.push_str(before);
            let (end, shown) = if from.starts_with("{{") {
                ("}}", "…")
            } else {
                ("%}", "")
            };
            out.push_str(shown);
            rest = from.split_once(end).map_or("", |(_, after)| after);
        }
        out.push_str(rest);
        out
    };
    Text::new(cut(&text.en), cut(&text.zh))
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

/// What a text must have to fit: Latin words, and pairs of Chinese characters.
fn terms(words: &str) -> Vec<String> {
    let lower = words.to_lowercase();
    let mut terms: Vec<String> = Vec::new();
    for piece in lower.split(|c: char| !c.is_alphanumeric() && c != '_') {
        let mut run = String::new();
        let mut chinese = None;
        for c in piece.chars() {
            if chinese.is_some_and(|was| was != is_chinese(c)) {
                add(&mut terms, &run, chinese == Some(true));
                run.clear();
            }
            chinese = Some(is_chinese(c));
            run.push(c);
        }
        add(&mut terms, &run, chinese == Some(true));
    }
    terms
}

fn add(terms: &mut Vec<String>, run: &str, chinese: bool) {
    let mut push = |term: String| {
        if !term.is_empty() && !terms.contains(&term) {
            terms.push(term);
        }
    };
    let chars: Vec<char> = run.chars().collect();
    if !chinese || chars.len() < 2 {
        push(run.to_owned());
        return;
    }
    for pair in chars.windows(2) {
        push(pair.iter().collect());
    }
}

/// Letters from which on a part inside of a word is found, too.
const INSIDE: usize = 3;

fn contains(text: &str, term: &str) -> bool {
    let chinese = term.chars().any(is_chinese);
    if chinese || term.chars().count() >= INSIDE {
        return text.contains(term);
    }
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| word.starts_with(term))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_cut_into_pairs_and_latin_into_words() {
        assert_eq!(terms("Redis 内存满"), ["redis", "内存", "存满"]);
        assert_eq!(terms("OOM被杀"), ["oom", "被杀"]);
        assert_eq!(terms("慢"), ["慢"]);
        assert!(terms(" ，。 ").is_empty());
    }

    #[test]
    fn facts_are_left_out_of_what_is_shown() {
        let text = Text::new("{% if a %}{{ x | bytes }} used{% endif %}.", "已用 {{ x }}");
        assert_eq!(without_facts(&text), Text::new("… used.", "已用 …"));
    }
}
