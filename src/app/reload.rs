//! Reading the pages and the targets again.

use crate::domain::{
    document::Problem,
    handbook::{BrokenPage, Handbook},
};

/// Where pages come from.
pub trait Pages: Send + Sync {
    /// Every page as it is now, file and text, and why some can't be read.
    fn read(&self) -> (Vec<(String, String)>, Vec<Problem>);

    /// Reads again which targets there are, and looks at those from now on; looks under way end as they began.
    fn renew_targets(&self) -> Targets;
}

/// What reading the targets again has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Nothing.
    Same,
    /// Others are in force: how many there are now.
    Renewed(usize),
    /// The configuration has mistakes, so the old ones stay.
    Kept(Vec<Problem>),
}

/// What reading the pages again has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// Pages in force.
    pub pages: usize,
    /// Pages of which another version is in force now.
    pub changed: Vec<String>,
    /// Pages that are new.
    pub added: Vec<String>,
    /// Pages that are gone.
    pub removed: Vec<String>,
    /// Pages with mistakes.
    pub broken: Vec<BrokenPage>,
    /// What became of the targets.
    pub targets: Targets,
}

impl Reloaded {
    /// From `before` to `after`.
    pub(super) fn between(before: &Handbook, after: &Handbook, targets: Targets) -> Self {
        let names = |pages: Vec<&crate::domain::ids::RunbookId>| -> Vec<String> {
            pages.into_iter().map(ToString::to_string).collect()
        };
        let (old, new) = (&before.pages, &after.pages);
        let changed = new
            .iter()
            .filter(|(id, page)| old.get(*id).is_some_and(|known| known.hash != page.hash));
        Self {
            pages: new.len(),
            changed: names(changed.map(|(id, _)| id).collect()),
            added: names(new.keys().filter(|id| !old.contains_key(*id)).collect()),
            removed: names(old.keys().filter(|id| !new.contains_key(*id)).collect()),
            broken: after.broken.clone(),
            targets,
        }
    }
}
