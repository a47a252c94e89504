//! `payment.orders`: what the shop's database and WeChat Pay know of the same orders.
//!
//! A rule of a page sees the facts of one probe only, and a payment that has arrived there and not
//! here is in neither answer by itself; so this one asks both.

use std::time::Duration;

use futures_util::future::join_all;
use indexmap::IndexMap;
use tokio::time::Instant;

use super::{
    Merchants,
    client::{Client, Reply},
    keys::Keys,
    order::{Trade, is_number, target, trade},
    state,
};
use crate::{
    app::{Clock, Look, SystemClock},
    config::Wechatpay,
    domain::{
        diagnosis::{
            ArgSpec, ArgType, Blind, Column, ProbeSpec, Sighting, TargetKind, Unit, Unseen, Value,
        },
        handbook::{ArgValue, Args},
        ids::TargetId,
    },
    probes::{
        args::Given,
        docker::Engines,
        mysql,
        seen::{Seen, plain},
        spec::{arg, count, flag, int, seconds, text, texts},
        web::Trouble,
    },
};

/// How both sides stand to each other, the worst first.
const AGREEMENTS: &[&str] = &[
    "paid-there-only",
    "paid-but-closed-here",
    "unknown-here",
    "paid-here-only",
    "amount-differs",
    "just-paid",
    "both-paid",
    "refunded",
    "not-paid",
    "unknown",
    "nothing-to-compare",
];

/// The most waiting orders that are counted, and of which those to ask about are taken.
const MOST_WAITING: i64 = 1_000;

/// Of the orders that are asked about, one in so many is one of the last in the page's order.
const OF_THE_LAST: usize = 4;

/// The part of the time that the database may take.
const DATABASE_PART: f64 = 0.6;

const fn words(
    name: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
) -> ArgSpec {
    ArgSpec {
        name,
        kind: ArgType::Text,
        default,
        range: None,
        meaning,
    }
}

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "payment.orders",
    summary: "whether the shop's database and WeChat Pay agree: on one order, or on the newest that wait for payment",
    targets: &[TargetKind::Wechatpay],
    args: &[
        words("order_no", Some(""), "the order; empty for those of `waiting`"),
        words("database", None, "the name of the MySQL target"),
        words(
            "sql",
            None,
            "a SELECT by `:order_no` that gives the columns order_no, paid and closed (1 or 0) and amount (in hundredths), none of them NULL",
        ),
        words(
            "waiting",
            None,
            "a SELECT without a value that gives the same columns, of all orders that are worth asking about (at most a thousand are read), the newest or most urgent first; when there are more than `most`, a quarter of those that are asked about are its last",
        ),
        arg("most", ArgType::Int, "5", (1, 20), "how many of these are asked about"),
        arg(
            "grace",
            ArgType::Duration,
            "30s",
            (0, 3_600_000),
            "how long after a payment the shop may still wait for WeChat Pay's message",
        ),
    ],
    facts: &[
        text(
            "agreement",
            "the worst of the orders: paid-there-only (WeChat Pay has the money, the shop still waits), paid-but-closed-here, unknown-here (paid, and the shop has no such order), paid-here-only (the shop takes it for paid, WeChat Pay does not), amount-differs, just-paid (within `grace`), both-paid, refunded (there), not-paid (on both sides), unknown (neither side knows it), nothing-to-compare (no order waits)",
        )
        .one_of(AGREEMENTS),
        text("order", "the order that this is said of").optional(),
        count("compared", "orders that both sides were asked about"),
        count(
            "waiting",
            "orders that are worth asking about, at most a thousand: `compared` of these were; 0 when one order is asked for",
        ),
        count("paid_there_only", "how many of them are paid there only"),
        count(
            "refunded_paid_here",
            "how many of them WeChat Pay has paid back, while the shop takes them for paid",
        ),
        text("refunded_paid_here_order", "the first of these").optional(),
        texts("orders", "each of them with what both sides say"),
        flag("known_here", "the database has the order").optional(),
        flag("paid_here", "the database takes it for paid").optional(),
        flag("closed_here", "the database has it closed or cancelled").optional(),
        text("trade_state", "what WeChat Pay says; none when it does not know the order").optional(),
        text("success_time", "when it was paid there").optional(),
        seconds("paid_seconds_ago", "how long ago that was").optional(),
        int("amount_here", Unit::None, "the amount in the database, in hundredths").optional(),
        int("amount_there", Unit::None, "the amount at WeChat Pay, in hundredths").optional(),
    ],
    per_key: None,
};

/// An order as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Here {
    order_no: String,
    paid: bool,
    closed: bool,
    fen: Option<i64>,
}

/// An order on both sides.
struct Pair {
    order_no: String,
    here: Option<Here>,
    /// Nothing when WeChat Pay does not know it.
    there: Option<Trade>,
    agreement: &'static str,
}

/// Looks at the orders of `merchant`.
///
/// # Errors
/// The database or WeChat Pay could not be asked, with the reason.
pub(super) async fn look(
    merchants: &Merchants,
    merchant: &Wechatpay,
    databases: (&mysql::Servers, &Engines),
    asked: &Look,
) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, &asked.args);
    let patience = asked.patience();
    let end = Instant::now() + patience;
    let order_no = given.text("order_no").trim();
    if !order_no.is_empty() && !is_number(order_no) {
        return Err(broken(&format!(
            "{}: no number of an order",
            plain(order_no, 40)
        )));
    }
    let keys = Keys::read(merchant).map_err(|unfit| Blind::Unknown(unfit.unseen()))?;
    let client = merchants.client(merchant, &keys, patience).await?;
    let here = of_database(databases, asked, &given, order_no).await?;
    let (numbers, waiting) = if order_no.is_empty() {
        let all: Vec<&str> = here.iter().map(|it| it.order_no.as_str()).collect();
        (chosen(&all, given.count("most")), all.len())
    } else {
        (vec![order_no], 0)
    };
    let questions = numbers
        .into_iter()
        .map(|number| compare(&client, number, &here, &given, end));
    let pairs = join_all(questions).await;
    let pairs: Vec<Pair> = pairs
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|reply| blind(&client, &reply, patience))?;
    Ok(sighting(&pairs, waiting))
}

/// At most `most` of `all`: the first, and when there are more a part from the end, so that one
/// that has waited long is found behind many new ones.
fn chosen<'a>(all: &[&'a str], most: usize) -> Vec<&'a str> {
    let fit: Vec<&str> = all.iter().copied().filter(|it| is_number(it)).collect();
    if fit.len() <= most {
        return fit;
    }
    let last = most / OF_THE_LAST;
    let (first, rest) = fit.split_at(most - last);
    let last = rest.iter().skip(rest.len() - last);
    first.iter().chain(last).copied().collect()
}

fn broken(what: &str) -> Blind {
    Blind::Unknown(Unseen::Broken {
        reference: format!("payment.orders, {what}"),
    })
}

/// The order, or those that wait, from the page's own question to the database.
async fn of_database(
    (databases, engines): (&mysql::Servers, &Engines),
    asked: &Look,
    given: &Given<'_>,
    order_no: &str,
) -> Result<Vec<Here>, Blind> {
    let name = given.text("database");
    let target: TargetId = name.parse().map_err(|_| {
        Blind::Unknown(Unseen::NoSuchTarget {
            name: plain(name, 40),
        })
    })?;
    let mut args = Args::new();
    let sql = if order_no.is_empty() {
        "waiting"
    } else {
        "sql"
    };
    args.insert("sql".to_owned(), ArgValue::Text(given.text(sql).to_owned()));
    if !order_no.is_empty() {
        let number = ArgValue::Text(order_no.to_owned());
        let values = IndexMap::from([("order_no".to_owned(), number)]);
        args.insert("params".to_owned(), ArgValue::Values(values));
    }
    let columns = ["order_no", "paid", "closed", "amount"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), "texts".parse::<Column>().ok()?)));
    args.insert("columns".to_owned(), ArgValue::Columns(columns.collect()));
    let most = if order_no.is_empty() {
        MOST_WAITING
    } else {
        given.int("most")
    };
    args.insert("rows".to_owned(), ArgValue::Int(most));
    let question = Look {
        probe: "mysql.query".to_owned(),
        target,
        args,
        deadline: asked.deadline.mul_f64(DATABASE_PART),
    };
    let seen = databases
        .look(&question, engines)
        .await
        .unwrap_or_else(|| Err(broken("no mysql.query")))?;
    Ok(rows(&seen))
}

fn rows(seen: &Sighting) -> Vec<Here> {
    let column = |name: &str| match seen.facts.get(name) {
        Some(Value::List(values)) => values.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    let (paid, closed, amount) = (column("paid"), column("closed"), column("amount"));
    let yes = |column: &[String], n: usize| column.get(n).is_some_and(|it| it == "1");
    column("order_no")
        .into_iter()
        .enumerate()
        .map(|(n, order_no)| Here {
            order_no,
            paid: yes(&paid, n),
            closed: yes(&closed, n),
            fen: amount.get(n).and_then(|it| it.parse().ok()),
        })
        .collect()
}

async fn compare(
    client: &Client<'_>,
    order_no: &str,
    here: &[Here],
    given: &Given<'_>,
    end: Instant,
) -> Result<Pair, Result<Reply, Trouble>> {
    let outcome = client.get(&target(client.merchant, order_no), end).await;
    let there = match state::of(&outcome) {
        "ok" => Some(trade(&outcome)),
        "not-found" => None,
        _ => return Err(outcome),
    };
    let here = here
        .iter()
        .find(|it| it.order_no.eq_ignore_ascii_case(order_no))
        .cloned();
    let agreement = judged(here.as_ref(), there.as_ref(), given.duration("grace"));
    Ok(Pair {
        order_no: order_no.to_owned(),
        here,
        there,
        agreement,
    })
}

fn judged(here: Option<&Here>, there: Option<&Trade>, grace: Duration) -> &'static str {
    let state = there.and_then(|it| it.state);
    let refunded = state == Some("REFUND");
    let paid_there = state == Some("SUCCESS");
    let Some(here) = here else {
        return match there {
            Some(_) if paid_there => "unknown-here",
            Some(_) => "not-paid",
            None => "unknown",
        };
    };
    match (here.paid, paid_there) {
        (true, true) => match (here.fen, there.and_then(|it| it.fen)) {
            (Some(ours), Some(theirs)) if ours != theirs => "amount-differs",
            _ => "both-paid",
        },
        (false, true) => {
            let age = there.and_then(|it| it.paid_at).map(|at| {
                let age = SystemClock.now().as_second() - at.as_second();
                u64::try_from(age).unwrap_or_default()
            });
            if age.is_some_and(|age| age < grace.as_secs()) {
                "just-paid"
            } else if here.closed {
                "paid-but-closed-here"
            } else {
                "paid-there-only"
            }
        }
        (_, false) if refunded => "refunded",
        (true, false) => "paid-here-only",
        (false, false) => "not-paid",
    }
}

/// What stands between us and WeChat Pay is a reason not to have looked; `wechatpay.ready` tells
/// it as a fact.
fn blind(client: &Client<'_>, outcome: &Result<Reply, Trouble>, patience: Duration) -> Blind {
    let address = client.site.address();
    match outcome {
        Err(trouble) => Blind::Unknown(trouble.unseen(&address, patience)),
        Ok(_) => Blind::Unknown(Unseen::ServerSaid {
            detail: format!(
                "WeChat Pay, {}: {}",
                state::of(outcome),
                state::detail(outcome)
            ),
        }),
    }
}

fn sighting(pairs: &[Pair], waiting: usize) -> Sighting {
    let rank = |it: &&Pair| AGREEMENTS.iter().position(|word| *word == it.agreement);
    let worst = pairs.iter().min_by_key(rank);
    let lines: Vec<String> = pairs.iter().map(Pair::line).collect();
    let here = worst.and_then(|it| it.here.as_ref());
    let there = worst.and_then(|it| it.there.as_ref());
    let paid_at = there.and_then(|it| it.paid_at);
    let now = SystemClock.now().as_second();
    let mut seen = Seen::new(&SPEC);
    if lines.is_empty() {
        seen.line("no order waits for payment long enough to be asked about");
    }
    if waiting > pairs.len() {
        seen.line(format!(
            "{} of {waiting} waiting orders compared",
            pairs.len()
        ));
    }
    for line in &lines {
        seen.line(line);
    }
    let refunded: Vec<&Pair> = pairs
        .iter()
        .filter(|it| it.is_refunded_there_only())
        .collect();
    seen.fact("waiting", waiting)
        .fact("refunded_paid_here", refunded.len())
        .fact(
            "refunded_paid_here_order",
            refunded.first().map(|it| it.order_no.as_str()),
        );
    seen.fact(
        "agreement",
        worst.map_or("nothing-to-compare", |it| it.agreement),
    )
    .fact("order", worst.map(|it| it.order_no.as_str()))
    .fact("compared", pairs.len())
    .fact(
        "paid_there_only",
        pairs
            .iter()
            .filter(|it| it.agreement == "paid-there-only")
            .count(),
    )
    .fact("orders", lines)
    .fact("known_here", worst.map(|it| it.here.is_some()))
    .fact("paid_here", here.map(|it| it.paid))
    .fact("closed_here", here.map(|it| it.closed))
    .fact("trade_state", there.and_then(|it| it.state))
    .fact(
        "success_time",
        paid_at.map(|at| at.strftime("%F %T UTC").to_string()),
    )
    .fact(
        "paid_seconds_ago",
        paid_at.map(|at| (now - at.as_second()).max(0)),
    )
    .fact("amount_here", here.and_then(|it| it.fen))
    .fact("amount_there", there.and_then(|it| it.fen));
    seen.done()
}

impl Pair {
    /// WeChat Pay has paid it back, and the shop takes it for paid.
    fn is_refunded_there_only(&self) -> bool {
        self.agreement == "refunded" && self.here.as_ref().is_some_and(|here| here.paid)
    }

    fn line(&self) -> String {
        let here = match &self.here {
            None => "not known",
            Some(here) if here.paid => "paid",
            Some(here) if here.closed => "closed",
            Some(_) => "waits for payment",
        };
        let there = match &self.there {
            None => "not known",
            Some(trade) => trade.state.unwrap_or("OTHER"),
        };
        format!(
            "{}: here {here}, at WeChat Pay {there} ({})",
            self.order_no, self.agreement
        )
    }
}

#[cfg(test)]
#[path = "settled_tests.rs"]
mod tests;
