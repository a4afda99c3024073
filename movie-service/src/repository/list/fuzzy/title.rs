//! Titles in a form in which the same ones are equal, however they are written.

use super::numerals::same_number;

/// Words that say nothing about which title is meant.
const ARTICLES: [&str; 3] = ["the", "a", "an"];

/// A title without spaces and `and`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Canonical {
    letters: String,
    /// With each number in digits.
    numbered: String,
    article: Option<&'static str>,
    /// How many words it has but for articles and `of`.
    pub(super) important: usize,
}

impl Canonical {
    /// Of words as titles are compared: in lower case, with spaces between them.
    pub(super) fn of(words: &str) -> Self {
        let words: Vec<&str> = words.split_whitespace().filter(|word| *word != "and").collect();
        let article = words.first().and_then(|first| ARTICLES.into_iter().find(|article| article == first));
        let important = words.iter().filter(|word| !ARTICLES.contains(word) && **word != "of").count();
        let numbered = words.iter().map(|word| same_number(word).map_or(*word, |[digits, ..]| digits)).collect();
        Self { letters: words.concat(), numbered, article, important }
    }

    /// Whether both are the same title.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.letters == other.letters || self.numbered == other.numbered
    }

    /// Whether both are the same title but for an article before it.
    pub(super) fn is_without_article(&self, other: &Self) -> bool {
        self.without_article(&self.letters) == other.without_article(&other.letters)
            || self.without_article(&self.numbered) == other.without_article(&other.numbered)
    }

    fn without_article<'a>(&self, title: &'a str) -> &'a str {
        let rest = self.article.and_then(|article| title.strip_prefix(article));
        rest.filter(|rest| !rest.is_empty()).unwrap_or(title)
    }
}
