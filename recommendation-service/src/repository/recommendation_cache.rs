//! Finished lists in Redis: `recommendations:{user}:{limit}`, for 10 minutes.
//!
//! An entry is a list as it is sent, after a digest of 32 bytes: the SHA-256 of everything the list was made from and of
//! the list itself. So a list whose inputs have changed since, and anything damaged or foreign, is not sent.

use bytes::Bytes;
use redis::AsyncCommands;
use sha2::{Digest, Sha256};

use crate::{
    database::redis::{RedisFailure, RedisLink},
    models::recommendation::RecommendationRequest,
};

/// How long an entry lives, in seconds.
const TTL_SECONDS: u64 = 600;
const DIGEST_BYTES: usize = 32;

/// A hash of everything that a list is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; DIGEST_BYTES]);

impl Fingerprint {
    /// Hashes the parts in this order, each with its length.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    fn digest(&self, body: &[u8]) -> [u8; DIGEST_BYTES] {
        Sha256::new().chain_update(self.0).chain_update(body).finalize().into()
    }
}

/// The key of a user's list. Lists with seen movies have keys of their own; the others keep those of the contract.
pub fn key(request: &RecommendationRequest) -> String {
    let RecommendationRequest { user, limit, include_seen } = request;
    let suffix = if *include_seen { ":seen" } else { "" };
    format!("recommendations:{user}:{limit}{suffix}")
}

/// The cache is needed and does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the recommendation cache does not answer")]
pub struct CacheUnavailable;

/// An entry as found, not verified yet.
#[derive(Debug)]
pub struct Entry(Vec<u8>);

impl Entry {
    /// The list, if it was made from what `fingerprint` stands for.
    pub fn verified(self, fingerprint: &Fingerprint) -> Option<Bytes> {
        let (digest, body) = self.0.split_at_checked(DIGEST_BYTES)?;
        (digest == fingerprint.digest(body)).then(|| Bytes::from(self.0).slice(DIGEST_BYTES..))
    }
}

/// The entry at `key`, if there is one.
///
/// # Errors
/// [`CacheUnavailable`] when Redis does not answer. A key that holds something else than a text is no entry.
pub async fn get(redis: &RedisLink, key: &str) -> Result<Option<Entry>, CacheUnavailable> {
    match redis.run(async |redis| redis.get::<_, Option<Vec<u8>>>(key).await).await {
        Ok(entry) => Ok(entry.map(Entry)),
        Err(RedisFailure::Refused(error)) => {
            tracing::warn!(%error, "a cache entry cannot be read");
            Ok(None)
        }
        Err(RedisFailure::Unavailable) => Err(CacheUnavailable),
    }
}

/// Keeps a list. When Redis cannot, the next request makes it anew.
pub async fn put(redis: &RedisLink, key: &str, fingerprint: &Fingerprint, body: &[u8]) {
    let entry = [&fingerprint.digest(body), body].concat();
    match redis.run(async |redis| redis.set_ex::<_, _, ()>(key, entry, TTL_SECONDS).await).await {
        Ok(()) | Err(RedisFailure::Unavailable) => {}
        Err(RedisFailure::Refused(error)) => tracing::warn!(%error, "a cache entry cannot be written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_verified_only_undamaged_and_for_the_inputs_it_was_made_from() {
        let (made_from, other) = (Fingerprint::of(&[b"a", b"bc"]), Fingerprint::of(&[b"ab", b"c"]));
        let entry = [made_from.digest(b"{}").as_slice(), b"{}"].concat();
        assert_eq!(Entry(entry.clone()).verified(&made_from), Some(Bytes::from_static(b"{}")));
        assert_eq!(Entry(entry.clone()).verified(&other), None);
        for length in 0..entry.len() {
            assert_eq!(Entry(entry[..length].to_vec()).verified(&made_from), None, "cut after {length} bytes");
        }
        assert_eq!(Entry([entry.as_slice(), b" "].concat()).verified(&made_from), None);
    }

    #[test]
    fn keys_are_those_of_the_contract() {
        let request = RecommendationRequest { user: "7".parse().expect("an id"), limit: 10, include_seen: false };
        assert_eq!(key(&request), "recommendations:7:10");
        assert_eq!(key(&RecommendationRequest { include_seen: true, ..request }), "recommendations:7:10:seen");
    }
}
