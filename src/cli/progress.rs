//! What can be seen while a diagnosis runs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;
use crate::{app::Progress, domain::text::Lang};

/// How often the spinner turns, so that a hanging target doesn't look like a hanging tool.
const TURN: Duration = Duration::from_millis(100);

/// Checks named in the progress line; the rest are counted.
const NAMED: usize = 4;

/// A line on the terminal that is gone when the report comes; nothing in a pipe.
#[derive(Debug)]
pub(super) struct Live {
    bar: Option<ProgressBar>,
    lang: Lang,
    found: usize,
}

impl Live {
    pub(super) fn new(output: &Output, lang: Lang) -> Self {
        let bar = output.live.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = if output.error_colour {
                "{spinner:.cyan} {msg}"
            } else {
                "{spinner} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TURN);
            bar
        });
        Self {
            bar,
            lang,
            found: 0,
        }
    }

    /// A check has ended.
    pub(super) fn step(&mut self, step: &Progress) {
        let verdict = step.latest.verdict;
        if verdict.is_finding() {
            self.found += 1;
        }
        let Some(bar) = &self.bar else {
            // In a pipe there is a plain line for each check, for whoever asked for more by -v.
            tracing::info!(
                check = %step.latest.id,
                verdict = verdict.word(),
                duration_ms = step.latest.duration_ms,
                done = step.done,
                total = step.total,
                "checked"
            );
            return;
        };
        bar.set_message(line(step, self.found, self.lang));
    }

    /// Takes the line off the terminal.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(step: &Progress, found: usize, lang: Lang) -> String {
    let named = step.waiting.iter().take(NAMED);
    let waiting: Vec<String> = named
        .map(|one| one.check.seen_from(&step.runbook))
        .collect();
    let more = step.waiting.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!(" +{more}")
    } else {
        String::new()
    };
    let Progress { done, total, .. } = step;
    match lang {
        Lang::En => format!(
            "{done}/{total} checks, {found} found; waiting for {}{more}",
            waiting.join(", ")
        ),
        Lang::Zh => format!(
            "已完成 {done}/{total} 项检查，发现 {found} 个问题；等待 {}{more}",
            waiting.join("、")
        ),
    }
}
