//! `handbell diagnose`: the same engine and the same rules as in the channel.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{
    EXIT_WRONG, Output,
    args::{Diagnose, Language, PatrolRun},
    output::{language, plain},
    progress::Live,
};
use crate::{
    app::{Envelope, Gate, Place, Progress, Refusal, Reply, Request, report_json},
    config::{self, Config},
    domain::{
        access::Actor,
        handbook::{ALL_PAGES, Handbook},
        text::Lang,
    },
    render,
    runtime::{
        self,
        signals::{Stop, Stops},
    },
};

/// Progress that may wait for the terminal; more is dropped, which nobody can read anyway.
const PROGRESS_QUEUE: usize = 64;

/// What is asked of the command line.
struct Asked {
    request: Request,
    /// The page whose handbook is needed; all pages without one.
    page: Option<String>,
    lang: Option<Language>,
    json: bool,
}

/// Runs a page, or all.
pub(super) fn run(args: &Diagnose, config: &Config, output: &Output) -> u8 {
    let asked = Asked {
        request: Request::Diagnose {
            runbook: args.runbook.clone(),
            params: args.params.iter().cloned().collect(),
        },
        page: Some(args.runbook.clone()),
        lang: args.lang,
        json: args.json,
    };
    begin(&asked, config, output)
}

/// Runs the preventions.
pub(super) fn patrol(args: &PatrolRun, config: &Config, output: &Output) -> u8 {
    let asked = Asked {
        request: Request::Patrol {
            page: args.page.clone(),
        },
        page: None,
        lang: args.lang,
        json: args.json,
    };
    begin(&asked, config, output)
}

fn begin(asked: &Asked, config: &Config, output: &Output) -> u8 {
    let threads = match runtime::one_shot() {
        Ok(threads) => threads,
        Err(error) => {
            output.error(&format!("the system gives no threads: {error}"));
            return EXIT_WRONG;
        }
    };
    let code = threads.block_on(diagnose(asked, config, output));
    runtime::leave_threads(threads);
    code
}

async fn diagnose(asked: &Asked, config: &Config, output: &Output) -> u8 {
    // Before anything is written, so that no signal ends the process unheard.
    let mut stops = Stops::listen();
    let lang = language(asked.lang, config.general.language);
    let store = runtime::store(config);
    // The file is opened while the pages are read. An error comes again when it is first used.
    let opening = Arc::clone(&store);
    tokio::spawn(async move { opening.open().await });
    let handbook = match &asked.page {
        Some(page) => runtime::handbook_for(config, page),
        None => runtime::handbook(config),
    };
    say_broken(&handbook, &asked.request, lang, output);
    let house = runtime::assemble_with(config, handbook, store, output.redactor());
    let envelope = Envelope {
        actor: Actor::Local {
            user: config::local_user(),
        },
        place: Place::CommandLine,
        request: asked.request.clone(),
    };
    let ended = watch(&house.gate, envelope, &mut stops, lang, output).await;
    runtime::leave(house);
    match ended {
        Ok(reply) => show(reply, asked.json, lang, output),
        Err(Ended::Refused(Refusal::BrokenPage(page))) => {
            output.problems(&page.problems);
            EXIT_WRONG
        }
        Err(Ended::Refused(refusal)) => {
            output.error(&plain(refusal.say().get(lang)));
            EXIT_WRONG
        }
        Err(Ended::Stopped(stop)) => {
            output.note(match lang {
                Lang::En => "Stopped before its end; the record says that it was interrupted.",
                Lang::Zh => "诊断在结束前被中止；记录中标为“已中断”。",
            });
            stop.exit_code()
        }
    }
}

/// Pages with mistakes, a line each, when another is asked: they are not part of the answer. The
/// report on all pages has them itself.
fn say_broken(handbook: &Handbook, asked: &Request, lang: Lang, output: &Output) {
    match asked {
        Request::Diagnose { runbook, .. } if runbook == ALL_PAGES => return,
        Request::Patrol { page: None } => return,
        Request::Diagnose { runbook, .. }
        | Request::Patrol {
            page: Some(runbook),
        } if handbook.broken_page(runbook).is_some() => {
            return;
        }
        _ => {}
    }
    for page in &handbook.broken {
        let told = page.mistakes(1).join("; ");
        output.note(&match lang {
            Lang::En => format!("note: the page {} is not in force: {told}", page.id),
            Lang::Zh => format!("注意：手册页 {} 未生效：{told}", page.id),
        });
    }
}

enum Ended {
    Refused(Refusal),
    Stopped(Stop),
}

/// Passes the gate and shows what comes meanwhile.
async fn watch(
    gate: &Gate,
    envelope: Envelope,
    stops: &mut Stops,
    lang: Lang,
    output: &Output,
) -> Result<Reply, Ended> {
    let (sender, mut progress) = mpsc::channel::<Progress>(PROGRESS_QUEUE);
    let mut live = Live::new(output, lang);
    let mut pass = std::pin::pin!(gate.pass(envelope, sender));
    loop {
        tokio::select! {
            reply = &mut pass => {
                live.end();
                return reply.map_err(Ended::Refused);
            }
            Some(step) = progress.recv() => live.step(&step),
            stop = stops.next() => {
                live.end();
                return Err(Ended::Stopped(stop));
            }
        }
    }
}

fn show(reply: Reply, json: bool, lang: Lang, output: &Output) -> u8 {
    let Reply::Diagnosed {
        record,
        report,
        handbook,
    } = reply
    else {
        return EXIT_WRONG;
    };
    if json {
        let mut value = report_json(&report, lang);
        value["record"] = record.0.into();
        output.json(&value);
    } else {
        let card = render::card(&report, &handbook, lang).recorded_as(record.0);
        output.say(&render::terminal(&card, output.colour, output.width));
    }
    report.exit_code()
}
