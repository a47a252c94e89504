//! Why something was not done, in the reader's words.

use super::{BadParam, RecordId, StoreError};
use crate::domain::{access::Role, handbook::BrokenPage, text::Text};

/// Mistakes of a broken page that a refusal tells; the linter tells all.
pub(super) const MISTAKES_TOLD: usize = 3;

/// Why something was not done, or is not shown.
#[derive(Debug)]
pub enum Refusal {
    /// The actor's role does not reach.
    MissingRole {
        /// What was asked.
        asked: String,
        /// The role that it needs.
        needed: Role,
        /// The role that the actor holds.
        held: Option<Role>,
    },
    /// Too many requests of this actor at once.
    TooBusy {
        /// How many may run at once.
        limit: usize,
    },
    /// There is no such page.
    NoSuchPage {
        /// What was asked for.
        asked: String,
        /// The pages that there are.
        pages: Vec<String>,
    },
    /// The page has mistakes, and no version of it is in force.
    BrokenPage(Box<BrokenPage>),
    /// There is no such record.
    NoSuchRecord(RecordId),
    /// Parameters that don't fit.
    BadParams(Vec<BadParam>),
    /// It can't be recorded, so it was not done.
    NotRecorded(StoreError),
    /// The checks ran, and how they ended can't be recorded, so it is not shown. The record stays
    /// without an end.
    NotKept(RecordId, StoreError),
    /// What was recorded can't be read.
    NotRead(StoreError),
}

impl Refusal {
    /// The refusal in the reader's words: what is wrong, and how to mend it.
    #[must_use]
    pub fn say(&self) -> Text {
        match self {
            Self::MissingRole {
                asked,
                needed,
                held,
            } => {
                let held_en = held.map_or("no role", Role::word);
                let held_zh = held.map_or("没有任何角色", Role::word);
                Text::new(
                    format!(
                        "{asked} needs the role {needed}; you have {held_en}. An admin can grant it in access.toml."
                    ),
                    format!(
                        "{asked} 需要角色 {needed}；你目前：{held_zh}。管理员可以在 access.toml 中授予。"
                    ),
                )
            }
            Self::TooBusy { limit } => Text::new(
                format!("{limit} diagnoses are already running for you; wait until one has ended."),
                format!("你已有 {limit} 个诊断正在运行；请等其中一个结束。"),
            ),
            Self::NoSuchPage { asked, pages } => Text::new(
                format!(
                    "The handbook has no page {asked:?}; it has: {}.",
                    pages.join(", ")
                ),
                format!(
                    "手册中没有 {asked:?} 这一页；可用的有：{}。",
                    pages.join("、")
                ),
            ),
            Self::BrokenPage(page) => {
                let told = page.mistakes(MISTAKES_TOLD);
                Text::new(
                    format!(
                        "The page {} has mistakes and is not in force: {}.",
                        page.id,
                        told.join("; ")
                    ),
                    format!("手册页 {} 有错误，未生效：{}。", page.id, told.join("；")),
                )
            }
            Self::NoSuchRecord(id) => Text::new(
                format!("There is no recorded diagnosis number {}.", id.0),
                format!("没有编号为 {} 的诊断记录。", id.0),
            ),
            Self::BadParams(bad) => {
                let join = |pick: fn(&Text) -> &str, by: &str| {
                    bad.iter()
                        .map(|bad| pick(&bad.say))
                        .collect::<Vec<_>>()
                        .join(by)
                };
                Text::new(
                    format!("{}.", join(|say| &say.en, "; ")),
                    format!("{}。", join(|say| &say.zh, "；")),
                )
            }
            Self::NotRecorded(error) => {
                let error = error.say();
                Text::new(
                    format!("It can't be recorded, so it is not done: {}.", error.en),
                    format!("无法写入记录，因此没有执行：{}。", error.zh),
                )
            }
            Self::NotKept(RecordId(id), error) => {
                let error = error.say();
                Text::new(
                    format!(
                        "The checks ran, but how they ended can't be recorded, so it is not shown \
                         (record {id} stays without an end): {}.",
                        error.en
                    ),
                    format!(
                        "检查已经运行，但结果无法写入记录，因此不显示（记录 {id} 没有结尾）：{}。",
                        error.zh
                    ),
                )
            }
            Self::NotRead(error) => {
                let error = error.say();
                Text::new(
                    format!("The records can't be read: {}.", error.en),
                    format!("无法读取记录：{}。", error.zh),
                )
            }
        }
    }
}
