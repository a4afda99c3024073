//! One word of a search, and what else may be meant by it.

use strsim::osa_distance;

use super::{
    Vocabulary,
    numerals::{is_digits, is_numeral, same_number, year},
};

/// Words shorter than this are not mistyped, but mean something else.
pub(super) const MIN_LETTERS: usize = 4;
/// What a space too many or too few costs: less than a wrong letter.
const SPACE_EDITS: f32 = 0.25;
/// More of what a word may be meant to be is too far from it.
const MAX_FORMS: usize = 50;
/// Longer words are not taken apart into more than two.
const MAX_SEGMENTED_LETTERS: usize = 20;
const MIN_SEGMENTED_LETTERS: usize = 6;

/// Words that titles have or lack as they like.
const OPTIONAL: [&str; 8] = ["the", "a", "an", "and", "of", "or", "movie", "film"];
/// What an optional word counts, compared with another one of as many letters.
const OPTIONAL_WEIGHT: f32 = 0.25;
/// A numeral counts as so many letters.
const NUMERAL_WEIGHT: f32 = 3.0;
/// How near a title without a number comes to a search for part 1.
const FIRST_PART: f32 = 0.9;

/// How a word takes part in finding titles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    /// Titles must have it.
    Required,
    /// It only decides about the order.
    Optional,
    /// A year: titles may have it, or the movie may be of that year.
    Year(i32),
}

/// A word of a search.
pub(super) struct Term {
    pub(super) text: String,
    pub(super) weight: f32,
    pub(super) role: Role,
    /// What it may be meant to be, the closest first. One wrong letter of a hundred is a closeness of 0.99.
    forms: Vec<(String, f32)>,
}

/// How many letters of a word may be added, left out, changed, or swapped with the next: what Elasticsearch calls
/// `fuzziness: AUTO`, but for words of three letters.
pub(super) fn edits(letters: usize) -> usize {
    match letters {
        ..MIN_LETTERS => 0,
        MIN_LETTERS..=5 => 1,
        6.. => 2,
    }
}

/// Whether a word may be a typo: digits never are.
pub(super) fn may_be_mistyped(word: &str) -> bool {
    word.chars().count() >= MIN_LETTERS && !is_digits(word)
}

impl Term {
    /// The word at `index` of `words`.
    pub(super) fn new(words: &[&str], index: usize, vocabulary: &Vocabulary) -> Self {
        let text = words[index];
        let letters = text.chars().count();
        let known = |form: &String| vocabulary.has(form);
        let swapped = swaps(text).into_iter().filter(known).map(|form| (form, edited(1.0, letters)));
        let segmented = segments(text, vocabulary).into_iter().map(|form| {
            let spaces = form.matches(' ').count() as f32;
            (form, edited(SPACE_EDITS * spaces, letters))
        });
        let joined = joined(words, index).into_iter().filter(known).map(|form| {
            let letters = form.chars().count();
            (form, edited(SPACE_EDITS, letters))
        });
        let numbers = same_number(text).into_iter().flatten().filter(|form| **form != text);
        let mut forms = typos(text, vocabulary);
        forms.extend(swapped.chain(segmented).chain(joined).chain(numbers.map(|form| ((*form).to_owned(), 1.0))));
        forms.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        forms.dedup_by(|one, other| one.0 == other.0);
        forms.truncate(MAX_FORMS);
        let role = Role::of(text);
        let weight = match role {
            _ if is_numeral(text) && letters < MIN_LETTERS => NUMERAL_WEIGHT,
            Role::Optional => letters as f32 * OPTIONAL_WEIGHT,
            _ => letters as f32,
        };
        Self { text: text.to_owned(), weight, role, forms }
    }

    /// A word that is taken as it is written.
    pub(super) fn as_written(text: &str) -> Self {
        Self { text: text.to_owned(), weight: text.chars().count() as f32, role: Role::Required, forms: Vec::new() }
    }

    /// Titles with the word or one of its closest forms, as a `tsquery` of lexemes.
    pub(super) fn query(&self, max_forms: usize) -> String {
        // What one or two letters begin is most of a catalogue, and digits begin other numbers.
        let prefix = if self.text.chars().count() > 2 && !is_digits(&self.text) { ":*" } else { "" };
        let written = format!("{}{prefix}", quoted(&self.text));
        let forms = self.forms.iter().take(max_forms).map(|(form, _)| {
            let words: Vec<String> = form.split(' ').map(quoted).collect();
            if words.len() > 1 { format!("({})", words.join(" & ")) } else { words.concat() }
        });
        format!("({})", std::iter::once(written).chain(forms).collect::<Vec<_>>().join(" | "))
    }

    /// From 0 (not there) to 1 (there as it is written, or as the beginning of a word). `text` has a space around each word.
    pub(super) fn closeness(&self, text: &str, released: Option<i32>) -> f32 {
        let is_there = text
            .split_whitespace()
            .any(|word| if is_digits(&self.text) { word == self.text } else { word.starts_with(&self.text) });
        if is_there {
            return 1.0;
        }
        let form = self.forms.iter().find(|(form, _)| text.contains(&format!(" {form} ")));
        let form = form.map_or(0.0, |(_, closeness)| *closeness);
        match self.role {
            Role::Year(year) => match released.map(|released| released.abs_diff(year)) {
                Some(0) => 1.0,
                Some(1) => 0.5,
                _ => form,
            },
            // The first part of a series seldom says so.
            Role::Optional if form == 0.0 && self.text == "1" && !text.split_whitespace().any(is_numeral) => FIRST_PART,
            _ => form,
        }
    }
}

impl Role {
    fn of(text: &str) -> Self {
        match year(text) {
            Some(year) => Self::Year(year),
            None if text == "1" || OPTIONAL.contains(&text) => Self::Optional,
            None => Self::Required,
        }
    }
}

fn edited(edits: f32, letters: usize) -> f32 {
    1.0 - edits / letters as f32
}

/// Words of titles that are a few letters away.
fn typos(text: &str, vocabulary: &Vocabulary) -> Vec<(String, f32)> {
    let letters = text.chars().count();
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).collect::<String>();
    let similar = vocabulary.similar_to(text).iter().filter(|word| {
        let (searched, known) = (digits(text), digits(word));
        !is_digits(word) && (searched == known || searched.is_empty() || known.is_empty())
    });
    let distances = similar.map(|word| (word, osa_distance(text, word)));
    distances
        .filter(|(_, distance)| (1..=edits(letters)).contains(distance))
        .map(|(word, distance)| (word.clone(), edited(distance as f32, letters)))
        .collect()
}

/// The word with two letters swapped: too little of a short word is left for it to look similar.
pub(super) fn swaps(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() < MIN_LETTERS || text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let swapped = (1..letters.len()).map(|at| {
        let mut swapped = letters.clone();
        swapped.swap(at - 1, at);
        swapped.into_iter().collect()
    });
    swapped.filter(|swapped| swapped != text).collect()
}

/// The word before and the one after, written as one with it.
pub(super) fn joined(words: &[&str], index: usize) -> Vec<String> {
    let joined = |one: usize| Some(format!("{}{}", words.get(one)?, words.get(one + 1)?));
    (index.saturating_sub(1)..=index).filter_map(joined).collect()
}

/// Parts of a word that may be words of titles.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let count = letters.len();
    let ranges = (0..count).flat_map(|from| (from + 1..=count).map(move |to| (from, to)));
    let is_piece = |(from, to): &(usize, usize)| match (*from == 0, *to == count) {
        (true, true) => false,
        (false, false) => is_segmented(count),
        _ => true,
    };
    ranges.filter(is_piece).map(|(from, to)| letters[from..to].iter().collect()).collect()
}

/// The word as two words of titles, wherever that is possible, and as the fewest of three or more.
fn segments(text: &str, vocabulary: &Vocabulary) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let count = letters.len();
    let piece = |from: usize, to: usize| letters[from..to].iter().collect::<String>();
    let is_word = |piece: &str| vocabulary.has(piece) || (piece.chars().count() < 3 && !is_digits(piece));
    let mut segments = Vec::new();
    for at in 1..count {
        let (one, other) = (piece(0, at), piece(at, count));
        if is_word(&one) && is_word(&other) {
            segments.push(format!("{one} {other}"));
        }
    }
    if segments.is_empty() && is_segmented(count) {
        segments.extend(fewest_words(count, &piece, &is_word));
    }
    segments
}

fn is_segmented(letters: usize) -> bool {
    (MIN_SEGMENTED_LETTERS..=MAX_SEGMENTED_LETTERS).contains(&letters)
}

fn fewest_words(
    count: usize,
    piece: &impl Fn(usize, usize) -> String,
    is_word: &impl Fn(&str) -> bool,
) -> Option<String> {
    // Each entry is the best way to write the letters up to there: few words, then few of one or two letters.
    let mut best: Vec<Option<(usize, String)>> = vec![None; count + 1];
    best[0] = Some((0, String::new()));
    for to in 1..=count {
        for from in 0..to {
            let Some((cost, before)) = &best[from] else { continue };
            let word = piece(from, to);
            if !is_word(&word) {
                continue;
            }
            let cost = cost + if to - from < 3 { 4 } else { 2 };
            if best[to].as_ref().is_none_or(|(best, _)| cost < *best) {
                let separator = if before.is_empty() { "" } else { " " };
                best[to] = Some((cost, format!("{before}{separator}{word}")));
            }
        }
    }
    best.pop().flatten().map(|(_, words)| words).filter(|words| words.contains(' '))
}

/// A text as one lexeme of a `tsquery`.
pub(in super::super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
