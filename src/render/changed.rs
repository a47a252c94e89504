//! What differs from the last healthy run, for people.

use jiff::{Zoned, civil::Weekday};

use super::{Item, Line, Section, SectionKind, cut_chars, fact, words::pick};
use crate::domain::{
    diagnosis::{Change, Changed, Report},
    text::Lang,
};

/// Differences on a card; the JSON and the evidence file have more.
const LINES: usize = 8;
/// Characters of one value.
const VALUE: usize = 60;
/// Days back to which a weekday says which day is meant.
const WEEKDAY_DAYS: i64 = 6;

/// The section of a report, unless nothing differs.
pub(super) fn changed(report: &Report, changed: &Changed, lang: Lang) -> Option<Section> {
    if changed.facts.is_empty() {
        return None;
    }
    let shown = changed.facts.iter().take(LINES);
    let mut items: Vec<Item> = shown.map(|one| line(report, one, lang).into()).collect();
    let more = changed.total.saturating_sub(LINES);
    if more > 0 {
        let text = match lang {
            Lang::En => format!("and {more} more"),
            Lang::Zh => format!("另有 {more} 项"),
        };
        items.push(Line::bullet().dim(&text).into());
    }
    let since = moment(&changed.since, &changed.at, lang);
    Some(Section {
        kind: SectionKind::Changed,
        heading: match lang {
            Lang::En => format!("Changed since {since}"),
            Lang::Zh => format!("自{since}以来的变化"),
        },
        items,
    })
}

fn line(report: &Report, one: &Change, lang: Lang) -> Line {
    let value = |value| cut_chars(&fact(&one.fact, value, lang), VALUE);
    let line = Line::bullet().code(&one.fact).plain(" ");
    let line = line
        .plain(&value(&one.before))
        .plain(" → ")
        .plain(&value(&one.now));
    let page = one.check.page.as_str();
    let place = if page == report.runbook {
        one.target.to_string()
    } else {
        format!("{page} · {}", one.target)
    };
    line.dim(&format!(" ({place})"))
}

/// A moment of the past as people say it: the time alone today, the weekday within a week, else the date.
fn moment(since: &Zoned, now: &Zoned, lang: Lang) -> String {
    let time = since.strftime("%H:%M %Z");
    let days = since
        .date()
        .until(now.date())
        .map_or(i64::MAX, |span| span.get_days().into());
    match (days, lang) {
        (0, Lang::En) => format!("{time} today"),
        (0, Lang::Zh) => format!("今天 {time} "),
        (1..=WEEKDAY_DAYS, _) => format!(
            "{} {time}{}",
            weekday(since.weekday(), lang),
            pick(lang, "", " ")
        ),
        (_, Lang::En) => format!("{} {time}", since.date()),
        (_, Lang::Zh) => format!(" {} {time} ", since.date()),
    }
}

fn weekday(day: Weekday, lang: Lang) -> &'static str {
    let (en, zh) = match day {
        Weekday::Monday => ("Monday", "周一"),
        Weekday::Tuesday => ("Tuesday", "周二"),
        Weekday::Wednesday => ("Wednesday", "周三"),
        Weekday::Thursday => ("Thursday", "周四"),
        Weekday::Friday => ("Friday", "周五"),
        Weekday::Saturday => ("Saturday", "周六"),
        Weekday::Sunday => ("Sunday", "周日"),
    };
    pick(lang, en, zh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_as_people_say_it() {
        let at = |text: &str| text.parse::<Zoned>().unwrap_or_else(|_| Zoned::default());
        let now = at("2026-11-22T12:00:00+08:00[Asia/Shanghai]");
        let said = |text: &str, lang| moment(&at(text), &now, lang);
        let tuesday = "2026-11-17T03:00:00+08:00[Asia/Shanghai]";
        assert_eq!(said(tuesday, Lang::En), "Tuesday 03:00 CST");
        assert_eq!(said(tuesday, Lang::Zh), "周二 03:00 CST ");
        let today = "2026-11-22T03:00:00+08:00[Asia/Shanghai]";
        assert_eq!(said(today, Lang::En), "03:00 CST today");
        let old = "2026-11-01T03:00:00+08:00[Asia/Shanghai]";
        assert_eq!(said(old, Lang::En), "2026-11-01 03:00 CST");
    }
}
