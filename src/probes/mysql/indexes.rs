//! `mysql.indexes`: whether needed indexes are there.

use std::collections::BTreeSet;

use super::{pool::Link, rows::Row};
use crate::{
    domain::{
        diagnosis::{ArgSpec, ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unseen},
        handbook::{ArgValue, Args},
    },
    probes::{
        seen::Seen,
        spec::{count, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.indexes",
    summary: "whether the indexes that the page names are there, and tables without a primary key",
    targets: &[TargetKind::Mysql],
    args: &[ArgSpec {
        name: "needed",
        kind: ArgType::Text,
        default: Some(""),
        range: None,
        meaning: "the needed indexes: `orders(order_no), orders(user_id, created_at)`; a schema before the table where the target names none: `mall.orders(…)`",
    }],
    facts: &[
        count(
            "needed_count",
            "indexes that the page names, on tables and columns that exist",
        ),
        texts("missing", "of them those that no index begins with"),
        count("missing_count", "how many"),
        texts(
            "missing_tables",
            "tables that the page names and that do not exist",
        ),
        texts(
            "missing_columns",
            "columns that the page names and that their table does not have, as `table.column`",
        ),
        texts(
            "without_primary_key",
            "tables of at least a thousand rows without a primary key",
        ),
        count("tables", "tables that were looked at"),
    ],
    per_key: None,
};

/// Indexes with their columns in order; one that is invisible to the optimizer does not count.
const INDEXES: &str = "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS tab, INDEX_NAME AS idx, \
     GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) AS cols \
     FROM information_schema.STATISTICS WHERE TABLE_SCHEMA NOT IN \
     ('mysql', 'performance_schema', 'information_schema', 'sys') {HIDDEN} \
     GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME LIMIT 5000";

const TABLES: &str = "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS tab, TABLE_ROWS AS estimate \
     FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN \
     ('mysql', 'performance_schema', 'information_schema', 'sys') LIMIT 5000";

/// The columns of the tables that the page names.
const COLUMNS: &str = "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS tab, COLUMN_NAME AS col \
     FROM information_schema.COLUMNS WHERE TABLE_NAME IN ({TABLES}) LIMIT 5000";

/// From how many rows on a missing primary key is told.
const MANY_ROWS: i64 = 1_000;

/// An index that a page needs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Needed {
    schema: Option<String>,
    table: String,
    columns: Vec<String>,
}

impl Needed {
    fn shown(&self) -> String {
        format!("{}({})", self.table, self.columns.join(", "))
    }

    /// `orders(user_id, created_at), mall.order_items(sku_id)`.
    fn parse(text: &str) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let wrong = || format!("`{rest}` is no index; as in `orders(user_id, created_at)`");
            let (name, after) = rest.split_once('(').ok_or_else(wrong)?;
            let (columns, after) = after.split_once(')').ok_or_else(wrong)?;
            let (schema, table) = match name.trim().split_once('.') {
                Some((schema, table)) => (Some(schema), table),
                None => (None, name.trim()),
            };
            let columns: Vec<String> = columns
                .split(',')
                .map(|column| column.trim().to_ascii_lowercase())
                .collect();
            let names = columns.iter().map(String::as_str);
            if !names.chain(schema).chain([table]).all(is_name) {
                return Err(wrong());
            }
            all.push(Self {
                schema: schema.map(str::to_owned),
                table: table.to_owned(),
                columns,
            });
            rest = after.trim().trim_start_matches([',', ';']).trim();
        }
        Ok(all)
    }

    /// Whether an index on `columns` serves: it begins with all of ours, in any order among them.
    fn is_served_by(&self, columns: &[String]) -> bool {
        let begin = columns.get(..self.columns.len());
        begin.is_some_and(|begin| {
            // Equality on all of them needs no order; a range on the last one does.
            begin == self.columns
                || self.columns.iter().all(|column| begin.contains(column))
                    && begin.last() == self.columns.last()
        })
    }
}

/// Whether it can be a name without quotes.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    !name.is_empty() && name.chars().all(allowed)
}

/// What the server says of the tables and their indexes.
#[derive(Default)]
struct Told {
    indexes: Vec<Row>,
    tables: Vec<Row>,
    columns: Vec<Row>,
}

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or the page's indexes can't be read.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let blind = |failure| link.blind(&failure);
    let text = match args.get("needed") {
        Some(ArgValue::Text(text)) => text.as_str(),
        _ => "",
    };
    let needed =
        Needed::parse(text).map_err(|detail| Blind::from(Unseen::ServerSaid { detail }))?;
    let mut held = link.alive().await?;
    let hidden = if held.version.is_mysql(8, 0) {
        "AND IS_VISIBLE = 'YES'"
    } else if held.version.is_mariadb() && (held.version.major, held.version.minor) >= (10, 6) {
        "AND IGNORED = 'NO'"
    } else {
        ""
    };
    let mut told = Told {
        indexes: held
            .ask(&INDEXES.replace("{HIDDEN}", hidden))
            .await
            .map_err(blind)?,
        tables: held.ask(TABLES).await.map_err(blind)?,
        columns: Vec::new(),
    };
    if !needed.is_empty() {
        // Each is a name, which needs no escaping.
        let names: BTreeSet<String> = needed.iter().map(|it| format!("'{}'", it.table)).collect();
        let names: Vec<String> = names.into_iter().collect();
        let ask = COLUMNS.replace("{TABLES}", &names.join(", "));
        told.columns = held.ask(&ask).await.map_err(blind)?;
    }
    Ok(sighting(&needed, link.server.database.as_deref(), &told))
}

fn sighting(needed: &[Needed], database: Option<&str>, told: &Told) -> Sighting {
    let Told {
        indexes,
        tables,
        columns,
    } = told;
    let same = |row: &Row, it: &Needed| {
        let schema = it.schema.as_deref().or(database);
        row.str("tab").eq_ignore_ascii_case(&it.table)
            && schema.is_none_or(|schema| row.str("db").eq_ignore_ascii_case(schema))
    };
    let mut gone = BTreeSet::new();
    let (mut missing, mut absent, mut known) = (Vec::new(), Vec::new(), 0_usize);
    for it in needed {
        if !tables.iter().any(|row| same(row, it)) {
            absent.push(it.table.clone());
            continue;
        }
        let lacks = |column: &&String| {
            let of_it = columns.iter().filter(|row| same(row, it));
            !of_it
                .map(|row| row.str("col"))
                .any(|name| name.eq_ignore_ascii_case(column))
        };
        let lacking: Vec<&String> = it.columns.iter().filter(lacks).collect();
        if !lacking.is_empty() {
            let named = lacking.iter().map(|name| format!("{}.{name}", it.table));
            gone.extend(named);
            continue;
        }
        known += 1;
        let served = indexes.iter().filter(|row| same(row, it)).any(|row| {
            let columns: Vec<String> = row
                .str("cols")
                .split(',')
                .map(str::to_ascii_lowercase)
                .collect();
            it.is_served_by(&columns)
        });
        if !served {
            missing.push(it.shown());
        }
    }
    let primary: BTreeSet<(&str, &str)> = indexes
        .iter()
        .filter(|row| row.str("idx") == "PRIMARY")
        .map(|row| (row.str("db"), row.str("tab")))
        .collect();
    let bare: Vec<String> = tables
        .iter()
        .filter(|row| row.int("estimate").unwrap_or(0) >= MANY_ROWS)
        .filter(|row| !primary.contains(&(row.str("db"), row.str("tab"))))
        .map(|row| format!("{}.{}", row.str("db"), row.str("tab")))
        .collect();
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} tables, {known} needed indexes, {} missing",
        tables.len(),
        missing.len()
    ));
    for line in &missing {
        seen.line(format!("missing: {line}"));
    }
    for line in &bare {
        seen.line(format!("no primary key: {line}"));
    }
    absent.dedup();
    seen.fact("needed_count", known)
        .fact("missing_count", missing.len())
        .fact("missing", missing)
        .fact("missing_tables", absent)
        .fact("missing_columns", gone.into_iter().collect::<Vec<_>>())
        .fact("without_primary_key", bare)
        .fact("tables", tables.len());
    seen.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_indexes_are_read() {
        let all = Needed::parse("orders(order_no), mall.orders (user_id, Created_At)").unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].schema.as_deref(), Some("mall"));
        assert_eq!(all[1].columns, ["user_id", "created_at"]);
        assert!(Needed::parse("").unwrap().is_empty());
        for wrong in [
            "orders",
            "orders()",
            "or'ders(a)",
            "orders(a b)",
            ".orders(a)",
        ] {
            assert!(Needed::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_longer_index_serves_and_a_shorter_does_not() {
        let columns = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let one = &Needed::parse("o(a, b)").unwrap()[0];
        assert!(one.is_served_by(&columns("a,b,c")));
        assert!(!one.is_served_by(&columns("a")) && !one.is_served_by(&columns("c,a,b")));
    }
}
