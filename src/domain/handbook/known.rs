//! Pages that were checked before, such as those that are built in: read without looking for mistakes,
//! and only as far as a run needs them.

use std::{borrow::Cow, sync::Arc};

use super::{Handbook, Relation, Runbook, borrow::resolve, load::section_key, read::read_known};
use crate::domain::diagnosis::Catalog;

/// A page's file and text.
pub type KnownPage = (String, Cow<'static, str>);

impl Handbook {
    /// The page `id` and those from which it borrows, of `pages` that are all known to be sound, each in
    /// a file of its own name. What follows from what is read from all of them, when it is first asked.
    ///
    /// `None` when there is no such page, or one is not sound after all: [`Handbook::load`] says more.
    #[must_use]
    pub fn of_known(pages: Vec<KnownPage>, id: &str, catalog: &'static Catalog) -> Option<Self> {
        let read = |id: &str| -> Option<Arc<Runbook>> {
            let (file, text) = pages.iter().find(|(file, _)| stem(file) == Some(id))?;
            read_known(file, text, catalog).filter(|page| page.id.as_str() == id)
        };
        let page = read(id)?;
        let mut needed = vec![Arc::clone(&page)];
        for borrowed in &page.borrowed {
            let lender = &borrowed.check.page;
            if needed.iter().all(|known| known.id != *lender) {
                needed.push(read(lender.as_str())?);
            }
        }
        let mut handbook = resolve(&needed);
        handbook.relation = Arc::new(Relation::later(move || {
            let all: Vec<Arc<Runbook>> = pages
                .iter()
                .filter_map(|(file, text)| read_known(file, text, catalog))
                .collect();
            Relation::of_pages(all.iter().map(AsRef::as_ref))
        }));
        Some(handbook)
    }
}

impl Handbook {
    /// All of `pages`, which are known to be sound. `None` when one is not after all.
    #[must_use]
    pub fn all_known(pages: &[KnownPage], catalog: &Catalog) -> Option<Self> {
        let read = pages.iter();
        let read = read.map(|(file, text)| read_known(file, text, catalog));
        let mut pages: Vec<Arc<Runbook>> = read.collect::<Option<_>>()?;
        pages.sort_by_key(|page| section_key(&page.section));
        Some(resolve(&pages))
    }
}

fn stem(file: &str) -> Option<&str> {
    std::path::Path::new(file).file_stem()?.to_str()
}
