//! Similar movies in synthetic catalogues of some thousand movies, beside a scoring of each of them.

use chrono::{Days, NaiveDate};
use serde_json::Value;
use sqlx::PgPool;

use crate::support::TestApp;

struct Movie {
    id: i32,
    /// A bit for each of its genres.
    genres: u32,
    language: Option<&'static str>,
    released: Option<NaiveDate>,
    popularity: Option<f64>,
    average: f64,
    votes: i32,
}

/// The same numbers for the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % end
    }

    /// Some genres are frequent, some rare; some values are unknown; most movies have few votes.
    fn movie(&mut self, id: i32) -> Movie {
        let (some, day, dated) = (self.below(4), self.below(40_000), self.below(20) > 0);
        Movie {
            id,
            genres: (0..some).fold(0, |genres, _| genres | 1 << self.below(19).min(self.below(19))),
            language: [None, Some("fr"), Some("ja"), Some("en"), Some("en"), Some("en")][self.below(6) as usize],
            released: NaiveDate::from_ymd_opt(1915, 1, 1).unwrap().checked_add_days(Days::new(day)).filter(|_| dated),
            popularity: Some(self.below(500) as f64 / 10.0).filter(|popularity| *popularity > 1.0),
            average: self.below(101) as f64 / 10.0,
            votes: [0, 3, 90, 20_000][self.below(4) as usize] * self.below(3) as i32,
        }
    }
}

impl Movie {
    /// As the specification says it.
    fn score(&self, other: &Self) -> f64 {
        let language = f64::from(self.language.is_some() && self.language == other.language);
        let days = self.released.zip(other.released).map(|(a, b)| (a - b).num_days().abs() as f64);
        let era = days.map_or(0.0, |days| (1.0 - days / 365.25 / 20.0).max(0.0));
        let both = 0.15 * language + 0.2 * era;
        if self.genres == 0 {
            return both / 0.35;
        }
        let shared = f64::from((self.genres & other.genres).count_ones());
        let votes = (f64::from(other.votes) * other.average + 500.0 * 6.0) / (f64::from(other.votes) + 500.0);
        0.5 * shared / f64::from((self.genres | other.genres).count_ones()) + both + 0.15 * votes / 10.0
    }
}

/// Ids and scores of the ten most similar movies of all.
fn best(subject: &Movie, movies: &[Movie]) -> Vec<(i64, f64)> {
    let others = movies.iter().filter(|other| other.id != subject.id);
    let comparable = others.filter(|other| subject.genres == 0 || subject.genres & other.genres != 0);
    let scored = comparable.map(|other| ((subject.score(other) * 1e4).round() / 1e4, other));
    let mut scored: Vec<_> = scored.filter(|(score, _)| *score > 0.0).collect();
    let popularity = |movie: &Movie| movie.popularity.unwrap_or(-1.0);
    scored.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a).then(popularity(other).total_cmp(&popularity(one))).then(one.id.cmp(&other.id))
    });
    scored.iter().take(10).map(|(score, movie)| (i64::from(movie.id), *score)).collect()
}

async fn answered(app: &TestApp, subject: &Movie) -> Vec<(i64, f64)> {
    let reply = app.get(&format!("/api/v1/movies/{}/similar", subject.id)).await.json();
    let pair = |movie: &Value| (movie["id"].as_i64().unwrap(), movie["score"].as_f64().unwrap());
    reply["similar"].as_array().unwrap().iter().map(pair).collect()
}

async fn catalogue(pool: &PgPool, size: i32) -> (TestApp, Vec<Movie>) {
    let app = TestApp::new(pool).await;
    let mut random = Random(7);
    let movies: Vec<Movie> = (1..=size).map(|id| random.movie(id)).collect();
    app.execute("INSERT INTO genres (tmdb_id, name) SELECT n, 'Genre ' || n FROM generate_series(1, 19) n").await;
    sqlx::query(
        "INSERT INTO movies (title, original_language, release_date, popularity, vote_average, vote_count)
         SELECT 'Movie', * FROM unnest($1::text[], $2::date[], $3::float8[], $4::float8[], $5::int[])",
    )
    .bind(movies.iter().map(|movie| movie.language).collect::<Vec<_>>())
    .bind(movies.iter().map(|movie| movie.released).collect::<Vec<_>>())
    .bind(movies.iter().map(|movie| movie.popularity).collect::<Vec<_>>())
    .bind(movies.iter().map(|movie| movie.average).collect::<Vec<_>>())
    .bind(movies.iter().map(|movie| movie.votes).collect::<Vec<_>>())
    .execute(pool)
    .await
    .unwrap();
    let links = movies.iter().flat_map(|movie| (1..=19).map(move |genre| (movie, genre)));
    let links: Vec<_> = links.filter(|(movie, genre)| movie.genres >> (genre - 1) & 1 == 1).collect();
    sqlx::query("INSERT INTO movie_genres SELECT * FROM unnest($1::int[], $2::int[])")
        .bind(links.iter().map(|(movie, _)| movie.id).collect::<Vec<_>>())
        .bind(links.iter().map(|(_, genre)| *genre).collect::<Vec<_>>())
        .execute(pool)
        .await
        .unwrap();
    (app, movies)
}

#[sqlx::test(migrations = "./migrations")]
async fn in_a_catalogue_of_ordinary_size_each_movie_is_compared(pool: PgPool) {
    let (app, movies) = catalogue(&pool, 6000).await;
    for subject in movies.iter().step_by(97) {
        assert_eq!(answered(&app, subject).await, best(subject, &movies), "movie {}", subject.id);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn in_a_larger_catalogue_the_answer_is_nearly_as_good_and_always_the_same(pool: PgPool) {
    let (app, movies) = catalogue(&pool, 10_500).await;
    let sum = |movies: &[(i64, f64)]| movies.iter().map(|(_, score)| score).sum::<f64>();
    let (mut reached, mut possible) = (0.0, 0.0);
    for subject in movies.iter().step_by(211) {
        let answered = answered(&app, subject).await;
        for (id, score) in &answered {
            let other = &movies[*id as usize - 1];
            assert_eq!(*score, (subject.score(other) * 1e4).round() / 1e4, "movies {} and {id}", subject.id);
        }
        reached += sum(&answered);
        possible += sum(&best(subject, &movies));
    }
    assert!(reached > 0.99 * possible, "{reached} of {possible}");
    let first = app.get("/api/v1/movies/1/similar").await.body;
    app.redis_do("FLUSHDB", &[]).await;
    assert_eq!(app.get("/api/v1/movies/1/similar").await.body, first);
}
