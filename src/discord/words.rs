//! Our own sentences for Discord, in both languages. Results are in Discord's markup; arguments that
//! come from outside must be escaped already.

use crate::{app::Progress, domain::text::Lang, render::cut_chars};

use super::markup;

/// Checks that a progress line names; the rest is a number.
const NAMED: usize = 4;
/// Characters of one check's title there.
const TITLE: usize = 40;

fn pick<'a>(lang: Lang, en: &'a str, zh: &'a str) -> &'a str {
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

/// How far the run of `name` with `total` checks is.
pub(super) fn progress(name: &str, total: usize, latest: Option<&Progress>, lang: Lang) -> String {
    let done = latest.map_or(0, |latest| latest.done);
    let total = latest.map_or(total, |latest| latest.total);
    let Some(latest) = latest else {
        return match lang {
            Lang::En => format!("⏳ `{name}`: {total} checks are running"),
            Lang::Zh => format!("⏳ `{name}`：{total} 项检查进行中"),
        };
    };
    let waiting: Vec<String> = latest
        .waiting
        .iter()
        .map(|one| {
            let title = markup::escape(&cut_chars(one.title.get(lang), TITLE));
            // On another page the same title may mean another thing.
            if one.check.page.as_str() == name {
                title
            } else {
                format!("{title} ({})", one.check.page)
            }
        })
        .collect();
    let mut named = waiting
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(pick(lang, ", ", "、"));
    if let Some(more) = waiting.len().checked_sub(NAMED).filter(|more| *more > 0) {
        named = match lang {
            Lang::En => format!("{named} and {more} more"),
            Lang::Zh => format!("{named}等 {} 项", more + NAMED),
        };
    }
    let id = name;
    match (lang, waiting.is_empty()) {
        (Lang::En, true) => format!("⏳ `{id}`: all {total} checks are done, writing the report …"),
        (Lang::Zh, true) => format!("⏳ `{id}`：{total} 项检查已全部完成，正在生成报告……"),
        (Lang::En, false) => {
            format!("⏳ `{id}`: {done} of {total} checks done; still running: {named}")
        }
        (Lang::Zh, false) => format!("⏳ `{id}`：已完成 {done}/{total} 项检查，进行中：{named}"),
    }
}

/// A run that waits for its turn.
pub(super) fn queued(lang: Lang) -> &'static str {
    pick(
        lang,
        "⏳ Many people are asking at once; this one waits for its turn.",
        "⏳ 同时请求的人很多，正在排队。",
    )
}

/// The head of a message that stands where the reply can't.
pub(super) fn in_place_of_reply(lang: Lang, person: &str, label: &str) -> String {
    match lang {
        Lang::En => format!("For {person}, who asked for {label}:"),
        Lang::Zh => format!("{person} 请求的 {label}："),
    }
}

/// Files can't be attached here.
pub(super) fn no_attach_files(lang: Lang) -> &'static str {
    pick(
        lang,
        "The evidence is not attached: Handbell lacks the permission Attach Files in this channel. Please ask an admin of the server.",
        "证据未能附上：Handbell 在此频道缺少“附加文件”权限，请联系服务器管理员。",
    )
}

/// Discord took the files for too large.
pub(super) fn files_too_large(lang: Lang) -> &'static str {
    pick(
        lang,
        "The evidence is not attached: Discord takes no files of this size here.",
        "证据未能附上：Discord 在此处不接受这么大的文件。",
    )
}

/// A message was cut, and its files have everything.
pub(super) fn attached(lang: Lang) -> &'static str {
    pick(
        lang,
        "shortened; the attached file has everything",
        "内容已截短，全文见附件",
    )
}

/// A message was cut, and so were its files.
pub(super) fn attached_in_part(lang: Lang, command: &str) -> String {
    match lang {
        Lang::En => {
            format!("shortened, and so are the attached files; {command} has everything")
        }
        Lang::Zh => format!("内容与附件均已截短，完整内容见 {command}"),
    }
}

/// A message was cut, and no file goes along.
pub(super) fn has_the_rest(lang: Lang, command: &str) -> String {
    match lang {
        Lang::En => format!("shortened; {command} has everything"),
        Lang::Zh => format!("内容已截短，完整内容见 {command}"),
    }
}

/// A message was cut, and there is nothing more to it elsewhere.
pub(super) fn shortened(lang: Lang) -> &'static str {
    pick(lang, "shortened", "内容已截短")
}

/// The bot is going down.
pub(super) fn stopping(lang: Lang) -> &'static str {
    pick(
        lang,
        "Handbell is being stopped or restarted. Please ask again in a minute.",
        "Handbell 正在停止或重启，请一分钟后再试。",
    )
}

/// The bot went down before a run had ended.
pub(super) fn interrupted(lang: Lang) -> &'static str {
    pick(
        lang,
        "Handbell was stopped before this had ended. Nothing was changed; please ask again. /history shows it without an end.",
        "Handbell 在此次诊断结束前被停止。没有做任何更改，请重新执行；/history 中会显示为没有结束。",
    )
}

/// Too many wait already.
pub(super) fn too_many(lang: Lang) -> &'static str {
    pick(
        lang,
        "Handbell is busy with more requests than it can queue. This one was not run; please ask again in a minute.",
        "请求过多，Handbell 无法再排队。此次未执行，请一分钟后再试。",
    )
}

/// Something broke inside; the log has the detail under `reference`.
pub(super) fn broken(lang: Lang, reference: &str) -> String {
    match lang {
        Lang::En => {
            format!(
                "Something broke inside of Handbell; the log has the detail under `{reference}`."
            )
        }
        Lang::Zh => format!("Handbell 内部出错；详情见日志，编号 `{reference}`。"),
    }
}

/// Label of the button that runs the same again.
pub(super) fn run_again(lang: Lang) -> &'static str {
    pick(lang, "Run again", "再次诊断")
}

/// Label of the button that shows the evidence.
pub(super) fn evidence(lang: Lang) -> &'static str {
    pick(lang, "Evidence", "查看证据")
}

/// The empty select of the history.
pub(super) fn choose_record(lang: Lang) -> &'static str {
    pick(lang, "Show the evidence of a record", "查看某条记录的证据")
}
