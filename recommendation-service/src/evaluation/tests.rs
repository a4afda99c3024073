//! The whole command, on made-up ratings: two groups of users, each with movies of its own.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate};

use super::{arguments::Arguments, dataset::RatedMovie, dataset::Rating, *};

const MOVIES: i32 = 60;

fn dataset() -> Dataset {
    let movie = |id: i32| RatedMovie {
        id,
        title: format!("Movie {id}"),
        released: NaiveDate::from_ymd_opt(1980 + id / 2, 1, 1),
        genres: vec![["Drama", "War", "Comedy"][(id % 3) as usize].to_owned()],
    };
    let rating = |user: i64, movie: i32| Rating {
        user,
        movie,
        value: if (i64::from(movie) * 5 + user) % 7 == 0 { 3.0 } else { 9.0 },
        at: DateTime::from_timestamp((i64::from(movie) * 7_919 + user * 104_729) % 100_000, 0).expect("a time"),
    };
    let rates =
        |user: i64, movie: i32| i64::from(movie / 30) == user % 2 && (i64::from(movie) * 11 + user * 13) % 5 < 3;
    let pairs = (1..=60_i64).flat_map(|user| (0..MOVIES).map(move |movie| (user, movie)));
    let ratings = pairs.filter(|(user, movie)| rates(*user, *movie)).map(|(user, movie)| rating(user, movie)).collect();
    Dataset::new((0..MOVIES).map(movie).collect(), ratings)
}

fn arguments(more: &str) -> Arguments {
    let line = format!("--from-service --ridge 50 {more}");
    Arguments::parse(line.split_whitespace().map(str::to_owned)).expect("well-formed")
}

fn ndcg(text: &str, name: &str) -> f64 {
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("| {name} |")))
        .unwrap_or_else(|| panic!("{name} in {text}"));
    line.split('|').nth(2).and_then(|cell| cell.trim().split(' ').next()?.parse().ok()).expect("a number")
}

#[test]
fn the_same_arguments_give_the_same_table_in_which_learning_pays() {
    for split in ["user-time", "random"] {
        let text = run(&arguments(&format!("--split {split}")), &dataset()).expect("measured");
        assert_eq!(run(&arguments(&format!("--split {split}")), &dataset()).expect("measured"), text);
        for name in ["random", "popularity", "recency", "the default three", "all", "all without collaborative"] {
            ndcg(&text, name);
        }
        assert!(ndcg(&text, "collaborative") > ndcg(&text, "popularity"), "{text}");
        assert!(ndcg(&text, "popularity") > 0.0, "{text}");
    }
}

#[test]
fn tuning_says_what_it_has_chosen() {
    let text = run(&arguments("--split random --tune"), &dataset()).expect("measured");
    assert!(text.contains("tuned on the validation part (NDCG@10 0."), "{text}");
    assert!(ndcg(&text, "all") >= ndcg(&text, "popularity"), "{text}");
}

#[test]
fn no_list_shows_what_the_user_has_rated() {
    let (dataset, split) = (dataset(), Split::new(&dataset().ratings, split::SplitKind::Random, 1));
    let users = split.test_users();
    let knowledge = Knowledge::new(&dataset, &split, &settings(&arguments(""))).expect("fits");
    let bench = Bench::new(&knowledge, &dataset, &users);
    for contender in bench.contenders(&contenders::all_rules(), 1) {
        assert_eq!(contender.lists.len(), users.len());
        for (list, user) in contender.lists.iter().zip(&users) {
            assert_eq!(list.len(), MOVIES as usize - user.ratings.len(), "{}: all that is left", contender.name);
            assert!(user.ratings.iter().all(|rating| !list.contains(&rating.movie)), "{}", contender.name);
        }
    }
}

#[test]
fn lists_of_others_are_scored_like_the_own_ones_and_the_output_is_written() {
    let folder = std::env::temp_dir().join(format!("evaluate-{}", std::process::id()));
    let at = |name: &str| -> PathBuf { folder.join(name) };
    let export = format!("--split user-time --export {}", folder.display());
    run(&arguments(&export), &dataset()).expect("exported");
    let users = std::fs::read_to_string(at("users.csv")).expect("written");
    let training = std::fs::read_to_string(at("train.csv")).expect("written");
    assert!(training.lines().count() > 500 && training.contains(",4.5,"), "stars, not points");
    // A peer that lists what everybody has liked later.
    let split = Split::new(&dataset().ratings, split::SplitKind::UserTime, 42);
    let relevant: HashMap<i64, Vec<i32>> =
        split.test_users().into_iter().map(|user| (user.id, user.relevant)).collect();
    let line = |user: &str| {
        let movies = &relevant[&user.parse::<i64>().expect("an id")];
        format!("{user}\t{}\n", movies.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    std::fs::write(at("oracle.tsv"), users.lines().skip(1).map(line).collect::<String>()).expect("written");
    std::fs::write(at("nothing.tsv"), "").expect("written");
    let files = format!(
        "--split user-time --lists oracle={} --lists nothing={} --output {}",
        at("oracle.tsv").display(),
        at("nothing.tsv").display(),
        folder.display()
    );
    let text = run(&arguments(&files), &dataset()).expect("measured");
    assert_eq!((ndcg(&text, "oracle"), ndcg(&text, "nothing")), (1.0, 0.0));
    assert_eq!(std::fs::read_to_string(at("quality-user-time.md")).expect("written"), text);
    assert!(std::fs::read_to_string(at("quality-user-time.svg")).expect("written").contains("oracle 1.0000"));
    std::fs::write(at("oracle.tsv"), "1\t2 x\n").expect("written");
    let error = run(&arguments(&files), &dataset()).expect_err("a malformed line").to_string();
    assert!(error.ends_with("oracle.tsv, line 1: not a user and movie ids"), "{error}");
    std::fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn without_users_to_make_lists_for_nothing_is_measured() {
    let error = run(&arguments(""), &Dataset::new(Vec::new(), Vec::new())).expect_err("nobody");
    assert!(matches!(error, EvaluationError::NoUsers), "{error}");
}
