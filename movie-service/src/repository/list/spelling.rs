//! What the words of a search may be mistakes for: typing mistakes, two letters swapped, a space too many or too few.

use std::collections::{HashMap, HashSet};

use strsim::osa_distance;

/// A search in which each word may also be written in other forms.
pub(super) struct Spelling(Vec<Word>);

struct Word {
    /// As it is searched for.
    text: String,
    letters: usize,
    /// What it may be meant to be, with a space around each word: the closest first. One letter of a hundred mistaken is a
    /// closeness of 0.99.
    forms: Vec<(String, f32)>,
}

/// Words after so many are taken as they are written.
const MOST_WORDS: usize = 10;
/// Of more words none is left out: that is a query for each.
const MOST_TO_LEAVE_ONE_OUT: usize = 5;
/// Forms of each word when one is left out.
const FORMS_WITHOUT_ONE: usize = 40;
/// More of what a word may be meant to be is too far from it.
const MOST_FORMS: usize = 50;
/// Words shorter than this are not mistyped, but mean something else.
const SHORTEST: usize = 4;

/// How many letters of a word may be added, left out, changed, or swapped with the next: what Elasticsearch calls
/// `fuzziness: AUTO`, but for words of three letters.
pub(super) fn edits(letters: usize) -> usize {
    match letters {
        ..SHORTEST => 0,
        SHORTEST..=5 => 1,
        6.. => 2,
    }
}

/// Those words of a search that the words of all titles are to be compared with.
pub(super) fn doubtful(words: &str) -> Vec<&str> {
    distinct(words).into_iter().take(MOST_WORDS).filter(|word| word.chars().count() >= SHORTEST).collect()
}

/// The words, each where it is first.
fn distinct(words: &str) -> Vec<&str> {
    let mut known = HashSet::new();
    words.split_whitespace().filter(|word| known.insert(*word)).collect()
}

impl Spelling {
    /// Of a search, and words of titles that look like one of its words.
    pub(super) fn new(words: &str, known: &[(String, String)]) -> Self {
        let mut alike: HashMap<&str, Vec<&str>> = HashMap::new();
        for (searched, known) in known {
            alike.entry(searched).or_default().push(known);
        }
        let words = distinct(words);
        let word = |(at, text): (usize, &&str)| {
            if at >= MOST_WORDS {
                return Word { text: (*text).to_owned(), letters: text.chars().count(), forms: Vec::new() };
            }
            let joined = [at.checked_sub(1).map(|before| (before, at)), Some((at, at + 1))].into_iter().flatten();
            let joined = joined.filter_map(|(one, next)| Some(format!("{}{}", words.get(one)?, words.get(next)?)));
            Word::new(text, alike.get(text).map_or(&[], Vec::as_slice), joined.collect())
        };
        Self(words.iter().enumerate().map(word).collect())
    }

    /// Titles with all the words, as a `tsquery` of their lexemes. Without any there is nothing to look for.
    pub(super) fn all(&self) -> String {
        self.0.iter().map(|word| word.query(usize::MAX)).collect::<Vec<_>>().join(" & ")
    }

    /// Titles with all of a few words but one, if the others are at least half of what is searched for.
    pub(super) fn all_but_one(&self) -> Option<String> {
        if !(2..=MOST_TO_LEAVE_ONE_OUT).contains(&self.0.len()) {
            return None;
        }
        let letters: usize = self.0.iter().map(|word| word.letters).sum();
        let but = |(left_out, word): (usize, &Word)| {
            let others = self.0.iter().enumerate().filter(|(at, _)| *at != left_out);
            let others = others.map(|(_, word)| word.query(FORMS_WITHOUT_ONE));
            (word.letters * 2 <= letters).then(|| format!("({})", others.collect::<Vec<_>>().join(" & ")))
        };
        let choices: Vec<String> = self.0.iter().enumerate().filter_map(but).collect();
        (!choices.is_empty()).then(|| choices.join(" | "))
    }

    /// How far a movie's words are from those searched for, from 0 (none is mistaken) to 1 (none is there).
    pub(super) fn distance(&self, search_text: &str) -> f32 {
        let (letters, found) = self.0.iter().fold((0.0, 0.0), |(letters, found), word| {
            let weight = word.letters as f32;
            (letters + weight, found + weight * word.closeness(search_text))
        });
        if letters > 0.0 { 1.0 - found / letters } else { 1.0 }
    }
}

impl Word {
    fn new(text: &str, known: &[&str], joined: Vec<String>) -> Self {
        let letters: Vec<char> = text.chars().collect();
        let close = |edits: usize, of: usize| 1.0 - edits as f32 / of as f32;
        let mut forms: Vec<(String, f32)> = Vec::new();
        for known in known {
            let mistakes = osa_distance(text, known);
            if (1..=edits(letters.len())).contains(&mistakes) {
                forms.push((format!(" {known} "), close(mistakes, letters.len())));
            }
        }
        forms.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        forms.truncate(MOST_FORMS);
        // A swap leaves too little of a short word to look like it. A form that no title has does no harm.
        if letters.len() >= SHORTEST {
            for at in 1..letters.len() {
                let (mut swapped, (before, after)) = (letters.clone(), letters.split_at(at));
                swapped.swap(at - 1, at);
                for form in [swapped, [before, &[' '], after].concat()] {
                    forms.push((format!(" {} ", form.into_iter().collect::<String>()), close(1, letters.len())));
                }
            }
        }
        forms.extend(joined.into_iter().map(|joined| (format!(" {joined} "), close(1, joined.chars().count()))));
        forms.sort_by(|one, other| other.1.total_cmp(&one.1));
        Self { text: text.to_owned(), letters: letters.len(), forms }
    }

    /// Any of its closest forms, and what it begins.
    fn query(&self, most_forms: usize) -> String {
        // What one or two letters begin is most of a catalogue.
        let begun = if self.letters > 2 { ":*" } else { "" };
        let written = format!("{}{begun}", quoted(&self.text));
        let forms = self.forms.iter().take(most_forms).map(|(form, _)| {
            let words: Vec<String> = form.split_whitespace().map(quoted).collect();
            if words.len() > 1 { format!("({})", words.join(" & ")) } else { words.concat() }
        });
        format!("({})", std::iter::once(written).chain(forms).collect::<Vec<_>>().join(" | "))
    }

    fn closeness(&self, search_text: &str) -> f32 {
        if search_text.split_whitespace().any(|word| word.starts_with(&self.text)) {
            return 1.0;
        }
        self.forms.iter().find(|(form, _)| search_text.contains(form)).map_or(0.0, |(_, closeness)| *closeness)
    }
}

/// A text as one lexeme of a `tsquery`.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(searched, known)| ((*searched).to_owned(), (*known).to_owned())).collect()
    }

    /// In thousandths.
    fn closeness(q: &str, pairs: &[(&str, &str)], title: &str) -> f32 {
        (1000.0 - 1000.0 * Spelling::new(q, &known(pairs)).distance(&format!("\n {title} \n"))).round()
    }

    #[test]
    fn each_mistake_costs_its_share_of_the_letters() {
        assert_eq!(closeness("samuri", &[("samuri", "samurai")], "seven samurai"), 833.0);
        assert_eq!(
            closeness("alein", &[("alein", "klein")], "klein"),
            closeness("alein", &[], "alien"),
            "one edit each"
        );
        assert_eq!(closeness("sevn samurai", &[("sevn", "seven")], "seven samurai"), 909.0);
        assert_eq!(closeness("sam", &[], "seven samurai"), 1000.0, "the beginning of a word");
        assert_eq!(closeness("alien 1979", &[], "alien"), 556.0);
        assert_eq!(closeness("alien", &[], "something else"), 0.0);
        assert_eq!(closeness("", &[], "something else"), 0.0);
    }

    #[test]
    fn long_words_may_have_two_mistakes_short_ones_none() {
        assert_eq!(closeness("amelia", &[("amelia", "emilia")], "emilia"), 667.0);
        assert_eq!(closeness("amelie", &[("amelie", "america")], "captain america"), 0.0);
        assert_eq!(closeness("love", &[("love", "lives")], "lives"), 0.0);
        assert_eq!(closeness("cat", &[("cat", "car")], "car"), 0.0);
        assert_eq!([3, 4, 5, 6, 99].map(edits), [0, 1, 1, 2, 2]);
    }

    #[test]
    fn spaces_may_be_mistaken_too() {
        assert_eq!(closeness("spiderman", &[], "spider man"), 889.0);
        assert_eq!(closeness("spiderman", &[], "man spider"), 0.0, "another order");
        assert_eq!(closeness("super man", &[], "superman returns"), 953.0);
        assert!(Spelling::new("super man", &[]).all().contains("'superman'"));
    }

    #[test]
    fn queries_ask_for_each_word_in_any_of_its_forms() {
        let spelling = Spelling::new("it's seven", &known(&[("seven", "sevens"), ("seven", "heaven")]));
        let query = spelling.all();
        assert!(query.starts_with("('it''s':* | "), "{query}");
        assert!(query.contains(") & ('seven':* | 'it''sseven' | 'sevens' | "), "{query}");
        assert!(!query.contains("heaven"), "{query}");
        assert!(query.contains("('se' & 'ven')"), "{query}");
        assert_eq!(Spelling::new("", &[]).all(), "");
    }

    #[test]
    fn one_word_may_be_left_out_if_most_of_the_letters_remain() {
        let but_one = |q| Spelling::new(q, &[]).all_but_one().map(|query| query.matches(":*").count());
        assert_eq!(but_one("alien"), None);
        assert_eq!(but_one("alien 1979"), Some(1), "without the year, not without the alien");
        assert_eq!(but_one("destiny of amelie"), Some(2 + 1 + 1));
    }

    #[test]
    fn a_long_search_is_compared_with_all_words_in_part_only() {
        assert_eq!(doubtful("seven of seven samurai"), ["seven", "samurai"]);
        let words: Vec<String> = (1000..1100).map(|number| number.to_string()).collect();
        assert_eq!(doubtful(&words.join(" ")).len(), MOST_WORDS);
        let spelling = Spelling::new(&words.join(" "), &[]);
        assert!(spelling.all().ends_with(" & ('1098':*) & ('1099':*)"), "{}", spelling.all());
        assert_eq!(spelling.all_but_one(), None);
        assert_eq!(Spelling::new("seven seven", &[]).all(), Spelling::new("seven", &[]).all());
    }
}
