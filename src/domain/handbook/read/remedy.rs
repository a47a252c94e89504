//! `[[remedy]]`.

use super::{Path, Reader};
use crate::domain::handbook::{
    Remedy,
    limits::{DESCRIPTION_CHARS, FIELD_VALUE_CHARS},
    raw::RawRemedy,
};

impl<'a> Reader<'a> {
    pub(super) fn remedies(&mut self) -> Vec<Remedy> {
        let path = Path::root().key("remedy");
        let raw: &'a [RawRemedy] = &self.raw.remedy;
        raw.iter()
            .enumerate()
            .filter_map(|(n, remedy)| self.remedy(remedy, &path.at(n)))
            .collect()
    }

    fn remedy(&mut self, raw: &'a RawRemedy, path: &Path) -> Option<Remedy> {
        let id = self.own_id(raw.id.as_ref(), &path.key("id"), "the remedy's id");
        let title = self.text(raw.title.as_ref(), &path.key("title"), DESCRIPTION_CHARS);
        let say = self.text(raw.say.as_ref(), &path.key("say"), FIELD_VALUE_CHARS);
        let covers = self.covers(&raw.covers, &path.key("covers"));
        if let Some(action) = &raw.action
            && !is_action(action)
        {
            let message = format!("{action:?} is no action: it has the form system.what");
            self.problem(&path.key("action"), message);
        }
        let target = self.parsed(raw.target.as_ref(), &path.key("target"), "the target");
        let mut params = Vec::new();
        for (name, param) in &raw.params {
            let path = path.key("params").key(name);
            params.extend(self.param(Some(name), param, &path));
        }
        let require = self.check_ids(&raw.require, &path.key("require"));
        let verify = self.check_ids(&raw.verify, &path.key("verify"));
        let cooldown = self.duration(raw.cooldown.as_ref(), &path.key("cooldown"));
        Some(Remedy {
            id: id?,
            covers,
            title: title?,
            say: say?,
            risk: raw.risk?,
            action: raw.action.clone(),
            target,
            params,
            require,
            verify,
            cooldown,
        })
    }
}

fn is_action(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.split_once('.')
        .is_some_and(|(a, b)| word(a) && word(b))
}
