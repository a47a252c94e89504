//! `handbell handbook search`.

use serde_json::{Value, json};

use super::Search;
use crate::{
    cli::{Output, output::language},
    config::Config,
    domain::handbook::{Handbook, search},
};

/// Exit code when nothing fits, as of `grep`.
const EXIT_NOTHING: u8 = 1;

pub(super) fn run(args: &Search, handbook: &Handbook, config: &Config, output: &Output) -> u8 {
    let lang = language(args.lang, config.general.language);
    let hits = search(handbook, &args.words.join(" "));
    if args.json {
        let all: Vec<Value> = hits
            .iter()
            .map(|hit| {
                json!({
                    "page": hit.page,
                    "part": hit.part,
                    "title": hit.title.get(lang),
                    "say": hit.text.get(lang),
                })
            })
            .collect();
        output.json(&all.into());
    } else {
        for hit in &hits {
            let name = match &hit.part {
                Some(part) => format!("{}/{part}", hit.page),
                None => hit.page.clone(),
            };
            let (title, text) = (hit.title.get(lang), hit.text.get(lang));
            output.say(&format!("{name}  {title}: {text}"));
        }
    }
    if hits.is_empty() { EXIT_NOTHING } else { 0 }
}
