//! Numbers as titles write them: `2`, `II` and `two` are the same.

/// From 1.
const NUMBERS: [[&str; 3]; 20] = [
    ["1", "i", "one"],
    ["2", "ii", "two"],
    ["3", "iii", "three"],
    ["4", "iv", "four"],
    ["5", "v", "five"],
    ["6", "vi", "six"],
    ["7", "vii", "seven"],
    ["8", "viii", "eight"],
    ["9", "ix", "nine"],
    ["10", "x", "ten"],
    ["11", "xi", "eleven"],
    ["12", "xii", "twelve"],
    ["13", "xiii", "thirteen"],
    ["14", "xiv", "fourteen"],
    ["15", "xv", "fifteen"],
    ["16", "xvi", "sixteen"],
    ["17", "xvii", "seventeen"],
    ["18", "xviii", "eighteen"],
    ["19", "xix", "nineteen"],
    ["20", "xx", "twenty"],
];

/// The same number in all its forms, the digits first; `None` for any other word.
pub(super) fn same_number(word: &str) -> Option<&'static [&'static str; 3]> {
    NUMBERS.iter().find(|forms| forms.contains(&word))
}

/// Whether a word is a number in digits or Roman numerals.
pub(super) fn is_numeral(word: &str) -> bool {
    is_digits(word) || same_number(word).is_some_and(|[_, roman, _]| *roman == word)
}

/// Whether a word has nothing but digits.
pub(super) fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// A year in which movies were made.
pub(super) fn year(word: &str) -> Option<i32> {
    let year = word.parse().ok().filter(|_| word.len() == 4 && is_digits(word))?;
    (1880..=2099).contains(&year).then_some(year)
}
