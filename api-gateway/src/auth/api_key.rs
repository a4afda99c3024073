//! API keys: long random texts, of which a file holds the SHA-256 hashes. They have too many bits to be guessed, so that
//! a slow hash for passwords would only cost time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use subtle::ConstantTimeEq;
use tokio::time::sleep;

use crate::lifecycle::Lifecycle;

use super::{AuthError, Identity};

/// Time between two looks at the file.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);
/// Fewest characters of a key: 32 hexadecimal digits are 128 bits.
const MIN_LENGTH: usize = 32;
const PREFIX: &str = "sha256:";

type Hash = [u8; SHA256_OUTPUT_LEN];

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The file cannot be read.
    #[error("the file of API keys cannot be read")]
    Read(#[source] io::Error),
    /// A line is of another form.
    #[error("line {0} of the file of API keys must be: SUBJECT sha256:HASH [SCOPE ...]")]
    Line(usize),
    /// The key could be guessed.
    #[error(
        "an API key must have at least {MIN_LENGTH} characters without blanks, such as `openssl rand -hex 32` prints"
    )]
    TooShort,
}

struct Entry {
    hash: Hash,
    identity: Identity,
}

/// The keys in a file, read anew when it changes.
pub struct ApiKeys {
    path: PathBuf,
    entries: RwLock<Vec<Entry>>,
}

impl ApiKeys {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ApiKeyError`] when it cannot be used.
    pub fn load(path: &Path, lifecycle: &Lifecycle) -> Result<Arc<Self>, ApiKeyError> {
        let text = fs::read_to_string(path).map_err(ApiKeyError::Read)?;
        let keys = Arc::new(Self { path: path.to_owned(), entries: RwLock::new(parse(&text)?) });
        let (watched, stop) = (keys.clone(), lifecycle.stop_token());
        lifecycle.spawn(async move {
            stop.run_until_cancelled(watched.reload(text)).await;
        });
        Ok(keys)
    }

    /// Whose key this is.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`].
    pub fn verify(&self, key: &[u8]) -> Result<Identity, AuthError> {
        let hash = sha256(key);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        // All of them are compared, so that the time says nothing about them.
        let mut found = None;
        for entry in entries.iter() {
            if entry.hash.ct_eq(&hash).into() {
                found = Some(&entry.identity);
            }
        }
        found.cloned().ok_or(AuthError::InvalidToken)
    }

    async fn reload(self: Arc<Self>, mut current: String) {
        loop {
            sleep(RELOAD_INTERVAL).await;
            let text = match tokio::fs::read_to_string(&self.path).await {
                Ok(text) if text == current => continue,
                Ok(text) => text,
                Err(error) => {
                    tracing::warn!(%error, "the file of API keys cannot be read; going on with the keys of before");
                    continue;
                }
            };
            match parse(&text) {
                Ok(entries) => {
                    tracing::info!(keys = entries.len(), "API keys read anew");
                    *self.entries.write().unwrap_or_else(PoisonError::into_inner) = entries;
                }
                Err(error) => tracing::warn!(%error, "going on with the API keys of before"),
            }
            current = text;
        }
    }
}

/// What a file holds for `key`.
///
/// # Errors
/// [`ApiKeyError::TooShort`].
pub fn hash_key(key: &str) -> Result<String, ApiKeyError> {
    if key.len() < MIN_LENGTH || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ApiKeyError::TooShort);
    }
    let digits: String = sha256(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{PREFIX}{digits}"))
}

fn sha256(bytes: &[u8]) -> Hash {
    digest(&SHA256, bytes).as_ref().try_into().expect("a SHA-256 hash has 32 bytes")
}

fn parse(text: &str) -> Result<Vec<Entry>, ApiKeyError> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| parse_line(line).ok_or(ApiKeyError::Line(number))).collect()
}

fn parse_line(line: &str) -> Option<Entry> {
    let mut words = line.split_ascii_whitespace();
    let (subject, hash) = (words.next()?, words.next()?);
    let hash = parse_hash(hash.strip_prefix(PREFIX)?)?;
    Some(Entry { hash, identity: Identity::new(subject, words.map(ToOwned::to_owned).collect())? })
}

fn parse_hash(digits: &str) -> Option<Hash> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u8::from_str_radix(pair, 16).ok()
    });
    // An odd digit at the end makes one pair too many or too few bytes.
    if digits.len() != 2 * SHA256_OUTPUT_LEN {
        return None;
    }
    pairs.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_hash_is_that_of_the_key() {
        // As `printf %s KEY | sha256sum` prints it.
        let hash = "sha256:3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";
        assert_eq!(hash_key(KEY).map_err(|error| error.to_string()).as_deref(), Ok(hash));
    }

    #[test]
    fn a_key_that_could_be_guessed_is_refused() {
        for key in ["", "secret", "0123456789abcdef0123456789abcde", "0123456789abcdef 0123456789abcdef"] {
            assert!(matches!(hash_key(key), Err(ApiKeyError::TooShort)), "{key:?}");
        }
    }

    #[test]
    fn a_line_has_a_subject_a_hash_and_scopes() {
        let hash = hash_key(KEY).expect("it is long enough");
        let entries = parse(&format!("# keys\n\n  7 {hash}\nops\t{hash}  admin other\n")).expect("all lines are right");
        let entries: Vec<_> =
            entries.iter().map(|it| (it.identity.subject(), it.identity.has_scope("admin"))).collect();
        assert_eq!(entries, [("7", false), ("ops", true)]);
        for line in
            ["7", "7 sha256:", "7 3eb1", &hash, &format!("7 {}", &hash[..70]), &format!("7 {hash}0"), "7 sha256:+f"]
        {
            assert!(matches!(parse(&format!("\n{line}")), Err(ApiKeyError::Line(2))), "{line}");
        }
    }
}
