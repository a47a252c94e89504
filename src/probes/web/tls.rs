//! `tls.certificate`: what a server shows in its handshake, and whether it stands up.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Urls,
    certificate::{Certificate, moment},
    site::{Scheme, Site},
    trouble::{STATES as TROUBLES, Trouble},
    trust::{PROBLEMS, Papers, shake},
    way::{Times, arrive, millis},
};
use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
        text::Text,
    },
    probes::{
        seen::Seen,
        spec::{count, flag, float, int, text, texts},
    },
};

/// How far the handshake got.
const STATES: &[&str] = &[
    "ok",
    "not-https",
    "unresolved",
    "resolve-timeout",
    "refused",
    "unreachable",
    "connect-timeout",
    "reset",
    "tls-timeout",
    "tls",
    "wrong-protocol",
];

/// How many certificates of a chain are evidence.
const SHOWN: usize = 5;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "tls.certificate",
    summary: "the certificate that a server shows: names, validity, chain, protocol; told also when it does not stand up",
    targets: &[TargetKind::Url],
    args: &[],
    facts: &[
        text("state", "ok when the handshake came to its end, whatever is wrong with the certificate; else the first thing in its way")
            .one_of(STATES),
        flag("is_https", "the URL begins with https"),
        flag("verified", "a client that insists would accept it; none without a handshake").optional(),
        text("problem", "the most telling thing that is wrong; none (the word) when nothing is, or nothing was shown")
            .one_of(PROBLEMS),
        texts("problems", "everything that is wrong, with whose certificate it is"),
        flag("expired", "a certificate of the chain has ended").optional(),
        flag("not_yet_valid", "a certificate of the chain has not begun").optional(),
        flag("name_matches", "the certificate stands for the URL's host").optional(),
        flag("trusted", "the chain leads to an authority that is trusted, times and names aside").optional(),
        int("days_left", Unit::Count, "whole days until the first of the chain ends; below 0 when it has").optional(),
        int("seconds_left", Unit::Seconds, "the same in seconds").optional(),
        text("ends", "when that is, UTC").setting().optional(),
        text("begins", "from when the server's own certificate is valid, UTC").optional(),
        text("ending", "whose certificate ends first").optional(),
        text("subject", "whom the server's own certificate is for").optional(),
        text("issuer", "who has issued it").setting().optional(),
        texts("names", "the hosts that it stands for"),
        texts("chain", "the certificates that the server sent, its own first"),
        count("chain_length", "how many these are"),
        text("protocol", "the version of TLS").optional(),
        text("cipher", "the cipher suite").optional(),
        text("key", "kind and size of the certificate's key").optional(),
        text("signature", "how it is signed").optional(),
        text("serial", "its serial number, hexadecimal").setting().optional(),
        text("host", "the host of the URL"),
        text("address", "where it looked"),
        float("handshake_ms", Unit::Milliseconds, "the time of the handshake").optional(),
        text("detail", "what was said about the state or the problem; empty when all is well"),
    ],
    per_key: None,
};

/// Looks at `site`.
///
/// # Errors
/// The URL is of another kind, or a file of the configuration can't be used.
pub(super) async fn look(urls: &Urls, site: &Site, patience: Duration) -> Result<Sighting, Blind> {
    if site.scheme == Scheme::Tcp {
        return Err(Blind::NotApplicable(Text::new(
            "this target is tcp://, which has no certificate",
            "该目标是 tcp://，没有证书",
        )));
    }
    if site.scheme == Scheme::Http {
        return Ok(without(site, "not-https", "the URL begins with http://"));
    }
    let end = Instant::now() + patience;
    let mut times = Times::default();
    match meet(urls, site, &mut times, end).await {
        Ok(papers) => Ok(sighting(site, &papers, &times)),
        Err(trouble) if trouble.is_our_own() => {
            Err(Blind::Unknown(trouble.unseen(&site.address(), patience)))
        }
        Err(trouble) => Ok(without(site, trouble.state(), &trouble.detail())),
    }
}

async fn meet(
    urls: &Urls,
    site: &Site,
    times: &mut Times,
    end: Instant,
) -> Result<Papers, Trouble> {
    let context = urls.trust.context(&site.tls).await?;
    let arrival = arrive(site, times, end).await?;
    let began = Instant::now();
    let (_, papers) = shake(&context, &site.host, arrival.stream, end).await?;
    times.tls = Some(began.elapsed());
    Ok(papers)
}

fn without(site: &Site, state: &'static str, detail: &str) -> Sighting {
    debug_assert!(state == "not-https" || TROUBLES.contains(&state));
    let mut seen = Seen::new(&SPEC);
    seen.line(format!("{}: {state}: {detail}", site.shown()));
    seen.fact("state", state)
        .fact("is_https", site.scheme == Scheme::Https)
        .fact("problem", "none")
        .fact("problems", Vec::<String>::new())
        .fact("names", Vec::<String>::new())
        .fact("chain", Vec::<String>::new())
        .fact("chain_length", 0)
        .fact("host", site.host.as_str())
        .fact("address", site.address())
        .fact("detail", detail);
    seen.done()
}

fn sighting(site: &Site, papers: &Papers, times: &Times) -> Sighting {
    let now = SystemClock.now().as_second();
    let has = |kinds: &[&str]| papers.problems.iter().any(|it| kinds.contains(&it.kind));
    let problem = papers.problem();
    let detail = problem.map_or_else(String::new, |it| it.said.clone());
    let problems: Vec<String> = papers
        .problems
        .iter()
        .map(|it| format!("{}: {} ({})", it.kind, it.subject, it.said))
        .collect();
    let own = papers.chain.first();
    let ending = papers
        .chain
        .iter()
        .filter(|it| it.ends.is_some())
        .min_by_key(|it| it.ends);
    let lines: Vec<String> = papers.chain.iter().map(Certificate::line).collect();

    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} at {}: {}, {}{}",
        site.shown(),
        site.address(),
        papers.protocol,
        papers.cipher,
        times
            .tls
            .map_or_else(String::new, |took| format!(", {:.1} ms", millis(took)))
    ));
    for (n, line) in lines.iter().take(SHOWN).enumerate() {
        seen.line(format!("{n}: {line}"));
    }
    if let Some(own) = own {
        seen.line(format!("names: {}", own.names.join(", ")));
    }
    for line in &problems {
        seen.line(line);
    }
    seen.fact("state", "ok")
        .fact("is_https", true)
        .fact("verified", papers.problems.is_empty())
        .fact("problem", problem.map_or("none", |it| it.kind))
        .fact("problems", problems)
        .fact("expired", has(&["expired"]))
        .fact("not_yet_valid", has(&["not-yet-valid"]))
        .fact("name_matches", !has(&["name-mismatch"]))
        .fact(
            "trusted",
            !has(&["self-signed", "untrusted", "incomplete-chain"]),
        )
        .fact("days_left", ending.and_then(|it| it.days_left(now)))
        .fact(
            "seconds_left",
            ending.and_then(|it| it.ends).map(|at| at - now),
        )
        .fact("ends", ending.map(|it| moment(it.ends)))
        .fact("ending", ending.map(|it| it.subject.clone()))
        .fact("chain_length", papers.chain.len())
        .fact("chain", lines)
        .fact("protocol", papers.protocol.as_str())
        .fact("cipher", papers.cipher.as_str())
        .fact("host", site.host.as_str())
        .fact("address", site.address())
        .fact("handshake_ms", times.tls.map(millis))
        .fact("detail", detail);
    describe(&mut seen, own);
    seen.done()
}

fn describe(seen: &mut Seen, own: Option<&Certificate>) {
    seen.fact("names", own.map(|it| it.names.clone()).unwrap_or_default())
        .fact("begins", own.map(|it| moment(it.begins)))
        .fact("subject", own.map(|it| it.subject.clone()))
        .fact("issuer", own.map(|it| it.issuer.clone()))
        .fact("key", own.map(|it| it.key.clone()))
        .fact("signature", own.map(|it| it.signature.clone()))
        .fact("serial", own.map(|it| it.serial.clone()));
}
