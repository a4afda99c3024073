//! The parameters of a list of recommendations.

use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::{
    filter_query::FilterQuery,
    numbers::{number, whole},
    request_validation::query::{self, QueryParameters},
};
use crate::models::{
    list_request::{Exploration, ListRequest},
    rule::RuleType,
    strategy::Strategy,
};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 50;
/// Furthest place that a page may start at.
const MAX_OFFSET: usize = 10_000;
/// Highest weight of a rule.
const MAX_WEIGHT: f64 = 10.0;

/// What is recommended.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// How many movies at most. Anything else than 1 to 50 means 10.
    #[serde(deserialize_with = "query::lenient")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: Option<usize>,
    /// How many of the best movies to leave out, as they were shown already.
    #[serde(deserialize_with = "offset")]
    #[param(value_type = i64, required = false, minimum = 0, maximum = 10_000, default = 0, example = 0)]
    offset: Option<usize>,
    /// Whether movies that the user has watched, liked, disliked, rated or abandoned are candidates too: `true` or `1`,
    /// `false` or `0`.
    #[serde(deserialize_with = "flag")]
    #[param(value_type = bool, required = false, default = false, example = false)]
    include_seen: Option<bool>,
    /// What the list is made from: `popular`, `preferences_only` or `personalised`. By default what suits what is known of
    /// the user.
    #[serde(deserialize_with = "strategy")]
    #[param(value_type = String, required = false, pattern = "^(popular|preferences_only|personalised)$", example = "personalised")]
    strategy: Option<Strategy>,
    /// Weights for this request only, 0 to 10, as `rule_type:weight`; other rules keep theirs.
    #[serde(deserialize_with = "weights")]
    #[param(value_type = String, required = false, example = "popularity:0.2,recency:0")]
    weights: Option<RuleWeights>,
    /// How much the movies of the list should differ from each other in genres, era and language: 0 (only the score
    /// counts) to 1.
    #[serde(deserialize_with = "share")]
    #[param(value_type = f64, required = false, minimum = 0, maximum = 1, default = 0, example = 0)]
    diversity: Option<f64>,
    /// How much chance counts beside the score: 0 (not at all) to 1.
    #[serde(deserialize_with = "share")]
    #[param(value_type = f64, required = false, minimum = 0, maximum = 1, default = 0, example = 0)]
    explore: Option<f64>,
    /// What decides the chance: the same seed gives the same list again.
    #[serde(deserialize_with = "seed")]
    #[param(value_type = i64, required = false, minimum = 0, default = 0, example = 0)]
    seed: Option<u64>,
    /// Whether each movie has an `explanation` in numbers: `true` or `1`, `false` or `0`.
    #[serde(deserialize_with = "flag")]
    #[param(value_type = bool, required = false, default = false, example = true)]
    explain: Option<bool>,
}

/// All parameters of a list.
pub type ListParameters = (ListQuery, FilterQuery);

impl QueryParameters for ListParameters {
    const ORIGINAL: Option<&'static [&'static str]> = Some(&["limit"]);
}

impl From<ListParameters> for ListRequest {
    fn from((query, filter): ListParameters) -> Self {
        Self {
            limit: limit_or_default(query.limit),
            offset: query.offset.unwrap_or(0),
            include_seen: query.include_seen.unwrap_or(false),
            strategy: query.strategy,
            filter: filter.into(),
            weights: query.weights.unwrap_or_default(),
            diversity: query.diversity.unwrap_or(0.0),
            exploration: Exploration { share: query.explore.unwrap_or(0.0), seed: query.seed.unwrap_or(0) },
            explain: query.explain.unwrap_or(false),
        }
    }
}

/// The limit that is meant by the one that was sent, as the contract says.
pub(super) fn limit_or_default(limit: Option<usize>) -> usize {
    limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).unwrap_or(DEFAULT_LIMIT)
}

pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    query::strict(deserializer, "true or false", |text| match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })
}

pub(super) fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    query::strict(deserializer, "a whole number from 0 to 10000", |text| whole(text, 0, MAX_OFFSET))
}

fn strategy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Strategy>, D::Error> {
    query::strict(deserializer, "popular, preferences_only or personalised", |text| text.parse().ok())
}

type RuleWeights = Vec<(RuleType, f64)>;

fn weights<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RuleWeights>, D::Error> {
    let expected = "rule types with weights from 0 to 10, such as popularity:0.2,recency:0";
    query::strict(deserializer, expected, |text| {
        let weight = |pair: &str| {
            let (rule_type, weight) = pair.split_once(':')?;
            Some((rule_type.parse().ok()?, number(weight, MAX_WEIGHT)?))
        };
        let mut weights = text.split(',').map(weight).collect::<Option<RuleWeights>>()?;
        weights.sort_by_key(|(rule_type, _)| *rule_type as usize);
        weights.is_sorted_by(|(one, _), (next, _)| one != next).then_some(weights)
    })
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    query::strict(deserializer, "a number from 0 to 1", |text| number(text, 1.0))
}

fn seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    query::strict(deserializer, "a whole number from 0 to 9007199254740991", |text| whole(text, 0, (1 << 53) - 1))
}

#[cfg(test)]
mod tests {
    use super::{super::request_validation::query::parse_query, *};
    use crate::{
        error::ApiError,
        error_code::ErrorCode,
        models::list_request::{GenreChoice, MovieFilter},
    };

    fn request(query: &str) -> Result<ListRequest, ApiError> {
        Ok(parse_query::<ListParameters>(query)?.into())
    }

    fn limit(query: &str) -> usize {
        request(query).expect(query).limit
    }

    #[test]
    fn a_limit_outside_1_to_50_or_unreadable_means_10() {
        for query in ["", "limit=", "limit=0", "limit=51", "limit=-3", "limit=ten", "limit=5.0", "limit=5 ", "Limit=5"]
        {
            assert_eq!(limit(query), 10, "{query}");
        }
        assert_eq!(limit("limit=99999999999999999999999"), 10);
        assert_eq!((limit("limit=1"), limit("limit=50"), limit("a=b&limit=007")), (1, 50, 7));
        assert_eq!((limit("limit=5&limit=7"), limit("li%6Dit=%35")), (5, 5));
    }

    #[test]
    fn include_seen_is_true_or_false_in_words_or_digits() {
        for (query, include_seen) in [
            ("", false),
            ("include_seen=true", true),
            ("include_seen=1", true),
            ("include_seen=false", false),
            ("include_seen=0", false),
        ] {
            assert_eq!(request(query).expect(query).include_seen, include_seen, "{query}");
        }
        let invalid =
            ApiError::bad_request(ErrorCode::InvalidParameter, "invalid include_seen, expected true or false");
        for query in ["include_seen", "include_seen=", "include_seen=yes", "include_seen=TRUE", "include_seen=%zz"] {
            assert_eq!(request(query).err(), Some(invalid.clone().field("include_seen")), "{query}");
        }
        assert!(request("include_seen=1&include_seen=1").is_err());
    }

    #[test]
    fn unknown_parameters_are_refused_only_beside_newer_ones_or_near_them() {
        for query in ["utm=1", "limits=5", "page=2&limit=3", "seen=true"] {
            assert!(request(query).is_ok(), "{query}");
        }
        for query in ["include_sen=true", "include-seen=1", "limits=5&include_seen=1", "diversity=0&utm=1"] {
            assert!(request(query).is_err(), "{query}");
        }
    }

    #[test]
    fn every_parameter_is_read() {
        let query = "limit=5&offset=20&strategy=popular&with_genres=Drama,War&without_genres=Horror|27&year_gte=1980\
            &year_lte=1999&runtime_lte=120&with_original_language=JA&vote_average_gte=6.5&exclude_ids=7,3,7\
            &weights=recency:0,popularity:1e-1&diversity=0.5&explore=1&seed=42&explain=1&include_seen=1";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            request(query),
            Ok(ListRequest {
                limit: 5,
                offset: 20,
                include_seen: true,
                strategy: Some(Strategy::Popular),
                filter: MovieFilter {
                    with_genres: Some(GenreChoice { genres: names(&["Drama", "War"]), all: true }),
                    without_genres: Some(GenreChoice { genres: names(&["Horror", "27"]), all: false }),
                    year_gte: Some(1980),
                    year_lte: Some(1999),
                    runtime_lte: Some(120),
                    with_original_language: Some("ja".into()),
                    vote_average_gte: Some(6.5),
                    exclude_ids: vec![3, 7],
                },
                weights: vec![(RuleType::Popularity, 0.1), (RuleType::Recency, 0.0)],
                diversity: 0.5,
                exploration: Exploration { share: 1.0, seed: 42 },
                explain: true,
            })
        );
    }

    #[test]
    fn a_wrong_value_is_400_naming_the_parameter() {
        for (name, values) in [
            ("offset", ["-1", "10001", "1.5"]),
            ("strategy", ["", "Popular", "best"]),
            ("with_genres", ["", "a,b|c", "a,,b"]),
            ("without_genres", ["|", "a|", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21"]),
            ("year_gte", ["0", "10000", "x"]),
            ("year_lte", ["-5", "", "2e3"]),
            ("runtime_lte", ["0", "65536", "90m"]),
            ("with_original_language", ["e", "engl", "e1"]),
            ("vote_average_gte", ["-0.1", "10.1", "NaN"]),
            ("exclude_ids", ["", "1,x", "0"]),
            ("diversity", ["-1", "1.1", "inf"]),
            ("explore", ["2", "", "NaN"]),
            ("seed", ["-1", "9007199254740992", "x"]),
            ("explain", ["yes", "", "2"]),
        ] {
            for value in values {
                let body = request(&format!("{name}={value}")).expect_err(value).into_body();
                assert_eq!(body.field.as_deref(), Some(name), "{value}");
            }
        }
    }

    #[test]
    fn weights_must_be_known_once_and_from_0_to_10() {
        for value in [
            "",
            "popularity",
            "popularity:",
            "popularity:-1",
            "popularity:NaN",
            "popularity:inf",
            "popularity:10.1",
            "weather:1",
            "popularity:1,popularity:1",
            "popularity:1,",
            "Popularity:1",
        ] {
            assert!(request(&format!("weights={value}")).is_err(), "{value}");
        }
        assert!(request("weights=popularity:10,collaborative:0").is_ok());
    }
}
