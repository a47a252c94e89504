//! `handbell handbook list`.

use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::{List, pad};
use crate::{
    cli::{Output, output::language},
    config::Config,
    domain::handbook::Handbook,
};

pub(super) fn run(args: &List, handbook: &Handbook, config: &Config, output: &Output) -> u8 {
    let pages = handbook.pages.values();
    if args.json {
        let pages: Vec<_> = pages
            .map(|page| {
                json!({
                    "id": page.id,
                    "section": page.section,
                    "title": page.title,
                    "symptom": page.symptom,
                    "severity": page.severity,
                    "owner": page.owner,
                    "reviewed": page.reviewed,
                    "checks": page.checks.len(),
                    "remedies": page.remedies.len(),
                    "prevent": page.prevent.len() + page.manual.len(),
                    "hash": page.hash,
                })
            })
            .collect();
        output.json(&pages.into());
        return 0;
    }
    let lang = language(args.lang, config.general.language);
    let id_width = pages.clone().map(|page| page.id.as_str().width()).max();
    let title_width = pages.clone().map(|page| page.title.get(lang).width()).max();
    for page in pages {
        output.say(&format!(
            "{}  {:<5} {:?}  {}  {}",
            pad(page.id.as_str(), id_width.unwrap_or_default()),
            page.section,
            page.severity,
            pad(page.title.get(lang), title_width.unwrap_or_default()),
            page.symptom.get(lang)
        ));
    }
    0
}
