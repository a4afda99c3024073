use super::*;

/// Of words of titles: those that are similar to `searched`, and those that are there at all.
fn query(words: &str, similar: &[(&str, &str)], known: &[&str]) -> FuzzyQuery {
    let similar = similar.iter().map(|(searched, word)| (Some((*searched).to_owned()), (*word).to_owned()));
    let known = known.iter().map(|word| (None, (*word).to_owned()));
    FuzzyQuery::new(words, &Vocabulary::new(similar.chain(known)))
}

fn text(title: &str) -> String {
    format!("\n {title} \n")
}

/// In thousandths; 0 for none.
fn closeness(q: &str, similar: &[(&str, &str)], known: &[&str], title: &str) -> f32 {
    let fit = query(q, similar, known).matches(&text(title), None);
    fit.map_or(0.0, |fit| (1000.0 - 1000.0 * fit.distance).round())
}

#[test]
fn each_typo_costs_its_share_of_the_letters() {
    assert_eq!(closeness("samuri", &[("samuri", "samurai")], &[], "samurai"), 833.0);
    assert_eq!(closeness("samuri", &[("samuri", "samurai")], &[], "seven samurai"), 823.0, "a longer title");
    assert_eq!(
        closeness("alein", &[("alein", "klein")], &[], "klein"),
        closeness("alein", &[], &["alien"], "alien"),
        "one edit each"
    );
    assert_eq!(closeness("sevn samurai", &[("sevn", "seven")], &[], "seven samurai"), 909.0);
    assert_eq!(closeness("alien 1979", &[], &[], "alien"), 546.0);
    assert_eq!(closeness("alien", &[], &[], "something else"), 0.0);
    assert_eq!(closeness("", &[], &[], "something else"), 0.0);
}

#[test]
fn long_words_may_have_two_typos_short_ones_none() {
    assert_eq!(closeness("amelia", &[("amelia", "emilia")], &[], "emilia"), 667.0);
    assert_eq!(closeness("amelie", &[("amelie", "america")], &[], "captain america"), 0.0);
    assert_eq!(closeness("love", &[("love", "lives")], &[], "lives"), 0.0);
    assert_eq!(closeness("cat", &[("cat", "car")], &[], "car"), 0.0);
    assert_eq!([3, 4, 5, 6, 99].map(edits), [0, 1, 1, 2, 2]);
}

#[test]
fn digits_are_never_typos() {
    assert_eq!(closeness("2001", &[("2001", "2000")], &["2010"], "2000"), 0.0);
    assert_eq!(closeness("2001", &[], &["2010"], "2010"), 0.0);
    assert_eq!(closeness("m3gan", &[("m3gan", "m4gan")], &[], "m4gan"), 0.0);
    assert_eq!(closeness("seven", &[("seven", "se7en")], &[], "se7en"), 800.0);
    assert_eq!(Lookup::of("2001").long, [""; 0]);
}

#[test]
fn a_space_costs_less_than_a_wrong_letter() {
    let omen = closeness("xmen", &[("xmen", "omen")], &[], "omen");
    let x_men = closeness("xmen", &[], &["men"], "x men days");
    assert!(x_men > omen, "{x_men} {omen}");
    assert_eq!(closeness("spiderman", &[], &["spider", "man"], "man spider"), 0.0, "another order");
    assert_eq!(closeness("lordoftherings", &[], &["lord", "the", "rings"], "lord of the rings"), 1000.0);
    assert!(query("super man", &[], &["superman"]).all_words().contains("'superman'"));
}

#[test]
fn the_same_title_may_be_written_in_other_ways() {
    for (q, title) in [
        ("xmen", "x men"),
        ("rocky 2", "rocky ii"),
        ("toy story ii", "toy story 2"),
        ("oceans 11", "ocean s eleven"),
        ("lilo and stitch", "lilo stitch"),
        ("the dune", "dune"),
    ] {
        let fit = query(q, &[], &[]).matches(&text(title), None);
        assert!(fit.is_some_and(|fit| fit.is_same && fit.is_good()), "{q}: {fit:?}");
    }
    let dune = |released| query("dune 2021", &[], &[]).matches(&text("dune"), Some(released)).map(|fit| fit.is_same);
    assert_eq!([2021, 2020, 1984].map(dune), [Some(true), Some(false), Some(false)]);
}

#[test]
fn a_first_part_seldom_has_a_number() {
    let distance = |title| query("rocky 1", &[], &[]).matches(&text(title), None).map(|fit| fit.distance);
    assert!(distance("rocky") < distance("rocky ii"));
}

#[test]
fn queries_ask_for_each_word_in_any_of_its_forms() {
    let query = query("it's seven", &[("seven", "sevens"), ("seven", "heaven")], &["ven"]).all_words();
    assert!(query.starts_with("('it''s':* | "), "{query}");
    assert!(query.contains(") & ('seven':* | '7' | 'vii' | ('se' & 'ven') | 'sevens')"), "{query}");
}

#[test]
fn years_articles_and_the_like_are_not_required() {
    assert_eq!(query("the alien of 1979", &[], &[]).all_words(), "('alien':*)");
    assert!(query("the of", &[], &[]).all_words().starts_with("('the':* "), "nothing else is there");
    assert_eq!(query("1917", &[], &[]).all_words(), "('1917')");
    assert_eq!(query("", &[], &[]).all_words(), "");
}

#[test]
fn half_of_the_words_are_enough_if_they_are_half_of_the_letters() {
    let choices = |q: &str| query(q, &[], &[]).some_words().map(|query| query.matches("((").count().max(1));
    assert_eq!(choices("alien"), None);
    assert_eq!(choices("alien 1979"), Some(1), "without the year, not without the alien");
    let words: Vec<String> = ('a'..='z').map(|letter| letter.to_string().repeat(3)).collect();
    let pairs = [3, 4, 5, 6, 10, 26].map(|count| choices(&words[..count].join(" ")));
    assert_eq!(pairs, [3, 6, 4, 6, 8, 8].map(Some));
}

#[test]
fn a_long_search_is_compared_with_all_words_in_part_only() {
    assert_eq!(Lookup::of("seven of seven samurai").short, ["seven"]);
    let words: Vec<String> = (1..=50).map(|number| "x".repeat(10 + number)).collect();
    assert_eq!(Lookup::of(&words.join(" ")).long.len(), MAX_WORDS);
    let long = query(&words.join(" "), &[], &[]).all_words();
    assert!(long.ends_with(&format!(" & ('{}':*)", words[49])), "{long}");
    assert_eq!(query("seven seven", &[], &[]).all_words(), query("seven", &[], &[]).all_words());
}
