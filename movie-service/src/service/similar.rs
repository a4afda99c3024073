//! Movies that are like another one.
//!
//! `score = 0.5 genres + 0.15 language + 0.2 era + 0.15 votes`, each part from 0 to 1:
//! - genres: those shared, divided by all that either has (the Jaccard index);
//! - language: 1 when both are known and the same;
//! - era: 1 on the same day, falling evenly to 0 at 20 years;
//! - votes: the weighted rating that IMDb published for its Top 250, `v/(v+m) R + m/(v+m) C`, divided by 10. `R` is the
//!   average of `v` votes, `C` about what TMDB's users give on average, `m` the votes it takes to weigh as much as that.
//!
//! Of a movie without genres, language and era alone are counted, divided by the sum of their weights.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        movie::MovieId,
        similar::{Candidate, SimilarMovie, SimilarMovies, Subject},
    },
    repository::similar::{self, Chosen},
};

const GENRES: f64 = 0.5;
const LANGUAGE: f64 = 0.15;
const ERA: f64 = 0.2;
const VOTES: f64 = 0.15;

const DAYS_A_YEAR: f64 = 365.25;
const ERA_YEARS: f64 = 20.0;
const NEAR_YEARS: f64 = 5.0;
/// `m` of the weighted rating.
const VOTES_TO_COUNT: f64 = 500.0;
/// `C` of the weighted rating.
const AVERAGE_RATING: f64 = 6.0;
/// The weighted rating from which on a movie is said to be well rated.
const GOOD_RATING: f64 = 7.0;

/// How a movie compares.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Parts {
    /// `None` when the subject has no genres.
    genres: Option<f64>,
    same_language: bool,
    /// Between the releases.
    years: Option<f64>,
    weighted_rating: f64,
}

struct Ranked {
    id: i32,
    popularity: Option<f64>,
    parts: Parts,
    score: f64,
}

/// Movies like this one; `None` when there is no such movie.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn find(database: &Database, id: MovieId, limit: i32) -> Result<Option<SimilarMovies>, DatabaseError> {
    let similar = async |connection: &mut PgConnection| {
        let Some(subject) = similar::subject(connection, id).await? else { return Ok(None) };
        let best = rank(
            &subject,
            &similar::candidates(connection, id, &subject).await?,
            usize::try_from(limit).unwrap_or_default(),
        );
        let ids: Vec<i32> = best.iter().map(|movie| movie.id).collect();
        let chosen = similar::chosen(connection, &ids, &subject.genres).await?;
        let mut chosen: HashMap<i32, Chosen> = chosen.into_iter().map(|movie| (movie.id, movie)).collect();
        // One that has been deleted in between is left out.
        let similar = best.iter().filter_map(|ranked| Some(shown(chosen.remove(&ranked.id)?, ranked))).collect();
        Ok(Some(SimilarMovies { movie_id: id.get(), similar }))
    };
    database.read("find similar movies", similar).await
}

fn shown(movie: Chosen, ranked: &Ranked) -> SimilarMovie {
    SimilarMovie {
        id: movie.id,
        title: movie.title,
        release_date: movie.release_date,
        popularity: movie.popularity,
        poster_path: movie.poster_path,
        score: ranked.score,
        why: ranked.parts.why(&movie.shared),
    }
}

/// The best, those with the same score by popularity, then by id. One that has nothing in common is not similar.
fn rank(subject: &Subject, candidates: &[Candidate], limit: usize) -> Vec<Ranked> {
    let ranked = |candidate: &Candidate| {
        let parts = Parts::of(subject, candidate);
        Ranked { id: candidate.id, popularity: candidate.popularity, parts, score: parts.score() }
    };
    let mut best: Vec<Ranked> = candidates.iter().map(ranked).filter(|ranked| ranked.score > 0.0).collect();
    let popularity = |ranked: &Ranked| ranked.popularity.unwrap_or(f64::NEG_INFINITY);
    best.sort_unstable_by(|a, b| {
        b.score.total_cmp(&a.score).then(popularity(b).total_cmp(&popularity(a))).then(a.id.cmp(&b.id))
    });
    best.truncate(limit);
    best
}

impl Parts {
    fn of(subject: &Subject, candidate: &Candidate) -> Self {
        let own = subject.genres.len() as i64;
        Self {
            genres: (own > 0).then(|| jaccard(candidate.shared, own, candidate.genres)),
            same_language: subject.language.is_some() && subject.language == candidate.language,
            years: subject.released.zip(candidate.released).map(|(a, b)| years_between(a, b)),
            weighted_rating: weighted_rating(candidate.rating, candidate.votes),
        }
    }

    fn era(&self) -> f64 {
        self.years.map_or(0.0, |years| (1.0 - years / ERA_YEARS).max(0.0))
    }

    /// 0 to 1, rounded to 4 decimals.
    fn score(&self) -> f64 {
        let both = LANGUAGE * f64::from(u8::from(self.same_language)) + ERA * self.era();
        let score = match self.genres {
            Some(genres) => GENRES * genres + both + VOTES * self.weighted_rating / 10.0,
            None => both / (LANGUAGE + ERA),
        };
        (score * 1e4).round() / 1e4
    }

    fn why(&self, shared: &[String]) -> Vec<String> {
        let mut why = Vec::new();
        if !shared.is_empty() {
            why.push(format!("shares {}", shared.join(", ")));
        }
        if self.same_language {
            why.push("same language".to_owned());
        }
        match self.years {
            Some(years) if years <= NEAR_YEARS => why.push("released within 5 years".to_owned()),
            Some(years) if years < ERA_YEARS => why.push("released within 20 years".to_owned()),
            _ => {}
        }
        if self.genres.is_some() && self.weighted_rating >= GOOD_RATING {
            why.push("well rated by many".to_owned());
        }
        why
    }
}

fn jaccard(shared: i64, a: i64, b: i64) -> f64 {
    let either = a + b - shared;
    if either <= 0 { 0.0 } else { shared as f64 / either as f64 }
}

fn years_between(a: NaiveDate, b: NaiveDate) -> f64 {
    (a - b).num_days().abs() as f64 / DAYS_A_YEAR
}

fn weighted_rating(rating: Option<f64>, votes: Option<i32>) -> f64 {
    let votes = f64::from(votes.unwrap_or_default().max(0));
    let rating = rating.unwrap_or(AVERAGE_RATING).clamp(0.0, 10.0);
    (votes * rating + VOTES_TO_COUNT * AVERAGE_RATING) / (votes + VOTES_TO_COUNT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(year: i32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, 3, 31)
    }

    fn matrix() -> Subject {
        Subject { genres: vec![1, 2], language: Some("en".to_owned()), released: date(1999), ..Subject::default() }
    }

    fn candidate(id: i32, shared: i64, genres: i64) -> Candidate {
        Candidate { id, shared, genres, ..Candidate::default() }
    }

    #[test]
    fn the_score_is_the_sum_of_its_parts() {
        let twin = Candidate {
            language: Some("en".to_owned()),
            released: date(1999),
            rating: Some(8.0),
            votes: Some(500),
            ..candidate(2, 2, 2)
        };
        let parts = Parts::of(&matrix(), &twin);
        assert_eq!(parts.score(), 0.955, "0.5 + 0.15 + 0.2 + 0.15 x 0.7");
        let all = ["shares Action, War", "same language", "released within 5 years", "well rated by many"];
        assert_eq!(parts.why(&["Action".to_owned(), "War".to_owned()]), all);

        let cousin = Candidate { released: date(2009), ..candidate(3, 1, 2) };
        let parts = Parts::of(&matrix(), &cousin);
        assert_eq!(parts.score(), 0.3567, "0.5 / 3 + 0.2 x 0.5 + 0.15 x 0.6");
        assert_eq!(parts.why(&["War".to_owned()]), ["shares War", "released within 20 years"]);
    }

    #[test]
    fn what_is_unknown_has_nothing_in_common() {
        let bare = Subject { genres: vec![1], ..Subject::default() };
        assert_eq!(Parts::of(&bare, &candidate(2, 1, 1)).score(), 0.59, "no language is not the same language");
        assert!(rank(&Subject::default(), &[candidate(2, 0, 0), candidate(3, 0, 1)], 10).is_empty());
    }

    #[test]
    fn without_genres_language_and_era_decide() {
        let subject = Subject { genres: Vec::new(), ..matrix() };
        let same = Candidate { language: Some("en".to_owned()), released: date(1999), ..candidate(2, 0, 3) };
        let loved = Candidate { rating: Some(9.0), votes: Some(30_000), ..candidate(3, 0, 3) };
        let best = rank(&subject, &[loved, same], 10);
        assert_eq!(best.iter().map(|movie| (movie.id, movie.score)).collect::<Vec<_>>(), [(2, 1.0)]);
        assert_eq!(best[0].parts.why(&[]), ["same language", "released within 5 years"]);
    }

    #[test]
    fn equal_scores_are_in_the_order_of_popularity_then_id() {
        let with = |id, popularity| Candidate { popularity, ..candidate(id, 1, 1) };
        let candidates =
            [with(4, None), with(3, Some(1.0)), with(2, Some(1.0)), with(1, Some(0.5)), with(5, Some(9.0))];
        let best = rank(&matrix(), &candidates, 4);
        assert_eq!(best.iter().map(|movie| movie.id).collect::<Vec<_>>(), [5, 2, 3, 1]);
    }

    #[test]
    fn few_votes_say_little() {
        assert_eq!(weighted_rating(None, None), 6.0);
        assert_eq!(weighted_rating(Some(10.0), Some(500)), 8.0);
        assert!(weighted_rating(Some(10.0), Some(1)) < weighted_rating(Some(7.0), Some(1000)));
    }

    fn sets() -> impl Strategy<Value = (i64, i64, i64)> {
        (0_i64..20, 0_i64..20, 0_i64..20).prop_map(|(shared, a, b)| (shared, shared + a, shared + b))
    }

    proptest! {
        #[test]
        fn the_genre_part_is_symmetric_and_within_bounds((shared, a, b) in sets()) {
            prop_assert_eq!(jaccard(shared, a, b), jaccard(shared, b, a));
            prop_assert!((0.0..=1.0).contains(&jaccard(shared, a, b)));
            prop_assert!(a + b == 0 || (jaccard(shared, a, b) == 1.0) == (a == shared && b == shared));
        }

        #[test]
        fn a_score_is_within_bounds_and_no_better_one_comes_later(
            genres in prop::collection::vec(1_i32..9, 0..4),
            candidates in prop::collection::vec((sets(), any::<bool>(), 1900..2030_i32, any::<f64>(), any::<i32>()), 0..40),
        ) {
            let subject = Subject { genres, ..matrix() };
            let candidate = |((shared, _, genres), english, year, rating, votes): ((i64, i64, i64), bool, i32, f64, i32)| Candidate {
                language: english.then(|| "en".to_owned()),
                released: date(year),
                rating: Some(rating).filter(|rating| rating.is_finite()),
                votes: Some(votes),
                ..candidate(year, shared.min(subject.genres.len() as i64), genres)
            };
            let candidates: Vec<_> = candidates.into_iter().map(candidate).collect();
            let best = rank(&subject, &candidates, 50);
            prop_assert!(best.iter().all(|movie| (0.0..=1.0).contains(&movie.score)));
            prop_assert!(best.is_sorted_by(|a, b| a.score >= b.score));
        }
    }
}
