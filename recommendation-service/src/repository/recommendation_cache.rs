//! Finished lists in Redis: `recommendations:{user}:{limit}`, for 10 minutes.
//!
//! An entry is a checksum (CRC-32 of what follows), the length of the versions, the versions of everything that the list
//! was made from, and the list as it is sent. So a list whose inputs have changed since, and anything damaged or foreign,
//! is not sent.

use bytes::Bytes;
use redis::AsyncCommands;
use sha2::{Digest, Sha256};

use crate::{
    database::redis::{RedisFailure, RedisLink},
    models::{
        list_request::{GenreChoice, ListRequest},
        recommendation::RecommendationRequest,
    },
};

/// How long an entry lives, in seconds.
const TTL_SECONDS: u64 = 600;
const CHECKSUM_BYTES: usize = 4;
const LENGTH_BYTES: usize = 2;

/// The versions of everything that a list is made from.
#[derive(Debug, Clone, Copy)]
pub struct Versions<'a> {
    /// The key and [`parameters`] of the request.
    pub request: (&'a str, &'a str),
    /// Of what is known about the user.
    pub user: &'a str,
    /// Of the catalogue.
    pub catalogue: &'a str,
    /// Of the rules and the settings of feedback.
    pub rules: &'a str,
    /// Of the collaborative model, `""` without one.
    pub model: &'a str,
    /// The day as a number: movies grow old.
    pub day: i32,
}

impl Versions<'_> {
    /// As text. The release stands for the formulas and the form of the response.
    fn to_text(self) -> String {
        let Versions { request: (key, parameters), user, catalogue, rules, model, day } = self;
        let release = env!("CARGO_PKG_VERSION");
        format!("{release}\n{key}\n{parameters}\n{user}\n{catalogue}\n{rules}\n{model}\n{day}")
    }
}

/// The key of a user's list. Lists with more parameters than the limit have keys of their own, so that the plain one
/// means what it always did.
pub fn key(request: &RecommendationRequest) -> String {
    let RecommendationRequest { user, list } = request;
    let seen = if list.include_seen { ":seen" } else { "" };
    let parameters = match parameters(list) {
        none if none.is_empty() => String::new(),
        // As short as may be: whether an entry is of these parameters, its digest says.
        some => Sha256::digest(some)[..8].iter().fold(String::from(":"), |key, byte| format!("{key}{byte:02x}")),
    };
    format!("recommendations:{user}:{}{seen}{parameters}", list.limit)
}

/// What a request says besides its limit and whether seen movies are included; `""` for nothing.
pub fn parameters(list: &ListRequest) -> String {
    let mut text = String::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("&{name}={value}"));
        }
    };
    let number = |value: f64| (value > 0.0).then(|| value.to_string());
    let filter = &list.filter;
    add("offset", (list.offset > 0).then(|| list.offset.to_string()));
    add("strategy", list.strategy.map(|strategy| strategy.to_string()));
    add("with_genres", filter.with_genres.as_ref().map(genres));
    add("without_genres", filter.without_genres.as_ref().map(genres));
    add("year_gte", filter.year_gte.map(|year| year.to_string()));
    add("year_lte", filter.year_lte.map(|year| year.to_string()));
    add("runtime_lte", filter.runtime_lte.map(|minutes| minutes.to_string()));
    add("with_original_language", filter.with_original_language.clone());
    add("vote_average_gte", filter.vote_average_gte.map(|vote| vote.to_string()));
    add("exclude_ids", (!filter.exclude_ids.is_empty()).then(|| format!("{:?}", filter.exclude_ids)));
    add("weights", (!list.weights.is_empty()).then(|| format!("{:?}", list.weights)));
    add("diversity", number(list.diversity));
    add("explore", number(list.exploration.share));
    add("seed", (list.exploration.seed > 0).then(|| list.exploration.seed.to_string()));
    add("explain", list.explain.then(|| "true".to_owned()));
    text
}

fn genres(choice: &GenreChoice) -> String {
    // Names may have the separator in them; as debug text they are quoted.
    format!("{:?}{}", choice.genres, if choice.all { "," } else { "|" })
}

/// The cache is needed and does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the recommendation cache does not answer")]
pub struct CacheUnavailable;

/// An entry as found, not verified yet.
#[derive(Debug)]
pub struct Entry(Vec<u8>);

impl Entry {
    /// `None` when the versions are too long to be kept.
    fn new(versions: &Versions<'_>, body: &[u8]) -> Option<Self> {
        let versions = versions.to_text();
        let length = u16::try_from(versions.len()).ok()?;
        let mut entry = vec![0; CHECKSUM_BYTES];
        entry.extend_from_slice(&length.to_be_bytes());
        entry.extend_from_slice(versions.as_bytes());
        entry.extend_from_slice(body);
        let checksum = crc32fast::hash(&entry[CHECKSUM_BYTES..]);
        entry[..CHECKSUM_BYTES].copy_from_slice(&checksum.to_be_bytes());
        Some(Self(entry))
    }

    /// The list, if it was made from these versions.
    pub fn verified(self, versions: &Versions<'_>) -> Option<Bytes> {
        let (checksum, rest) = self.0.split_at_checked(CHECKSUM_BYTES)?;
        let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>()?;
        let (made_from, body) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let is_undamaged = || checksum == crc32fast::hash(&self.0[CHECKSUM_BYTES..]).to_be_bytes();
        let start = self.0.len() - body.len();
        (made_from == versions.to_text().as_bytes() && is_undamaged()).then(|| Bytes::from(self.0).slice(start..))
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
pub async fn put(redis: &RedisLink, key: &str, versions: &Versions<'_>, body: &[u8]) {
    let Some(Entry(entry)) = Entry::new(versions, body) else { return };
    match redis.run(async |redis| redis.set_ex::<_, _, ()>(key, entry, TTL_SECONDS).await).await {
        Ok(()) | Err(RedisFailure::Unavailable) => {}
        Err(RedisFailure::Refused(error)) => tracing::warn!(%error, "a cache entry cannot be written"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::models::{
        list_request::{Exploration, MovieFilter},
        rule::RuleType,
        strategy::Strategy,
    };

    const VERSIONS: Versions<'static> = Versions {
        request: ("recommendations:7:10", ""),
        user: "1-2",
        catalogue: "1-1",
        rules: "r",
        model: "",
        day: 739_000,
    };

    #[test]
    fn an_entry_is_verified_only_undamaged() {
        let entry = Entry::new(&VERSIONS, b"{}").expect("short versions").0;
        let verified = |entry: &[u8]| Entry(entry.to_vec()).verified(&VERSIONS);
        assert_eq!(verified(&entry), Some(Bytes::from_static(b"{}")));
        for length in 0..entry.len() {
            assert_eq!(verified(&entry[..length]), None, "cut after {length} bytes");
        }
        for byte in 0..entry.len() {
            let mut damaged = entry.clone();
            damaged[byte] ^= 1;
            assert_eq!(verified(&damaged), None, "byte {byte}");
        }
        assert_eq!(verified(&[entry.as_slice(), b" "].concat()), None);
    }

    #[test]
    fn an_entry_counts_for_the_versions_that_it_was_made_from_only() {
        for other in [
            Versions { request: ("recommendations:8:10", ""), ..VERSIONS },
            Versions { request: ("recommendations:7:10", "&offset=1"), ..VERSIONS },
            Versions { user: "1-3", ..VERSIONS },
            Versions { catalogue: "1-2", ..VERSIONS },
            Versions { rules: "s", ..VERSIONS },
            Versions { model: "m", ..VERSIONS },
            Versions { day: 739_001, ..VERSIONS },
        ] {
            let entry = Entry::new(&VERSIONS, b"{}").expect("short versions");
            assert_eq!(entry.verified(&other), None, "{other:?}");
        }
    }

    #[test]
    fn keys_are_those_of_the_contract() {
        let key = |list| key(&RecommendationRequest { user: "7".parse().expect("an id"), list });
        assert_eq!(key(ListRequest::default()), "recommendations:7:10");
        let seen = ListRequest { include_seen: true, ..ListRequest::default() };
        assert_eq!(key(seen), "recommendations:7:10:seen");
    }

    #[test]
    fn each_parameter_has_a_key_and_a_text_of_its_own() {
        let plain = ListRequest::default;
        let filtered = |filter| ListRequest { filter, ..plain() };
        let choice = |genres: &[&str], all| {
            Some(GenreChoice { genres: genres.iter().map(|name| (*name).to_owned()).collect(), all })
        };
        let lists = [
            plain(),
            ListRequest { offset: 3, ..plain() },
            ListRequest { strategy: Some(Strategy::Popular), ..plain() },
            ListRequest { weights: vec![(RuleType::Recency, 0.0)], ..plain() },
            ListRequest { weights: vec![(RuleType::Recency, 0.5)], ..plain() },
            ListRequest { diversity: 0.5, ..plain() },
            ListRequest { exploration: Exploration { share: 0.5, seed: 0 }, ..plain() },
            ListRequest { exploration: Exploration { share: 0.5, seed: 7 }, ..plain() },
            ListRequest { explain: true, ..plain() },
            filtered(MovieFilter { with_genres: choice(&["a", "b"], true), ..MovieFilter::default() }),
            filtered(MovieFilter { with_genres: choice(&["a", "b"], false), ..MovieFilter::default() }),
            filtered(MovieFilter { with_genres: choice(&["a\", \"b"], true), ..MovieFilter::default() }),
            filtered(MovieFilter { without_genres: choice(&["a", "b"], true), ..MovieFilter::default() }),
            filtered(MovieFilter { year_gte: Some(2000), ..MovieFilter::default() }),
            filtered(MovieFilter { year_lte: Some(2000), ..MovieFilter::default() }),
            filtered(MovieFilter { runtime_lte: Some(90), ..MovieFilter::default() }),
            filtered(MovieFilter { with_original_language: Some("ja".into()), ..MovieFilter::default() }),
            filtered(MovieFilter { vote_average_gte: Some(0.0), ..MovieFilter::default() }),
            filtered(MovieFilter { exclude_ids: vec![1, 2], ..MovieFilter::default() }),
        ];
        let texts: HashSet<String> = lists.iter().map(parameters).collect();
        assert_eq!(texts.len(), lists.len(), "{texts:?}");
    }
}
