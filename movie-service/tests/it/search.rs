//! `q`: searching titles.

use sqlx::PgPool;

use crate::support::{TestApp, titles};

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Titles found by relevance.
async fn search(app: &TestApp, q: &str, more: &str) -> Vec<String> {
    let list = app.list(&format!("q={}{more}", encoded(q))).await;
    titles(&list).into_iter().map(str::to_owned).collect()
}

async fn with_titles(pool: &PgPool, movies: &[(&str, f64)]) -> TestApp {
    let app = TestApp::new(pool).await;
    for (at, (title, popularity)) in (1..).zip(movies) {
        app.movie(at, title, None, Some(*popularity)).await;
    }
    app
}

#[sqlx::test(migrations = "./migrations")]
async fn movies_of_the_sample_are_found_however_they_are_written(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    for (q, title) in [
        ("amelie", "Amélie"),
        ("AMÉLIE", "Amélie"),
        ("fabuleux destin d'amelie", "Amélie"),
        ("amelei", "Amélie"),
        ("shawshenk redemtion", "The Shawshank Redemption"),
        ("Shawshank", "The Shawshank Redemption"),
        ("seven samurai", "Seven Samurai"),
        ("七人の侍", "Seven Samurai"),
        ("人の侍", "Seven Samurai"),
        ("москва слезам", "Moscow Does Not Believe in Tears"),
        ("Ｓｅｖｅｎ　ｓａｍｕｒａｉ", "Seven Samurai"),
        ("samurai seven", "Seven Samurai"),
        ("sevn samuri", "Seven Samurai"),
        ("buono brutto cattivo", "The Good, the Bad and the Ugly"),
        ("matirx", "The Matrix"),
        ("alein", "Alien"),
        ("sveen samurai", "Seven Samurai"),
        ("sevensamurai", "Seven Samurai"),
        ("fabulous destiny of amelie", "Amélie"),
    ] {
        assert_eq!(search(&app, q, "").await.first().map(String::as_str), Some(title), "{q}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn exact_titles_come_first_then_prefixes_then_words_then_fuzzy_matches(pool: PgPool) {
    let movies = [
        ("Allien", 99.0),
        ("My Alien", 80.0),
        ("The Aliens", 90.0),
        ("Alien: Romulus", 5.0),
        ("Aliens", 50.0),
        ("ALIEN", 1.0),
        ("Alién", 2.0),
        ("Something Else", 100.0),
    ];
    let app = with_titles(&pool, &movies).await;
    let best_first = ["Alién", "ALIEN", "Aliens", "Alien: Romulus", "The Aliens", "My Alien", "Allien"];
    assert_eq!(search(&app, "alien", "").await, best_first);
    assert_eq!(search(&app, "alien", "&sort_by=relevance&order=desc").await, best_first);
    let mut worst_first = best_first;
    worst_first.reverse();
    assert_eq!(search(&app, "alien", "&order=asc").await, worst_first);
    assert_eq!(search(&app, "alien", "&sort_by=popularity&page_size=2").await, ["Allien", "The Aliens"]);
    let page = app.list("q=alien&page=2&page_size=3").await;
    assert_eq!(titles(&page), best_first[3..6]);
    assert_eq!((&page["total_results"], &page["total_pages"]), (&7.into(), &3.into()));
    assert_eq!(app.list("q=alien&page=9").await["total_results"], 7);
}

#[sqlx::test(migrations = "./migrations")]
async fn fuzzy_matches_are_left_out_when_twenty_titles_match(pool: PgPool) {
    let app = with_titles(&pool, &[("Allien", 99.0)]).await;
    app.execute("INSERT INTO movies (tmdb_id, title) SELECT n, 'Alien ' || n FROM generate_series(101, 119) n").await;
    assert_eq!(app.list("q=alien").await["total_results"], 20);
    app.movie(2, "Alien", None, None).await;
    assert_eq!(app.list("q=alien&page_size=50").await["total_results"], 20);
}

#[sqlx::test(migrations = "./migrations")]
async fn equal_movies_are_ordered_by_popularity_then_id_unrated_ones_last(pool: PgPool) {
    let app = with_titles(&pool, &[("Solaris", 5.0), ("Solaris", 7.0), ("Solaris", 5.0)]).await;
    app.movie(9, "Solaris", None, None).await;
    let list = app.list("q=solaris").await;
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|movie| movie["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [2, 3, 1, 4]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_search_can_be_filtered(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    assert_eq!(search(&app, "alien", "&year=1979").await, ["Alien"]);
    assert_eq!(search(&app, "samurai", "&with_original_language=ja&with_genres=action").await[0], "Seven Samurai");
    assert_eq!(search(&app, "shawshenk redemtion", "&year=1979").await, [""; 0]);
    assert_eq!(
        search(&app, "shawshenk redemtion", "&year=1994&with_genres=drama,crime&vote_average_gte=8").await.len(),
        1
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn what_means_something_in_a_pattern_stands_for_itself(pool: PgPool) {
    let app =
        with_titles(&pool, &[("%", 1.0), ("_", 2.0), ("\\", 3.0), ("100% Wolf", 4.0), ("WALL·E", 5.0), ("$", 6.0)])
            .await;
    for (q, title) in [
        ("%", "%"),
        ("_", "_"),
        ("\\", "\\"),
        ("$", "$"),
        ("100%", "100% Wolf"),
        ("wall-e", "WALL·E"),
        ("wall e", "WALL·E"),
    ] {
        assert_eq!(search(&app, q, "").await, [title], "{q}");
    }
    for q in ["!!!", "'; DROP TABLE movies; --", "\u{301}", "🎬", "zzzzzz"] {
        assert_eq!(search(&app, q, "").await, [""; 0], "{q}");
    }
    let long = "é".repeat(200);
    assert_eq!(search(&app, &long, "").await, [""; 0]);
    assert_eq!(search(&app, &"a ".repeat(100), "").await, [""; 0]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_search_for_nothing_is_refused(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let expected = "invalid q, expected a title, or words of one, of 1 to 200 characters";
    for value in ["", "%20", "+", "a%00", "%ff", "%zz", &"x".repeat(201), &"x".repeat(10_000)] {
        let reply = app.get(&format!("/api/v1/movies?q={value}")).await;
        reply.assert_error(400, expected);
        assert_eq!(reply.json()["field"], "q");
    }
    app.get("/api/v1/movies?q=a&q=b").await.assert_error(400, "invalid q, expected it only once");
    assert_eq!(app.list("sort_by=relevance").await["data"], app.list("").await["data"], "read as leniently as ever");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_changed_title_is_found_by_what_it_is_now(pool: PgPool) {
    let app = with_titles(&pool, &[("Before", 1.0)]).await;
    app.execute("UPDATE movies SET title = 'Après', original_title = 'Потом'").await;
    assert_eq!(search(&app, "apres", "").await, ["Après"]);
    assert_eq!(search(&app, "потом", "").await, ["Après"]);
    assert_eq!(search(&app, "before", "").await, [""; 0]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_title_longer_than_what_an_index_takes_is_found_all_the_same(pool: PgPool) {
    let (word, letters) = ("wort".repeat(700), "字".repeat(900));
    let titles = [format!("{word} one"), format!("Two {letters}"), format!("Three {}end", "short words ".repeat(300))];
    let movies: Vec<(&str, f64)> = titles.iter().map(|title| (title.as_str(), 1.0)).collect();
    let app = with_titles(&pool, &movies).await;
    for (q, title) in [("wortwortwort", 0), ("one", 0), ("two", 1), ("字字字字", 1), ("three short words", 2)] {
        let found = search(&app, q, "").await;
        assert!(found.first().is_some_and(|first| *first == titles[title]), "{q}: {} found", found.len());
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn fuzzy_matches_of_any_popularity_are_found_the_closest_first(pool: PgPool) {
    let app = with_titles(&pool, &[("Samurai", 1.0), ("Samurais Son", 2.0)]).await;
    app.execute(
        "INSERT INTO movies (tmdb_id, title, popularity) SELECT 10 + n, 'Something', 50 FROM generate_series(1, 3000) n;
         INSERT INTO movies (tmdb_id, title, popularity) VALUES (5000, 'Samureh', 90), (5001, 'Samurej', 3), (5002, 'Samuray', 2);
         INSERT INTO movies (tmdb_id, title) VALUES (5003, 'Samuraj')",
    )
    .await;
    assert_eq!(
        search(&app, "samurai", "").await,
        ["Samurai", "Samurais Son", "Samuray", "Samuraj", "Samureh", "Samurej"]
    );
    assert_eq!(app.list("q=samurai").await["total_results"], 6);
    assert_eq!(search(&app, "samurai", "&sort_by=title&order=asc&page_size=2").await, ["Samurai", "Samurais Son"]);
}

#[sqlx::test(migrations = "./migrations")]
async fn at_most_500_fuzzy_matches_are_found(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(
        "INSERT INTO movies (tmdb_id, title, popularity) SELECT n, 'Alien ' || n, n FROM generate_series(1, 600) n",
    )
    .await;
    let list = app.list("q=alein&page_size=1").await;
    assert_eq!((titles(&list), &list["total_results"]), (vec!["Alien 600"], &500.into()));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_word_that_no_title_has_may_be_left_out_when_nothing_else_is_found(pool: PgPool) {
    let app = with_titles(&pool, &[("Alien", 1.0), ("1979 Was Another Year", 9.0), ("Alien Year", 2.0)]).await;
    assert_eq!(search(&app, "alien 1979", "").await, ["Alien Year", "Alien"]);
    assert_eq!(search(&app, "alien 1979 year", "").await, ["Alien Year", "1979 Was Another Year"]);
    assert_eq!(search(&app, "alein yaer", "").await, ["Alien Year"]);
    assert_eq!(search(&app, "alien zzzzzzzz", "").await, [""; 0], "most of it is not there");
}

#[sqlx::test(migrations = "./migrations")]
async fn spaces_may_be_too_many_or_too_few(pool: PgPool) {
    let app = with_titles(&pool, &[("Spider-Man", 1.0), ("Superman", 2.0), ("WALL·E", 3.0)]).await;
    for (q, title) in [("spiderman", "Spider-Man"), ("super man", "Superman"), ("walle", "WALL·E")] {
        assert_eq!(search(&app, q, "").await, [title], "{q}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn typos_are_found_in_any_script(pool: PgPool) {
    let movies = [("七人の侍", 1.0), ("Сталкер", 1.0), ("千と千尋の神隠し", 1.0), ("Ταξίδι στα Κύθηρα", 1.0)];
    let app = with_titles(&pool, &movies).await;
    for (q, at) in [("七人の待", 0), ("сталкир", 1), ("千と千尋の紙隠し", 2), ("ταξιδι στα κυθερα", 3)]
    {
        assert_eq!(search(&app, q, "").await, [movies[at].0], "{q}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn words_are_known_whichever_way_they_came(pool: PgPool) {
    let app = with_titles(&pool, &[("Alien", 1.0)]).await;
    app.execute("UPDATE movies SET original_title = 'Sputnik'").await;
    assert_eq!(search(&app, "spitnik", "").await, ["Alien"]);
    app.execute("TRUNCATE movies CASCADE").await;
    assert_eq!(search(&app, "spotnik", "").await, [""; 0]);
    app.execute("INSERT INTO movies (tmdb_id, title) VALUES (9, 'Sputnik')").await;
    assert_eq!(search(&app, "sputmik", "").await, ["Sputnik"]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_search_is_of_one_moment_while_the_catalogue_changes(pool: PgPool) {
    let app = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    app.execute("INSERT INTO movies (title, release_date) SELECT 'Alien', '1979-01-01' FROM generate_series(1, 5)")
        .await;
    let change = tokio::spawn(come_and_go(pool));
    let mut totals = std::collections::BTreeSet::new();
    while !change.is_finished() {
        let lists = (0..4).map(|_| app.list("q=alein&page_size=50&facets=year"));
        for list in futures_util::future::join_all(lists).await {
            let shown = list["data"].as_array().unwrap().len();
            assert_eq!((&list["total_results"], &list["facets"]["year"][0]["movies"]), (&shown.into(), &shown.into()));
            totals.insert(shown);
        }
    }
    change.await.unwrap();
    assert!(totals.len() > 1, "nothing has changed: {totals:?}");
}

async fn come_and_go(pool: PgPool) {
    for _ in 0..100 {
        for change in [
            "INSERT INTO movies (title, release_date) VALUES ('Alien', '1979-01-01')",
            "DELETE FROM movies WHERE id > 5",
        ] {
            sqlx::raw_sql(change).execute(&pool).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(8)).await;
        }
    }
}
