//! `mysql.query`: a page's own question to a database.
//!
//! The statement stands in the page and nowhere else; values are bound and never become part of
//! it. It is one `SELECT` (the linter and the probe both see to that) in a transaction in which
//! the server itself refuses writes, under a limit of time that the server keeps, too.

use std::{fmt::Write, time::Duration};

use futures_util::StreamExt;
use indexmap::IndexMap;
use sqlx::{
    AssertSqlSafe, MySql, Row as _, TypeInfo as _, ValueRef as _,
    mysql::{MySqlArguments, MySqlRow},
    query::Query as Prepared,
};
use tokio::time::Instant;

use super::{
    failure::Failure,
    pool::{Held, Link},
    rows::int_of,
    session::heard,
};
use crate::{
    domain::{
        diagnosis::{
            ArgSpec, ArgType, Blind, Column, FactType, PerKey, ProbeSpec, Sighting, TargetKind,
            Unit, Unseen, Value,
        },
        handbook::{ArgValue, Args},
        sql::Query,
    },
    probes::{
        args::Given,
        seen::Seen,
        spec::{arg, count, flag, float},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.query",
    summary: "a question of the page's own: one SELECT with bound values, whose columns become facts",
    targets: &[TargetKind::Mysql],
    args: &[
        ArgSpec {
            name: "sql",
            kind: ArgType::Query,
            default: None,
            range: None,
            meaning: "one SELECT; a value stands in it as `:name`",
        },
        ArgSpec {
            name: "params",
            kind: ArgType::Values,
            default: None,
            range: None,
            meaning: "the value of each `:name`: a text, or a parameter of the page",
        },
        ArgSpec {
            name: "columns",
            kind: ArgType::Columns,
            default: None,
            range: None,
            meaning: "each column and what it is: text, texts (of all rows), yes/no, count, number, bytes, seconds, milliseconds, percent, ratio, per-second",
        },
        arg(
            "rows",
            ArgType::Int,
            "100",
            (1, 1_000),
            "how many rows are read",
        ),
        arg(
            "max_time",
            ArgType::Duration,
            "2s",
            (10, 8_000),
            "how long the server may work on it",
        ),
    ],
    facts: &[
        count("row_count", "rows of the answer, at most `rows`"),
        flag("truncated", "there were more rows than `rows`"),
        float(
            "took_ms",
            Unit::Milliseconds,
            "until the last row was there",
        ),
    ],
    per_key: Some(PerKey {
        arg: "columns",
        facts: &[],
        groups: &[],
    }),
};

/// Longest answer, in bytes of text. Our own choice: many times what a report shows.
const ANSWER_BYTES: usize = 256 * 1024;

/// How many rows are evidence.
const SHOWN: usize = 10;

/// One value of an answer.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Null,
    Int(i64),
    Float(f64),
    Text(String),
}

/// What a query gave.
struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
    truncated: bool,
    took: Duration,
}

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, the server's error, or an answer that is not what the page says.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let (Some(ArgValue::Text(sql)), Some(ArgValue::Columns(columns))) =
        (args.get("sql"), args.get("columns"))
    else {
        return Err(unfit("the check has no query or no columns".to_owned()));
    };
    let query = Query::parse(sql).map_err(|refused| unfit(refused.why))?;
    let values = values(&query, args)?;
    let mut held = link.alive().await?;
    let answer = run(
        &mut held,
        &query.sql,
        values,
        given.count("rows"),
        given.duration("max_time"),
        link.end,
    );
    let answer = answer.await.map_err(|failure| link.blind(&failure))?;
    sighting(&answer, columns)
}

fn unfit(detail: String) -> Blind {
    Unseen::ServerSaid { detail }.into()
}

/// The values in the order of their places.
fn values(query: &Query, args: &Args) -> Result<Vec<Cell>, Blind> {
    let none = Args::new();
    let given = match args.get("params") {
        Some(ArgValue::Values(values)) => values,
        _ => &none,
    };
    let value = |name: &String| match given.get(name) {
        Some(ArgValue::Int(number)) => Ok(Cell::Int(*number)),
        Some(ArgValue::Text(text)) => Ok(Cell::Text(text.clone())),
        _ => Err(unfit(format!("the placeholder :{name} has no value"))),
    };
    query.names.iter().map(value).collect()
}

/// Runs the statement between a read-only transaction's begin and end.
async fn run(
    held: &mut Held<'_>,
    sql: &str,
    values: Vec<Cell>,
    most: usize,
    max_time: Duration,
    end: Instant,
) -> Result<Answer, Failure> {
    let limit = held.version.time_limit(max_time);
    held.ask(&format!("SET SESSION {limit}")).await?;
    held.ask("START TRANSACTION READ ONLY").await?;
    let began = Instant::now();
    let answer = fetch(held, sql, values, most, end).await;
    let took = began.elapsed();
    if let Ok(_) | Err(Failure::Refused(_)) = &answer {
        let usual = held.version.usual_time_limit();
        held.ask(&format!("SET SESSION {usual}")).await?;
        held.ask("ROLLBACK").await?;
    }
    answer.map(|answer| Answer { took, ..answer })
}

async fn fetch(
    held: &mut Held<'_>,
    sql: &str,
    values: Vec<Cell>,
    most: usize,
    end: Instant,
) -> Result<Answer, Failure> {
    let Some(session) = held.session() else {
        return Err(Failure::Cut("the connection is gone".to_owned()));
    };
    let tap = session.tap().clone();
    let connection = session.connection();
    let reading = async {
        let mut answer = Answer {
            columns: Vec::new(),
            rows: Vec::new(),
            truncated: false,
            took: Duration::ZERO,
        };
        let mut bytes = 0;
        let mut stream = bind(sql, values).fetch(connection);
        while let Some(row) = stream.next().await {
            let row = row?;
            if answer.columns.is_empty() {
                let names = row.columns().iter().map(sqlx::Column::name);
                answer.columns = names.map(str::to_ascii_lowercase).collect();
            }
            // The rest is read and forgotten, so that the connection can be used again.
            if answer.rows.len() == most || bytes > ANSWER_BYTES {
                answer.truncated = true;
                continue;
            }
            let cells: Vec<Cell> = (0..row.len()).map(|n| cell(&row, n)).collect();
            bytes += cells.iter().map(Cell::bytes).sum::<usize>();
            answer.rows.push(cells);
        }
        Ok(answer)
    };
    let answer = heard(reading, &tap, end).await;
    if let Err(failure) = &answer
        && !failure.leaves_connection()
    {
        held.spoil();
    }
    answer
}

fn bind(sql: &str, values: Vec<Cell>) -> Prepared<'static, MySql, MySqlArguments> {
    // The text is the page's own, seen by the linter; what comes from outside is bound.
    let mut prepared = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
    for value in values {
        prepared = match value {
            Cell::Int(number) => prepared.bind(number),
            Cell::Float(number) => prepared.bind(number),
            Cell::Text(text) => prepared.bind(text),
            Cell::Null => prepared.bind(None::<String>),
        };
    }
    prepared
}

/// A value in the binary protocol.
fn cell(row: &MySqlRow, n: usize) -> Cell {
    let Ok(value) = row.try_get_raw(n) else {
        return Cell::Null;
    };
    if value.is_null() {
        return Cell::Null;
    }
    let kind = value.type_info().name().to_owned();
    let bytes = || row.try_get_unchecked::<Vec<u8>, _>(n).unwrap_or_default();
    match kind.as_str() {
        "FLOAT" | "DOUBLE" => Cell::Float(row.try_get_unchecked(n).unwrap_or_default()),
        "DATE" | "DATETIME" | "TIMESTAMP" => Cell::Text(moment(&bytes())),
        "TIME" => Cell::Text(span(&bytes())),
        "BIT" => Cell::Int(
            bytes()
                .iter()
                .fold(0, |all, byte| all << 8 | i64::from(*byte)),
        ),
        kind if kind.contains("INT") || matches!(kind, "BOOLEAN" | "YEAR") => {
            Cell::Int(whole(&bytes(), kind.contains("UNSIGNED") || kind == "YEAR"))
        }
        _ => Cell::Text(String::from_utf8_lossy(&bytes()).into_owned()),
    }
}

/// A whole number of 1 to 8 bytes, the least first.
fn whole(bytes: &[u8], unsigned: bool) -> i64 {
    let negative = !unsigned && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut all = [if negative { 0xff } else { 0 }; 8];
    for (place, byte) in all.iter_mut().zip(bytes) {
        *place = *byte;
    }
    if unsigned {
        i64::try_from(u64::from_le_bytes(all)).unwrap_or(i64::MAX)
    } else {
        i64::from_le_bytes(all)
    }
}

/// A date, with a time if it has one: a length, two bytes of year, then a byte for each part.
fn moment(bytes: &[u8]) -> String {
    let at = |n: usize| bytes.get(n).copied().unwrap_or(0);
    let year = u16::from_le_bytes([at(1), at(2)]);
    let mut text = format!("{year:04}-{:02}-{:02}", at(3), at(4));
    if at(0) > 4 {
        let _ = write!(text, " {:02}:{:02}:{:02}", at(5), at(6), at(7));
    }
    text
}

/// A length of time: a length, a sign, four bytes of days, then a byte for each part.
fn span(bytes: &[u8]) -> String {
    let at = |n: usize| bytes.get(n).copied().unwrap_or(0);
    let days = u32::from_le_bytes([at(2), at(3), at(4), at(5)]);
    let sign = if at(1) == 1 { "-" } else { "" };
    format!(
        "{sign}{:02}:{:02}:{:02}",
        days * 24 + u32::from(at(6)),
        at(7),
        at(8)
    )
}

impl Cell {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            _ => 8,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a number with places has no more"
    )]
    fn float(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Null => None,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "places are cut off, `as` saturates"
    )]
    fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Float(number) => Some(*number as i64),
            Self::Text(text) => int_of(text),
            Self::Null => None,
        }
    }

    /// The value as what the page says that it is; none when it is not that.
    fn as_fact(&self, kind: FactType) -> Option<Value> {
        Some(match (kind, self) {
            (_, Self::Null) => Value::None,
            (FactType::Bool, _) => Value::Bool(self.int()? != 0),
            (FactType::Int, _) => Value::Int(self.int()?),
            (FactType::Float, _) => Value::Float(self.float()?),
            (FactType::Text | FactType::TextList, _) => Value::Text(self.shown()),
        })
    }
}

fn sighting(answer: &Answer, columns: &IndexMap<String, Column>) -> Result<Sighting, Blind> {
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} rows{} in {:.1} ms",
        answer.rows.len(),
        if answer.truncated { ", and more" } else { "" },
        answer.took.as_secs_f64() * 1_000.0
    ));
    for row in answer.rows.iter().take(SHOWN) {
        let pairs = answer.columns.iter().zip(row);
        let pairs: Vec<String> = pairs
            .map(|(name, cell)| format!("{name} = {}", cell.shown()))
            .collect();
        seen.line(pairs.join(", "));
    }
    for (name, column) in columns {
        let place = answer.columns.iter().position(|known| known == name);
        if place.is_none() && !answer.rows.is_empty() {
            return Err(unfit(format!("the query's answer has no column {name}")));
        }
        let cells = answer.rows.iter().filter_map(|row| row.get(place?));
        let value = if column.kind == FactType::TextList {
            let texts = cells.filter(|cell| **cell != Cell::Null).map(Cell::shown);
            Value::from(texts.collect::<Vec<String>>())
        } else {
            let mut cells = cells;
            let first = cells.next().unwrap_or(&Cell::Null);
            first
                .as_fact(column.kind)
                .ok_or_else(|| unfit(format!("the column {name} is no {}", column.kind.word())))?
        };
        seen.fact(name, value);
    }
    seen.fact("row_count", answer.rows.len())
        .fact("truncated", answer.truncated)
        .fact("took_ms", answer.took.as_secs_f64() * 1_000.0);
    Ok(seen.done())
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
