//! `handbell diagnose`: the same engine and the same rules as in the channel.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{
    EXIT_WRONG, Output,
    args::Diagnose,
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

/// Runs a page.
pub(super) fn run(args: &Diagnose, config: &Config, output: &Output) -> u8 {
    let threads = match runtime::one_shot() {
        Ok(threads) => threads,
        Err(error) => {
            output.error(&format!("the system gives no threads: {error}"));
            return EXIT_WRONG;
        }
    };
    let code = threads.block_on(diagnose(args, config, output));
    // A look that hangs in the system's resolver must not keep the terminal waiting.
    threads.shutdown_background();
    code
}

async fn diagnose(args: &Diagnose, config: &Config, output: &Output) -> u8 {
    // Before anything is written, so that no signal ends the process unheard.
    let mut stops = Stops::listen();
    let lang = language(args.lang, config.general.language);
    let store = runtime::store(config);
    // The file is opened while the pages are read. An error comes again when it is first used.
    let opening = Arc::clone(&store);
    tokio::spawn(async move { opening.open().await });
    let handbook = runtime::handbook_for(config, &args.runbook);
    say_broken(&handbook, &args.runbook, lang, output);
    let house = runtime::assemble(config, handbook, store);
    let envelope = Envelope {
        actor: Actor::Local {
            user: config::local_user(),
        },
        place: Place::CommandLine,
        request: Request::Diagnose {
            runbook: args.runbook.clone(),
            params: args.params.iter().cloned().collect(),
        },
    };
    let ended = watch(&house.gate, envelope, &mut stops, lang, output).await;
    runtime::leave(house);
    match ended {
        Ok(reply) => show(reply, args, lang, output),
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
fn say_broken(handbook: &Handbook, asked: &str, lang: Lang, output: &Output) {
    if asked == ALL_PAGES || handbook.broken_page(asked).is_some() {
        return;
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

fn show(reply: Reply, args: &Diagnose, lang: Lang, output: &Output) -> u8 {
    let Reply::Diagnosed {
        record,
        report,
        handbook,
    } = reply
    else {
        return EXIT_WRONG;
    };
    if args.json {
        let mut value = report_json(&report, lang);
        value["record"] = record.0.into();
        output.json(&value);
    } else {
        let card = render::card(&report, &handbook, lang).recorded_as(record.0);
        output.say(&render::terminal(&card, output.colour, output.width));
    }
    report.exit_code()
}
