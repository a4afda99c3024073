//! Words of titles: the faster function gives what the first one gave.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sqlx::PgPool;

#[sqlx::test(migrations = "./migrations")]
async fn ascii_titles_have_the_same_words_as_before(pool: PgPool) {
    let differing: Vec<String> = sqlx::query_scalar(
        "SELECT t FROM (SELECT prefix || chr(a) || chr(b) || suffix AS t
                        FROM generate_series(1, 127) a, generate_series(1, 127) b,
                             (VALUES ('', ''), ('x ', ' Y'), (' ', '')) around (prefix, suffix)) texts
         WHERE movie_search_words(t) IS DISTINCT FROM movie_search_words_of_any(t)",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(differing, Vec::<String>::new());
}

#[sqlx::test(migrations = "./migrations")]
async fn any_title_has_the_same_words_as_before(pool: PgPool) {
    let mut runner = TestRunner::deterministic();
    let mut titles: Vec<String> = [
        "",
        " ",
        "!!!",
        "...And Justice",
        "Amélie",
        "七人の侍",
        "İstanbul",
        "ﬁn\u{1}",
        "\u{7f}",
        "a\u{0301}",
        "\u{fdfa}",
        "٣",
    ]
    .map(str::to_owned)
    .into();
    for strategy in ["[ -~]{0,20}", "[\\x01-\\x7f]{0,8}", "[^\\x00]{0,12}"] {
        let strategy = proptest::string::string_regex(strategy).unwrap();
        titles.extend((0..500).map(|_| strategy.new_tree(&mut runner).unwrap().current()));
    }
    titles.retain(|title| !title.contains('\0'));
    let differing: Vec<String> = sqlx::query_scalar(
        "SELECT t FROM unnest($1::text[]) t WHERE movie_search_words(t) IS DISTINCT FROM movie_search_words_of_any(t)",
    )
    .bind(titles)
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(differing, Vec::<String>::new());
}
