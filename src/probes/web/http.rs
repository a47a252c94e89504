//! `http.get`: one request, its answer, and where the time went.

mod body;
mod spec;

use std::time::Duration;

use hyper::Method;
use jiff::{Timestamp, fmt::rfc2822};
use tokio::time::Instant;

pub use spec::SPEC;

use self::body::Expectations;
use super::{
    Urls,
    exchange::{Answer, BodyEnd, Question, ask},
    site::{Scheme, Site},
    trouble::Trouble,
    trust::{Papers, shake},
    way::{Times, arrive, millis},
};
use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        handbook::Args,
        text::Text,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
    },
};

/// How much of a body is evidence when the answer is no success, in characters.
const BODY_CHARS: usize = 200;

/// Everything that one look has found out.
struct Fetched {
    /// Where the last request went.
    site: Site,
    times: Times,
    papers: Option<Papers>,
    outcome: Result<Answer, Trouble>,
    redirects: usize,
    location: Option<String>,
    too_many: bool,
    total: Duration,
    /// How long the answer before this one took, which was slow where this one isn't.
    slow_once: Option<Duration>,
}

/// Looks at `site`.
///
/// # Errors
/// The URL is of another kind, or the configuration or the page can't be used.
pub(super) async fn look(
    urls: &Urls,
    site: &Site,
    args: &Args,
    patience: Duration,
) -> Result<Sighting, Blind> {
    if site.scheme == Scheme::Tcp {
        return Err(Blind::NotApplicable(Text::new(
            "this target is tcp://, which answers no HTTP request",
            "该目标是 tcp://，不应答 HTTP 请求",
        )));
    }
    let given = Given::new(&SPEC, args);
    let method = match given.text("method") {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        other => return Err(broken(&format!("method {other}: GET or HEAD"))),
    };
    let expectations = Expectations::new(given.patterns("patterns"))
        .map_err(|name| broken(&format!("pattern {name}")))?;
    let site = match given.text("path") {
        "" => site.clone(),
        path => site.clone().with_path(path),
    };
    let fetched = patiently(urls, site, &method, &given, Instant::now() + patience).await;
    if let Err(trouble) = &fetched.outcome
        && trouble.is_our_own()
    {
        let address = fetched.site.address();
        return Err(Blind::Unknown(trouble.unseen(&address, patience)));
    }
    Ok(sighting(&fetched, &method, &expectations))
}

/// The linter lets no page through that is told of here.
fn broken(what: &str) -> Blind {
    Blind::Unknown(Unseen::Broken {
        reference: format!("http.get, {what}"),
    })
}

/// Asks, and a second time where the answer was slow: one slow answer may be the moment's (a cache that has just run
/// out, this machine's own load), and what the second doesn't bear out is not told as slow.
async fn patiently(
    urls: &Urls,
    site: Site,
    method: &Method,
    given: &Given<'_>,
    end: Instant,
) -> Fetched {
    let slow = match given.count("again_from_ms") {
        0 => Duration::MAX,
        from => Duration::from_millis(u64::try_from(from).unwrap_or(u64::MAX)),
    };
    let first = fetch(urls, site.clone(), method, given, end).await;
    if first.total < slow || !first.is_success() {
        return first;
    }
    let second = fetch(urls, site, method, given, end).await;
    if second.total >= slow || second.state() != "ok" {
        return first;
    }
    Fetched {
        slow_once: Some(first.total),
        ..second
    }
}

async fn fetch(
    urls: &Urls,
    site: Site,
    method: &Method,
    given: &Given<'_>,
    end: Instant,
) -> Fetched {
    let began = Instant::now();
    let follow = given.count("follow");
    let mut fetched = Fetched {
        site,
        times: Times::default(),
        papers: None,
        outcome: Err(Trouble::Silent),
        redirects: 0,
        location: None,
        too_many: false,
        total: Duration::ZERO,
        slow_once: None,
    };
    loop {
        fetched.times = Times::default();
        fetched.papers = None;
        fetched.outcome = once(urls, &mut fetched, method, given.count("most_bytes"), end).await;
        let next = match &fetched.outcome {
            Ok(answer) if (300..400).contains(&answer.status) => {
                fetched.location = answer.header("location");
                let location = fetched.location.as_deref().unwrap_or_default();
                fetched.site.follow(location)
            }
            _ => None,
        };
        match next {
            Some(next) if fetched.redirects < follow => {
                fetched.redirects += 1;
                fetched.site = next;
            }
            // Redirects that nobody asked to follow are an answer.
            next => {
                fetched.too_many = next.is_some() && follow > 0;
                fetched.total = began.elapsed();
                return fetched;
            }
        }
    }
}

async fn once(
    urls: &Urls,
    fetched: &mut Fetched,
    method: &Method,
    most_bytes: usize,
    end: Instant,
) -> Result<Answer, Trouble> {
    let site = &fetched.site;
    let authority = site.authority();
    let question = Question {
        method: method.clone(),
        host: &authority,
        path: &site.path,
        headers: &[],
        most_bytes,
    };
    let answer = if site.scheme == Scheme::Https {
        let context = urls.trust.context(&site.tls).await?;
        let arrival = arrive(site, &mut fetched.times, end).await?;
        let began = Instant::now();
        let (stream, papers) = shake(&context, &site.host, arrival.stream, end).await?;
        fetched.times.tls = Some(began.elapsed());
        fetched.papers = Some(papers);
        ask(stream, &question, end).await?
    } else {
        let arrival = arrive(site, &mut fetched.times, end).await?;
        ask(arrival.stream, &question, end).await?
    };
    fetched.times.first_byte = Some(answer.first_byte);
    fetched.times.body = Some(answer.rest);
    Ok(answer)
}

impl Fetched {
    fn problem(&self) -> Option<&super::trust::Problem> {
        self.papers.as_ref().and_then(Papers::problem)
    }

    /// A whole answer came that reports no error.
    fn is_success(&self) -> bool {
        self.state() == "ok" && self.outcome.as_ref().is_ok_and(|it| it.status < 400)
    }

    /// The first thing in a client's way.
    fn state(&self) -> &'static str {
        match &self.outcome {
            Err(trouble) => trouble.state(),
            Ok(_) if self.problem().is_some() => "certificate",
            Ok(_) if self.too_many => "too-many-redirects",
            Ok(answer) => match answer.body_end {
                BodyEnd::Whole | BodyEnd::TooLong => "ok",
                BodyEnd::Cut => "body-cut",
                BodyEnd::TimedOut => "body-timeout",
            },
        }
    }

    fn detail(&self) -> String {
        match (&self.outcome, self.problem()) {
            (Err(trouble), _) => trouble.detail(),
            (Ok(_), Some(problem)) => format!("{}: {}", problem.kind, problem.said),
            (Ok(_), None) if self.too_many => {
                format!(
                    "{} redirects were followed and there are more",
                    self.redirects
                )
            }
            (Ok(answer), None) => match answer.body_end {
                BodyEnd::Whole | BodyEnd::TooLong => String::new(),
                BodyEnd::Cut => "the connection was cut in the middle of the body".to_owned(),
                BodyEnd::TimedOut => "the body was not there in time".to_owned(),
            },
        }
    }
}

fn sighting(fetched: &Fetched, method: &Method, expectations: &Expectations<'_>) -> Sighting {
    let state = fetched.state();
    let detail = fetched.detail();
    let url = fetched.site.shown();
    let mut seen = Seen::new(&SPEC);
    let answer = fetched.outcome.as_ref().ok();
    seen.line(match answer {
        Some(answer) => format!(
            "{method} {url} at {}: {} {}, {} bytes in {:.1} ms",
            fetched.site.address(),
            answer.version,
            answer.status,
            answer.body.len(),
            millis(fetched.total)
        ),
        None => format!(
            "{method} {url} at {}: {state}: {detail}",
            fetched.site.address()
        ),
    });
    seen.line(where_time_went(&fetched.times));
    if let Some(before) = fetched.slow_once {
        let before = millis(before);
        seen.line(format!(
            "asked a second time: the answer before took {before:.1} ms"
        ));
    }
    if answer.is_some() && !detail.is_empty() {
        seen.line(format!("{state}: {detail}"));
    }
    if let Some(answer) = answer {
        evidence(&mut seen, answer);
    }
    let times = &fetched.times;
    seen.fact("state", state)
        .fact("answered", answer.is_some())
        .fact(
            "certificate_problem",
            fetched.problem().map_or("none", |it| it.kind),
        )
        .fact("location", fetched.location.clone())
        .fact("redirects", fetched.redirects)
        .fact("dns_ms", times.dns.map(millis))
        .fact("connect_ms", times.connect.map(millis))
        .fact("tls_ms", times.tls.map(millis))
        .fact("first_byte_ms", times.first_byte.map(millis))
        .fact("body_ms", times.body.map(millis))
        .fact("total_ms", millis(fetched.total))
        .fact("slow_once_ms", fetched.slow_once.map(millis))
        .fact("url", url)
        .fact("host", fetched.site.host.as_str())
        .fact("address", fetched.site.address())
        .fact("detail", detail);
    answered(&mut seen, answer);
    expectations.tell(&mut seen, answer.map(|it| it.body.as_slice()));
    seen.done()
}

fn answered(seen: &mut Seen, answer: Option<&Answer>) {
    let now = SystemClock.now();
    let header = |name: &str| answer.and_then(|it| it.header(name));
    let ahead = header("date")
        .and_then(|date| moment(&date))
        .map(|theirs| now.as_second() - theirs.as_second());
    let retry = header("retry-after").and_then(|text| {
        let waits = text.parse().ok();
        waits.or_else(|| Some((moment(&text)?.as_second() - now.as_second()).max(0)))
    });
    seen.fact("status", answer.map(|it| i64::from(it.status)))
        .fact("http_version", answer.map(|it| it.version))
        .fact("body_bytes", answer.map_or(0, |it| it.body.len()))
        .fact(
            "body_truncated",
            answer.is_some_and(|it| it.body_end == BodyEnd::TooLong),
        )
        .fact("content_type", header("content-type"))
        .fact("server", header("server"))
        .fact("retry_after_seconds", retry)
        .fact("clock_ahead_seconds", ahead);
}

/// A moment in a header (RFC 9110, 5.6.7).
fn moment(text: &str) -> Option<Timestamp> {
    Some(rfc2822::parse(text).ok()?.timestamp())
}

fn evidence(seen: &mut Seen, answer: &Answer) {
    for name in [
        "server",
        "content-type",
        "location",
        "retry-after",
        "date",
        "via",
    ] {
        if let Some(value) = answer.header(name) {
            seen.line(format!("{name}: {value}"));
        }
    }
    if answer.status >= 400 && !answer.body.is_empty() {
        let body = plain(&String::from_utf8_lossy(&answer.body), BODY_CHARS);
        seen.line(format!("it said: {body}"));
    }
}

fn where_time_went(times: &Times) -> String {
    let parts = [
        ("DNS", times.dns),
        ("connect", times.connect),
        ("TLS", times.tls),
        ("first byte", times.first_byte),
        ("body", times.body),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter_map(|(name, took)| Some(format!("{name} {:.1} ms", millis((*took)?))))
        .collect();
    if told.is_empty() {
        "no connection came about".to_owned()
    } else {
        told.join(", ")
    }
}
