//! The configuration's own secrets, by value.

use std::borrow::Cow;

use super::MARK;

/// Shorter secrets are not looked for by value: "1" or "abc" stands in half of all lines. Whoever
/// uses such a password has other worries.
const SHORTEST: usize = 4;

/// Secrets of at least this many bytes are cut wherever they stand, shorter ones only as whole
/// words: the password `6379` must not be cut out of `16379`.
const CUT_ANYWHERE: usize = 8;

/// Shortest base64 form that is looked for; less is too likely to be something else.
const SHORTEST_BASE64: usize = 8;

/// The values to cut, the longest first, so that one that holds another goes whole.
#[derive(Default)]
pub(super) struct Exact {
    forms: Vec<Form>,
}

struct Form {
    text: String,
    whole_word: bool,
}

impl Exact {
    /// Takes `secrets` to those that are known.
    pub(super) fn add<'a>(&mut self, secrets: impl IntoIterator<Item = &'a str>) {
        let forms = &mut self.forms;
        for secret in secrets {
            // A line is cut, too: a log shows the lines of a key one by one.
            for part in secret.lines().map(str::trim).chain([secret]) {
                if part.len() >= SHORTEST {
                    add_forms(forms, part);
                }
            }
        }
        forms.sort_by(|a, b| b.text.len().cmp(&a.text.len()).then(a.text.cmp(&b.text)));
        forms.dedup_by(|a, b| a.text == b.text);
    }

    pub(super) fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in &self.forms {
            if text.contains(&form.text) {
                text = Cow::Owned(form.cut(&text));
            }
        }
        text
    }
}

fn add_forms(forms: &mut Vec<Form>, secret: &str) {
    let whole_word = secret.len() < CUT_ANYWHERE;
    let mut add = |text: String, whole_word: bool| forms.push(Form { text, whole_word });
    add(secret.to_owned(), whole_word);
    for encoded in [
        percent(secret, true),
        percent(secret, false),
        json(secret),
        format!("{secret:?}"),
    ] {
        let encoded = encoded.trim_matches('"').to_owned();
        if encoded != secret {
            add(encoded, whole_word);
        }
    }
    for before in 0..3 {
        for url_safe in [false, true] {
            let core = base64_core(secret.as_bytes(), before, url_safe);
            if core.len() >= SHORTEST_BASE64 {
                add(core, false);
            }
        }
    }
}

impl Form {
    fn cut(&self, text: &str) -> String {
        if !self.whole_word {
            return text.replace(&self.text, MARK);
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (at, found) in text.match_indices(&self.text) {
            let end = at + found.len();
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(end..).and_then(|text| text.chars().next());
            if before.is_some_and(char::is_alphanumeric) || after.is_some_and(char::is_alphanumeric)
            {
                continue;
            }
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push_str(MARK);
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

/// Percent-encoding (RFC 3986) of all that is not unreserved, in capital or small hexadecimal.
fn percent(text: &str, capital: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ if capital => format!("%{byte:02X}"),
            _ => format!("%{byte:02x}"),
        })
        .collect()
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The base64 characters (RFC 4648) that `secret` always makes when it stands behind `before`
/// bytes (modulo 3) of something else: those that neighbours have a part in are left out.
fn base64_core(secret: &[u8], before: usize, url_safe: bool) -> String {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(secret);
    let all = base64(&bytes, url_safe);
    let first = (before * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    all.get(first..last).unwrap_or_default().to_owned()
}

fn base64(bytes: &[u8], url_safe: bool) -> String {
    const PLAIN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let three = [
            chunk.first().copied().unwrap_or(0),
            chunk.get(1).copied().unwrap_or(0),
            chunk.get(2).copied().unwrap_or(0),
        ];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for shift in [18, 12, 6, 0].into_iter().take(chunk.len() + 1) {
            let index = usize::try_from(bits >> shift & 63).unwrap_or(0);
            out.push(match char::from(PLAIN[index]) {
                '+' if url_safe => '-',
                '/' if url_safe => '_',
                other => other,
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes(), false), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff], true), "-_8");
    }
}
