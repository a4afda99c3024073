//! Answers kept in Redis as the bytes that are sent, with their digest, so that a hit costs one read and no hashing of
//! the body beyond its checksum. Each is marked with the generation of the catalogue it was made under.
//!
//! `movies:generation` holds a random token. An entry counts only while its token is the current one, so that replacing
//! the token makes every entry invalid in one step, and an answer computed before a change cannot be put back after it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::{sync::Notify, time::sleep};

use crate::{
    database::redis::{RedisFailure, RedisLink},
    lifecycle::Lifecycle,
    metrics::metrics,
    models::{
        movie::{MovieId, TmdbId, date_text},
        query::ListQuery,
    },
};

const GENERATION: &str = "movies:generation";
const LIST_SECONDS: u64 = 5 * 60;
const DETAIL_SECONDS: u64 = 30 * 60;
/// Pause between two attempts to replace the token while Redis is away.
const RETRY: Duration = Duration::from_millis(250);

const TOKEN_LENGTH: usize = 32;
/// CRC-32 over the digest and the body.
const CHECKSUM_LENGTH: usize = 4;
/// Bytes of the digest that are kept.
const DIGEST_LENGTH: usize = 16;
/// Token, checksum and digest; the body follows.
const HEADER_LENGTH: usize = TOKEN_LENGTH + CHECKSUM_LENGTH + DIGEST_LENGTH;

/// The generation of the catalogue: 32 hexadecimal digits.
pub type Token = [u8; TOKEN_LENGTH];

/// A cached answer: its key and how long it may be kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CacheKey {
    key: String,
    seconds: u64,
}

impl CacheKey {
    /// `movies:list:{page}:{page_size}:{sort_by}:{order}:{from}:{to}` for five minutes. With filters, `:{filters}`
    /// follows; cursor and additional fields and counts stand among them. A cursor stands for its page.
    pub fn list(query: &ListQuery) -> Self {
        let ListQuery { page, page_size, sort_by, order, from, to, filters, cursor, include, facets } = query;
        let page = if cursor.is_some() { 1 } else { *page };
        let (from, to) = (date_text(*from), date_text(*to));
        let mut key = format!("movies:list:{page}:{page_size}:{sort_by}:{order}:{from}:{to}");
        let more = [
            ("", filters.canonical()),
            ("cursor=", cursor.clone().unwrap_or_default()),
            ("include=", include.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(",")),
            ("facets=", facets.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(",")),
        ];
        for (number, (name, value)) in more.iter().filter(|(_, value)| !value.is_empty()).enumerate() {
            key += if number == 0 { ":" } else { "&" };
            key += name;
            key += value;
        }
        Self { key, seconds: LIST_SECONDS }
    }

    /// `movies:genres` for five minutes.
    pub fn genres() -> Self {
        Self { key: "movies:genres".to_owned(), seconds: LIST_SECONDS }
    }

    /// `movie:detail:{id}` for thirty minutes.
    pub fn detail(id: MovieId) -> Self {
        Self { key: format!("movie:detail:{}", id.get()), seconds: DETAIL_SECONDS }
    }

    /// `movie:tmdb:{tmdb_id}` for thirty minutes.
    pub fn tmdb(id: TmdbId) -> Self {
        Self { key: format!("movie:tmdb:{}", id.get()), seconds: DETAIL_SECONDS }
    }

    /// `movie:similar:{id}:{limit}` for five minutes.
    pub fn similar(id: MovieId, limit: i32) -> Self {
        Self { key: format!("movie:similar:{}:{}", id.get(), limit), seconds: LIST_SECONDS }
    }
}

/// A body with the first half of its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedBody {
    /// Of `body`.
    pub digest: [u8; DIGEST_LENGTH],
    /// What is sent.
    pub body: Bytes,
}

impl HashedBody {
    /// A body with its digest.
    pub fn of(body: Bytes) -> Self {
        let mut digest = [0; DIGEST_LENGTH];
        digest.copy_from_slice(&Sha256::digest(&body)[..DIGEST_LENGTH]);
        Self { digest, body }
    }
}

/// What the cache knows about a key.
#[derive(Debug)]
pub enum Lookup {
    /// The answer.
    Hit(HashedBody),
    /// Nothing usable. An answer computed from now on may be stored under this token.
    Miss(Token),
    /// The cache cannot be used now.
    Bypass,
}

/// The cache of this process. Clones share the same state.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    redis: RedisLink,
    /// Changes of the catalogue that this process knows of.
    changes: AtomicU64,
    /// The last of them that a new token followed. While it is behind, what is in Redis may be old.
    published: AtomicU64,
    /// Notified when a change was not published.
    deferred: Notify,
}

impl Cache {
    /// A cache that is not used before the first [`Self::invalidate`]: the process before this one may have died
    /// between a change and the new token.
    pub fn new(redis: RedisLink, lifecycle: &Lifecycle) -> Self {
        let (changes, published, deferred) = (AtomicU64::new(1), AtomicU64::new(0), Notify::new());
        let this = Self(Arc::new(Inner { redis, changes, published, deferred }));
        let (publish, stop) = (this.clone().publish_deferred(), lifecycle.stop_token());
        lifecycle.spawn(async move {
            tokio::select! {
                () = publish => {}
                () = stop.cancelled() => {}
            }
        });
        this
    }

    /// How often this process has invalidated the cache: tells work begun before a change from work begun after it.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// Looks a key up, in one round trip. Whatever cannot be used counts as absent.
    pub async fn get(&self, key: &CacheKey) -> Lookup {
        let found = self.look_up(key).await;
        metrics().record_cache_lookup("movies", matches!(found, Lookup::Hit(_)));
        found
    }

    async fn look_up(&self, key: &CacheKey) -> Lookup {
        if self.is_outdated() {
            return Lookup::Bypass;
        }
        let found = self
            .0
            .redis
            .run(async |redis| {
                let mut both = redis::cmd("MGET");
                both.arg(GENERATION).arg(&key.key).query_async::<(Option<Vec<u8>>, Option<Vec<u8>>)>(redis).await
            })
            .await;
        let Ok((token, entry)) = found else { return Lookup::Bypass };
        let Some(token) = token.and_then(|token| Token::try_from(token).ok()) else { return self.first_token().await };
        match entry.and_then(|entry| answer_of(entry, &token)) {
            Some(answer) => Lookup::Hit(answer),
            None => Lookup::Miss(token),
        }
    }

    /// Stores an answer that was computed after `token` was seen. A failure costs the next reader a query.
    pub async fn put(&self, key: &CacheKey, token: &Token, answer: &HashedBody) {
        let entry = entry_of(answer, token);
        let stored = self.0.redis.run(async |redis| {
            redis::cmd("SET").arg(&key.key).arg(entry).arg("EX").arg(key.seconds).query_async::<()>(redis).await
        });
        if let Err(RedisFailure::Refused(error)) = stored.await {
            tracing::warn!(%error, "an answer could not be cached");
        }
    }

    /// Makes every entry invalid. To be called after the change is committed and before it is acknowledged. When Redis
    /// does not answer, this process does without the cache until the token could be replaced.
    pub async fn invalidate(&self) {
        self.0.changes.fetch_add(1, Ordering::AcqRel);
        self.replace_token().await;
        if self.is_outdated() {
            self.0.deferred.notify_one();
        }
    }

    fn is_outdated(&self) -> bool {
        self.0.published.load(Ordering::Acquire) < self.changes()
    }

    async fn publish_deferred(self) {
        loop {
            self.0.deferred.notified().await;
            while self.is_outdated() {
                sleep(RETRY).await;
                self.replace_token().await;
            }
        }
    }

    /// Redis has no token, or something else in its place: sets one, unless another reader was faster.
    async fn first_token(&self) -> Lookup {
        let token = new_token();
        let set = self.0.redis.run(async |redis| {
            let mut set = redis::pipe();
            set.cmd("SET").arg(GENERATION).arg(&token[..]).arg("NX").ignore().cmd("MGET").arg(GENERATION);
            set.query_async::<(Vec<Option<Vec<u8>>>,)>(redis).await
        });
        let Ok((found,)) = set.await else { return Lookup::Bypass };
        match found.into_iter().flatten().find_map(|found| Token::try_from(found).ok()) {
            Some(current) => Lookup::Miss(current),
            None => self.replace_token().await.map_or(Lookup::Bypass, Lookup::Miss),
        }
    }

    /// The new token, if Redis has it.
    async fn replace_token(&self) -> Option<Token> {
        let changes = self.changes();
        let token = new_token();
        let replaced = self
            .0
            .redis
            .run(async |redis| redis::cmd("SET").arg(GENERATION).arg(&token[..]).query_async::<()>(redis).await);
        match replaced.await {
            Ok(()) => {
                self.0.published.fetch_max(changes, Ordering::AcqRel);
                Some(token)
            }
            Err(error) => {
                tracing::debug!(%error, "the cache could not be invalidated yet");
                None
            }
        }
    }
}

fn new_token() -> Token {
    let mut token = [0; TOKEN_LENGTH];
    token.copy_from_slice(format!("{:032x}", rand::random::<u128>()).as_bytes());
    token
}

fn entry_of(answer: &HashedBody, token: &Token) -> Vec<u8> {
    let mut entry = Vec::with_capacity(HEADER_LENGTH + answer.body.len());
    entry.extend_from_slice(token);
    entry.extend_from_slice(&[0; CHECKSUM_LENGTH]);
    entry.extend_from_slice(&answer.digest);
    entry.extend_from_slice(&answer.body);
    let (marks, hashed) = entry.split_at_mut(TOKEN_LENGTH + CHECKSUM_LENGTH);
    marks[TOKEN_LENGTH..].copy_from_slice(&crc32fast::hash(hashed).to_be_bytes());
    entry
}

/// The answer in an entry made under this token; `None` for an older one and for anything else.
fn answer_of(entry: Vec<u8>, token: &Token) -> Option<HashedBody> {
    let (made_under, rest) = entry.split_first_chunk::<TOKEN_LENGTH>()?;
    let (checksum, hashed) = rest.split_first_chunk::<CHECKSUM_LENGTH>()?;
    let (digest, _) = hashed.split_first_chunk()?;
    if made_under != token || *checksum != crc32fast::hash(hashed).to_be_bytes() {
        return None;
    }
    let digest = *digest;
    Some(HashedBody { digest, body: Bytes::from(entry).slice(HEADER_LENGTH..) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::handler::list_query;

    const TOKEN: Token = [b'a'; TOKEN_LENGTH];

    #[test]
    fn keys_are_those_of_the_contract() {
        let query = list_query("page=2&release_date_from=2024-01-01&order=asc");
        assert_eq!(CacheKey::list(&query).key, "movies:list:2:20:popularity:asc:2024-01-01:");
        let query = list_query("year=2024&with_genres=War|Drama&sort_by=runtime");
        let key = "movies:list:1:20:runtime:desc:::with_genres=drama|war&year=2024";
        assert_eq!(CacheKey::list(&query).key, key);
        let query = "facets=year,genres&cursor=xyz&page=7&include=language,genres&year=2024";
        let key = "movies:list:1:20:popularity:desc:::year=2024&cursor=xyz&include=genres,language&facets=genres,year";
        assert_eq!(CacheKey::list(&list_query(query)).key, key);
        let id = MovieId::parse("+042").expect("valid");
        assert_eq!(CacheKey::detail(id), CacheKey { key: "movie:detail:42".to_owned(), seconds: 1800 });
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let answer = HashedBody::of(Bytes::from_static(b"{}"));
        let entry = entry_of(&answer, &TOKEN);
        assert_eq!(answer_of(entry.clone(), &TOKEN), Some(answer));
        assert_eq!(answer_of(entry, &[b'b'; TOKEN_LENGTH]), None, "made under another token");
    }

    proptest! {
        #[test]
        fn garbage_is_never_an_answer(garbage: Vec<u8>) {
            prop_assert_eq!(answer_of(garbage, &TOKEN), None);
        }

        #[test]
        fn a_damaged_entry_is_never_an_answer(body: Vec<u8>, at: prop::sample::Index, bit in 0_u8..8) {
            let mut entry = entry_of(&HashedBody::of(body.into()), &TOKEN);
            let at = at.index(entry.len());
            entry[at] ^= 1 << bit;
            prop_assert_eq!(answer_of(entry, &TOKEN), None);
        }
    }
}
