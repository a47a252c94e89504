//! The handbook in chat: a page, what fits some words, what reading it again has changed.

use super::{answer::Answer, attach::Attachable, decode::Incoming, present};
use crate::{
    app::{Refusal, Reloaded, Targets},
    domain::{
        document::told,
        handbook::{Handbook, Hit, search},
        text::{Lang, Text},
    },
    render::{self, Card, Line, Tone, cut_chars},
};

/// Characters of a hit's text.
const HIT_CHARS: usize = 160;
/// Hits that are shown.
const HITS: usize = 10;
/// Mistakes of one page that are told.
const MISTAKES: usize = 3;

fn pick<'a>(lang: Lang, en: &'a str, zh: &'a str) -> &'a str {
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

/// The page `id`; what does not fit into a message is attached.
pub(super) fn show(book: &Handbook, id: &str, incoming: &Incoming) -> Answer {
    let lang = incoming.lang;
    if let Some(broken) = book.broken_page(id) {
        return present::refusal(&Refusal::BrokenPage(Box::new(broken.clone())), lang);
    }
    let Some(page) = book.page(id) else {
        let pages = book.pages.keys().map(ToString::to_string).collect();
        let asked = id.to_owned();
        return present::refusal(&Refusal::NoSuchPage { asked, pages }, lang);
    };
    let card = render::page(page, lang);
    let text = render::markdown(&card);
    let whole = Attachable::page(page.id.as_str(), text, lang, incoming.file_bytes);
    Answer::card(card).whole(whole)
}

/// What of the handbook fits `words`.
pub(super) fn found(book: &Handbook, words: &str, lang: Lang) -> Answer {
    let hits = search(book, words);
    let title = match lang {
        Lang::En => format!("Handbook: {words}"),
        Lang::Zh => format!("手册：{words}"),
    };
    let mut lines: Vec<Line> = hits.iter().take(HITS).map(|hit| line(hit, lang)).collect();
    if lines.is_empty() {
        let text = Text::new(
            "Nothing in the handbook fits these words. Try fewer, or others.",
            "手册中没有符合的内容。请减少或更换关键词。",
        );
        lines.push(Line::new().plain(text.get(lang)));
    } else {
        let more = pick(
            lang,
            "/handbook show has the whole page.",
            "用 /handbook show 查看整页。",
        );
        lines.push(Line::new().dim(more));
    }
    Answer::card(Card::note(lang, Tone::Neutral, &title, lines))
}

fn line(hit: &Hit, lang: Lang) -> Line {
    let name = match &hit.part {
        Some(part) => format!("{}/{part}", hit.page),
        None => hit.page.clone(),
    };
    let text = hit.text.get(lang);
    let line = Line::bullet()
        .code(&name)
        .plain(" ")
        .strong(hit.title.get(lang));
    if text.is_empty() {
        return line;
    }
    line.plain(pick(lang, ": ", "："))
        .plain(&cut_chars(text, HIT_CHARS))
}

/// What reading the pages again has changed.
pub(super) fn reloaded(reloaded: &Reloaded, lang: Lang) -> Answer {
    let mut lines = vec![Line::new().plain(&match lang {
        Lang::En => format!("{} pages are in force.", reloaded.pages),
        Lang::Zh => format!("共有 {} 页生效。", reloaded.pages),
    })];
    for (names, word) in [
        (&reloaded.changed, pick(lang, "changed: ", "已更新：")),
        (&reloaded.added, pick(lang, "new: ", "新增：")),
        (&reloaded.removed, pick(lang, "gone: ", "已删除：")),
    ] {
        if !names.is_empty() {
            lines.push(Line::bullet().plain(word).code(&names.join(" ")));
        }
    }
    let same = [&reloaded.changed, &reloaded.added, &reloaded.removed]
        .iter()
        .all(|names| names.is_empty());
    if let Targets::Renewed(count) = reloaded.targets {
        lines.push(Line::bullet().plain(&match lang {
            Lang::En => format!("other targets are in force: {count} in all"),
            Lang::Zh => format!("目标已更新：共 {count} 个"),
        }));
    } else if same {
        lines.push(Line::bullet().plain(pick(lang, "nothing has changed", "没有变化")));
    }
    for page in &reloaded.broken {
        let fate = if page.kept.is_some() {
            pick(
                lang,
                " has mistakes; its old version stays in force",
                " 有错误；旧版本继续生效",
            )
        } else {
            pick(lang, " has mistakes and is not in force", " 有错误，未生效")
        };
        lines.push(Line::bullet().code(&page.id).strong(fate));
        for mistake in page.mistakes(MISTAKES) {
            lines.push(Line::new().plain(&mistake));
        }
    }
    if let Targets::Kept(problems) = &reloaded.targets {
        lines.push(Line::bullet().strong(pick(
            lang,
            "The configuration has mistakes; the old targets stay in force",
            "配置有错误；旧的目标继续生效",
        )));
        for mistake in told(problems, MISTAKES) {
            lines.push(Line::new().plain(&mistake));
        }
    }
    let sound = reloaded.broken.is_empty() && !matches!(reloaded.targets, Targets::Kept(_));
    let tone = if sound { Tone::Good } else { Tone::Warning };
    let title = pick(lang, "The handbook was read again", "手册已重新读取");
    Answer::card(Card::note(lang, tone, title, lines))
}
