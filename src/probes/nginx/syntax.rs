//! Nginx's configuration, as far as it says where requests go.
//!
//! The grammar is nginx's own (`ngx_conf_file.c`): words, quoted or not, a directive ends with `;`
//! or opens a block with `{`, and `#` begins a comment.

use std::collections::{BTreeMap, BTreeSet};

/// How many files are read, at most, and how deep includes may go.
const MOST: (usize, usize) = (500, 10);

/// Directives that name a place to which requests go.
const PASSES: [&str; 5] = [
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
];

/// A directive and where it stands.
#[derive(Clone, Debug)]
struct Directive {
    words: Vec<String>,
    line: usize,
    opens: bool,
    closes: bool,
}

/// A place to which requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upstream {
    /// `host:port`, or `unix:/path`.
    pub(super) address: String,
    /// The block `upstream` that it belongs to, or none for an address in `proxy_pass` itself.
    pub(super) group: Option<String>,
    /// Where it is written.
    pub(super) file: String,
    /// In which line.
    pub(super) line: usize,
    /// It is marked `down` or `backup`: nothing goes there in ordinary times.
    pub(super) spare: bool,
    /// It is marked `down`.
    pub(super) down: bool,
    /// All that leads there is `proxy_pass http://…`.
    pub(super) plain_http: bool,
}

/// What a configuration says.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Where requests go.
    pub(super) upstreams: Vec<Upstream>,
    /// Ports on which it listens.
    pub(super) listens: BTreeSet<u16>,
    /// Places that a variable decides and nobody can know beforehand.
    pub(super) variable: usize,
    /// Files that were read.
    pub(super) files: usize,
    /// Includes that name a file that there is not, `file:line: path`.
    pub(super) missing: Vec<String>,
    /// Directories beyond the main one that includes lead to.
    pub(super) elsewhere: BTreeSet<String>,
}

/// A directive that sends requests somewhere.
struct Pass {
    target: String,
    /// It is `proxy_pass http://…`.
    plain_http: bool,
    file: String,
    line: usize,
}

/// What is collected before it is known which groups there are.
#[derive(Default)]
struct Reading {
    config: Config,
    groups: BTreeMap<String, Vec<Upstream>>,
    passes: Vec<Pass>,
}

/// Reads the configuration that begins with the file `main` among `files`, whose keys are absolute
/// paths.
pub(super) fn read(main: &str, files: &BTreeMap<String, String>) -> Config {
    let base = main.rsplit_once('/').map_or("", |(base, _)| base);
    let mut reading = Reading::default();
    include(&mut reading, main, base, files, 0, None);
    let Reading {
        mut config,
        groups,
        passes,
    } = reading;
    let mut used: BTreeMap<String, bool> = BTreeMap::new();
    for pass in passes {
        let Pass {
            target,
            plain_http,
            file,
            line,
        } = pass;
        if target.contains('$') {
            config.variable += 1;
            continue;
        }
        let (place, secure) = place(&target);
        if groups.contains_key(&place) {
            *used.entry(place).or_insert(true) &= plain_http;
            continue;
        }
        let upstream = Upstream {
            address: with_port(&place, if secure { 443 } else { 80 }),
            group: None,
            file,
            line,
            spare: false,
            down: false,
            plain_http,
        };
        let known = config
            .upstreams
            .iter_mut()
            .find(|one| one.address == upstream.address);
        match known {
            Some(known) => known.plain_http &= plain_http,
            None => config.upstreams.push(upstream),
        }
    }
    // A group that nothing uses harms nobody.
    for (name, plain_http) in used {
        let servers = groups.get(&name).into_iter().flatten().cloned();
        config
            .upstreams
            .extend(servers.map(|one| Upstream { plain_http, ..one }));
    }
    config
}

/// `http://host:port/uri` is `host:port`; the flag says that it is one with TLS.
fn place(target: &str) -> (String, bool) {
    let secure = target.starts_with("https://") || target.starts_with("grpcs://");
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    if let Some(path) = rest.strip_prefix("unix:") {
        let path = path.split(':').next().unwrap_or(path);
        return (format!("unix:{path}"), secure);
    }
    let host = rest.split('/').next().unwrap_or(rest);
    (host.to_owned(), secure)
}

fn with_port(place: &str, port: u16) -> String {
    let has = place.starts_with("unix:")
        || place
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has {
        place.to_owned()
    } else {
        format!("{place}:{port}")
    }
}

fn include(
    reading: &mut Reading,
    path: &str,
    base: &str,
    files: &BTreeMap<String, String>,
    depth: usize,
    group: Option<&str>,
) {
    let Some(text) = files.get(path) else {
        return;
    };
    if depth > MOST.1 || reading.config.files >= MOST.0 {
        return;
    }
    reading.config.files += 1;
    let mut group: Option<String> = group.map(ToOwned::to_owned);
    let mut inner = 0_usize;
    for directive in directives(text) {
        if directive.closes {
            match (inner, &group) {
                (0, Some(_)) => group = None,
                _ => inner = inner.saturating_sub(1),
            }
            continue;
        }
        let name = directive.words.first().map_or("", String::as_str);
        let value = directive.words.get(1).map_or("", String::as_str);
        if directive.opens {
            if name == "upstream" {
                group = Some(value.to_owned());
                reading.groups.entry(value.to_owned()).or_default();
            } else if group.is_some() {
                inner += 1;
            }
            continue;
        }
        match (name, &group) {
            ("include", _) => {
                let found = matching(value, base, files);
                if found.is_empty() {
                    missing(reading, value, base, path, directive.line);
                }
                for file in found {
                    include(reading, &file, base, files, depth + 1, group.as_deref());
                }
            }
            ("server", Some(group)) => {
                let marked = |mark: &str| directive.words.iter().skip(2).any(|word| word == mark);
                let down = marked("down");
                let upstream = Upstream {
                    address: with_port(value, 80),
                    group: Some(group.clone()),
                    file: path.to_owned(),
                    line: directive.line,
                    spare: down || marked("backup"),
                    down,
                    plain_http: false,
                };
                reading
                    .groups
                    .entry(group.clone())
                    .or_default()
                    .push(upstream);
            }
            ("listen", None) => {
                let port = value.rsplit(':').next().unwrap_or(value);
                let port = port.parse::<u16>();
                reading.config.listens.extend(port.ok());
            }
            (pass, _) if PASSES.contains(&pass) => {
                reading.passes.push(Pass {
                    target: value.to_owned(),
                    plain_http: pass == "proxy_pass" && value.starts_with("http://"),
                    file: path.to_owned(),
                    line: directive.line,
                });
            }
            _ => {}
        }
    }
}

/// An include that matches nothing: a mistake without a wildcard, and elsewhere the reader's to
/// fetch.
fn missing(reading: &mut Reading, value: &str, base: &str, path: &str, line: usize) {
    let full = absolute(value, base);
    let directory = full
        .rsplit_once('/')
        .map_or("/", |(directory, _)| directory);
    if !directory.starts_with(base) {
        reading.config.elsewhere.insert(directory.to_owned());
    }
    if !value.contains(['*', '?', '[']) {
        reading
            .config
            .missing
            .push(format!("{path}:{line}: {full}"));
    }
}

fn absolute(value: &str, base: &str) -> String {
    if value.starts_with('/') {
        value.to_owned()
    } else {
        format!("{base}/{value}")
    }
}

/// The files that an include names; its wildcards stand for any characters but the slash (glob(7)).
fn matching(value: &str, base: &str, files: &BTreeMap<String, String>) -> Vec<String> {
    let full = absolute(value, base);
    if !full.contains(['*', '?']) {
        return files
            .contains_key(&full)
            .then_some(full)
            .into_iter()
            .collect();
    }
    let hidden = |path: &str| {
        path.rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with('.'))
    };
    files
        .keys()
        .filter(|path| !hidden(path) && globs(full.as_bytes(), path.as_bytes()))
        .cloned()
        .collect()
}

fn globs(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            globs(rest, text)
                || text
                    .split_first()
                    .is_some_and(|(first, later)| *first != b'/' && globs(pattern, later))
        }
        (Some((b'?', rest)), Some((first, later))) => *first != b'/' && globs(rest, later),
        (Some((one, rest)), Some((first, later))) => one == first && globs(rest, later),
        _ => false,
    }
}

/// The directives of a file, in order.
fn directives(text: &str) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut line = 1;
    let mut began = 1;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            '#' if word.is_empty() => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            '\\' => {
                word.push(c);
                word.extend(chars.next());
                continue;
            }
            '"' | '\'' if word.is_empty() => {
                began = if words.is_empty() { line } else { began };
                while let Some(inner) = chars.next() {
                    if inner == c {
                        break;
                    }
                    if inner == '\n' {
                        line += 1;
                    }
                    if inner == '\\' {
                        word.extend(chars.next());
                    } else {
                        word.push(inner);
                    }
                }
                words.push(std::mem::take(&mut word));
                continue;
            }
            // `${name}` is a variable and opens no block.
            '{' if word.ends_with('$') => {
                word.push(c);
                while let Some(inner) = chars.next_if(|c| *c != '}') {
                    word.push(inner);
                }
                word.extend(chars.next());
                continue;
            }
            _ => {}
        }
        let ends = c.is_whitespace() || matches!(c, ';' | '{' | '}');
        if !ends {
            if word.is_empty() && words.is_empty() {
                began = line;
            }
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if matches!(c, ';' | '{' | '}') {
            let (opens, closes) = (c == '{', c == '}');
            if closes || !words.is_empty() {
                found.push(Directive {
                    words: std::mem::take(&mut words),
                    line: began,
                    opens,
                    closes,
                });
            }
        }
    }
    found
}

#[cfg(test)]
#[path = "syntax_tests.rs"]
mod tests;
