//! Secrets: where they come from, never what they are.

use std::path::PathBuf;

use secrecy::SecretString;

/// Longest secret file that is read, in bytes. Our own choice: a key in PEM form has some 3 KiB,
/// and a wrong path must not load a log file into memory.
pub const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Where a secret comes from. Its value is read when it is needed and can't print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// An environment variable.
    Env {
        /// The variable's name.
        name: String,
    },
    /// A file; one trailing line break is not part of the secret.
    File {
        /// The file's path.
        path: PathBuf,
    },
}

/// Why a secret can't be read; says where, never what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub String);

impl Secret {
    /// The secret's value.
    ///
    /// # Errors
    /// The variable is not set or empty, or the file can't be read, is empty or longer than
    /// [`MAX_SECRET_BYTES`]; the error names it.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env { name } => super::environment::variable(name).ok_or_else(|| {
                SecretError(format!("the environment variable {name} is not set"))
            })?,
            Self::File { path } => read_file(path)?,
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(SecretError(format!("{} is empty", self.place())));
        }
        Ok(SecretString::from(text.to_owned()))
    }

    /// Where it comes from, for a sentence: `the environment variable X`, `the file Y`.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Env { name } => format!("the environment variable {name}"),
            Self::File { path } => format!("the file {}", path.display()),
        }
    }
}

fn read_file(path: &std::path::Path) -> Result<String, SecretError> {
    use std::io::Read;
    let wrong = |error: std::io::Error| {
        let what = match error.kind() {
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
            std::io::ErrorKind::PermissionDenied => {
                "permission denied; let the user who runs Handbell read it".to_owned()
            }
            _ => error.to_string(),
        };
        SecretError(format!("the file {} can't be read: {what}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(wrong)?;
    let mut text = String::new();
    let read = file
        .take(MAX_SECRET_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(wrong)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MAX_SECRET_BYTES {
        return Err(SecretError(format!(
            "the file {} is longer than {MAX_SECRET_BYTES} bytes; it holds no secret",
            path.display()
        )));
    }
    Ok(text)
}
