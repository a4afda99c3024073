//! Synthetic movies, always the same ones, with what makes a real catalogue hard: few words and genres are common and
//! many rare, most movies are recent and unknown, and values are missing.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::random::Random;

/// TMDB's genres with their ids there, the most common first.
pub const GENRES: [(i32, &str); 19] = [
    (18, "Drama"),
    (35, "Comedy"),
    (99, "Documentary"),
    (10749, "Romance"),
    (53, "Thriller"),
    (28, "Action"),
    (27, "Horror"),
    (80, "Crime"),
    (10402, "Music"),
    (10751, "Family"),
    (16, "Animation"),
    (12, "Adventure"),
    (878, "Science Fiction"),
    (14, "Fantasy"),
    (9648, "Mystery"),
    (36, "History"),
    (10752, "War"),
    (37, "Western"),
    (10770, "TV Movie"),
];
/// Besides English, the most common first.
const LANGUAGES: [&str; 29] = [
    "fr", "es", "ja", "de", "pt", "it", "zh", "ko", "ru", "hi", "sv", "tr", "pl", "da", "nl", "cs", "ar", "fi", "el",
    "hu", "ta", "te", "no", "th", "fa", "id", "he", "uk", "ro",
];
/// With the names in other scripts, a million movies have twice as many words.
const VOCABULARY: usize = 200_000;
/// Titles to misspell.
const MISSPELT: usize = 12;
/// Letters of a long word.
const LONG: usize = 6;
const SEED: u64 = 20_261_122;

/// A catalogue of any size; a larger one begins with the smaller one.
pub struct Generator {
    random: Random,
    words: Vec<String>,
    made: i32,
    titles_to_misspell: Vec<String>,
}

impl Generator {
    /// At the beginning.
    pub fn new() -> Self {
        let mut random = Random::new(SEED);
        let words = vocabulary(&mut random);
        Self { random, words, made: 0, titles_to_misspell: Vec::new() }
    }

    /// A word by how common it is, the most common first.
    pub fn word(&self, rank: usize) -> &str {
        &self.words[rank]
    }

    /// Titles of the first movies with a typo in each long word: two letters swapped, or one left out, changed or doubled.
    pub fn misspelt_titles(&self) -> Vec<String> {
        let with_typo = |(kind, word): (usize, &str)| {
            let mut letters: Vec<char> = word.chars().collect();
            match (kind % 4, letters.get(3).copied().filter(|_| letters.len() >= LONG)) {
                (0, Some(_)) => letters.swap(2, 3),
                (1, Some(_)) => drop(letters.remove(3)),
                (2, Some(letter)) => letters[3] = if letter == 'e' { 'a' } else { 'e' },
                (_, Some(letter)) => letters.insert(3, letter),
                (_, None) => {}
            }
            letters.into_iter().collect::<String>()
        };
        let misspelt = |(at, title): (usize, &String)| {
            let words = title.split(' ').enumerate().map(|(place, word)| with_typo((at + place, word)));
            words.collect::<Vec<_>>().join(" ")
        };
        self.titles_to_misspell.iter().enumerate().map(misspelt).collect()
    }

    /// The next movies as lines of JSON.
    pub fn lines(&mut self, count: usize) -> Vec<u8> {
        let mut lines = Vec::with_capacity(count * 900);
        for _ in 0..count {
            serde_json::to_writer(&mut lines, &self.movie()).expect("a value serialises");
            lines.push(b'\n');
        }
        lines
    }

    fn movie(&mut self) -> Value {
        self.made += 1;
        let (language, title) = (self.language(), self.title());
        if self.titles_to_misspell.len() < MISSPELT && title.split(' ').any(|word| word.len() >= LONG) {
            self.titles_to_misspell.push(title.clone());
        }
        let mut movie = Map::new();
        movie.insert("original_title".to_owned(), self.original_title(language, &title).into());
        movie.insert("title".to_owned(), title.into());
        movie.insert("overview".to_owned(), self.overview().into());
        movie.insert("release_date".to_owned(), self.release_date().into());
        movie.insert("genres".to_owned(), self.genres());
        movie.insert("language".to_owned(), language.into());
        movie.insert("popularity".to_owned(), rounded((self.random.normal() * 1.5).exp()).into());
        movie.insert("tmdb_id".to_owned(), self.made.into());
        if !self.random.happens(0.2) {
            let votes = 30_000_f64.powf(self.random.share().powi(2)) as i64;
            movie.insert("vote_count".to_owned(), votes.into());
            let average = (6.2 + 1.1 * self.random.normal()).clamp(1.0, 10.0);
            movie.insert("vote_average".to_owned(), rounded(average).into());
        }
        if self.random.happens(0.7) {
            movie
                .insert("duration".to_owned(), ((98.0 + 22.0 * self.random.normal()).clamp(40.0, 300.0) as i64).into());
        }
        for (name, share) in [("poster_url", 0.8), ("backdrop_url", 0.5)] {
            if self.random.happens(share) {
                movie.insert(name.to_owned(), format!("/{name}-{}.jpg", self.made).into());
            }
        }
        Value::Object(movie)
    }

    fn language(&mut self) -> &'static str {
        if self.random.happens(0.55) { "en" } else { LANGUAGES[self.random.zipf(LANGUAGES.len())] }
    }

    fn title(&mut self) -> String {
        let words = 1 + self.random.choose(&[0.15, 0.35, 0.28, 0.15, 0.07]);
        let words: Vec<String> = (0..words).map(|_| capital(self.any_word())).collect();
        words.join(" ")
    }

    fn any_word(&mut self) -> &str {
        &self.words[self.random.zipf(self.words.len())]
    }

    fn original_title(&mut self, language: &str, title: &str) -> String {
        let letters = match language {
            "en" => return title.to_owned(),
            "ja" => '\u{3042}'..='\u{3093}',
            "zh" => '\u{4e00}'..='\u{5e00}',
            "ko" => '\u{ac00}'..='\u{c000}',
            _ => return self.title(),
        };
        let letters: Vec<char> = letters.collect();
        let length = 3 + self.random.below(8);
        (0..length).map(|_| letters[self.random.zipf(letters.len())]).collect()
    }

    /// 200 to 400 characters.
    fn overview(&mut self) -> String {
        let length = 200 + self.random.below(190);
        let mut text = capital(self.any_word());
        while text.len() < length {
            text.push(' ');
            text.push_str(self.any_word());
        }
        text.push('.');
        text
    }

    fn release_date(&mut self) -> String {
        if self.random.happens(0.03) {
            return String::new();
        }
        let year = 2026 - (127.0 * self.random.share().powf(2.5)) as i32;
        let day = 1 + self.random.below(365) as u32;
        NaiveDate::from_yo_opt(year, day).expect("a day that every year has").to_string()
    }

    fn genres(&mut self) -> Value {
        let count = self.random.choose(&[0.02, 0.18, 0.32, 0.27, 0.15, 0.06]);
        let mut genres = Vec::new();
        while genres.len() < count {
            let (_, name) = GENRES[self.random.zipf(GENRES.len())];
            if !genres.contains(&name) {
                genres.push(name);
            }
        }
        json!(genres)
    }
}

/// Made of syllables, so that they share trigrams as the words of a language do.
fn vocabulary(random: &mut Random) -> Vec<String> {
    const BEGINNINGS: &str = "b bl br c ch cl cr d dr f fl fr g gl gr h j k kn l m n p ph pl pr qu r s sc sh sk sl sm sn sp st str \
             sw t th tr tw v w wh wr y z";
    const ENDINGS: &str = "a e i o u an ar as at ea ed ee el em en er es et ew ia id ie il im in ing ion ir is it oa od ol on oo \
             or os ot ou ow ul um un ur us ut y ack all and ang ard ash eck elt ent erm ess ick ight ill int oak ock old ong ook \
             orn ound uck ull unt ust";
    let (beginnings, endings): (Vec<_>, Vec<_>) = (BEGINNINGS.split(' ').collect(), ENDINGS.split(' ').collect());
    let (mut words, mut known) = (Vec::with_capacity(VOCABULARY), HashSet::new());
    while words.len() < VOCABULARY {
        let syllables = 1 + random.choose(&[0.1, 0.45, 0.35, 0.1]);
        let syllable =
            |_| format!("{}{}", beginnings[random.below(beginnings.len())], endings[random.below(endings.len())]);
        let word: String = (0..syllables).map(syllable).collect();
        if known.insert(word.clone()) {
            words.push(word);
        }
    }
    words
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
