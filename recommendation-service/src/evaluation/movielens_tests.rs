//! Each format, and lines that are none.

use super::*;

fn read_texts(ratings: &str, movies: &[u8]) -> Result<Dataset, String> {
    let directory = std::env::temp_dir().join(format!("movielens-{}-{:p}", std::process::id(), &raw const *ratings));
    fs::create_dir_all(&directory).expect("a directory");
    let files = [directory.join("ratings"), directory.join("movies")];
    fs::write(&files[0], ratings).expect("written");
    fs::write(&files[1], movies).expect("written");
    let dataset =
        read(&files[0], &files[1]).map_err(|error| error.to_string().replace(&directory.display().to_string(), ""));
    fs::remove_dir_all(&directory).expect("removed");
    dataset
}

fn movie(id: i32, title: &str, released: Option<(i32, u32, u32)>, genres: &[&str]) -> RatedMovie {
    let released = released.and_then(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day));
    RatedMovie { id, title: title.into(), released, genres: genres.iter().map(|genre| (*genre).to_owned()).collect() }
}

fn values(dataset: &Dataset) -> Vec<(i64, i32, f64, i64)> {
    dataset.ratings.iter().map(|rating| (rating.user, rating.movie, rating.value, rating.at.timestamp())).collect()
}

#[test]
fn ml_latest_is_csv_with_a_header_and_quoted_titles() {
    let dataset = read_texts(
        "userId,movieId,rating,timestamp\n2,7,3.5,900\n1,7,0.5,800\n",
        b"movieId,title,genres\n7,\"American President, \"\"The\"\" (1995)\",Comedy|Drama\n9,Untitled,(no genres listed)\n",
    )
    .expect("well-formed");
    assert_eq!(values(&dataset), [(1, 7, 1.0, 800), (2, 7, 7.0, 900)]);
    let title = "American President, \"The\" (1995)";
    assert_eq!(
        dataset.movies,
        [movie(7, title, Some((1995, 1, 1)), &["Comedy", "Drama"]), movie(9, "Untitled", None, &[])]
    );
}

#[test]
fn ml_100k_has_tabs_bars_latin_1_and_a_column_for_each_genre() {
    let dataset = read_texts(
        "196\t242\t3\t881250949\n",
        b"242|Caf\xe9 (1996)|24-Jan-1997||http://x|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|1|0|0|0\n",
    )
    .expect("well-formed");
    assert_eq!(values(&dataset), [(196, 242, 6.0, 881_250_949)]);
    assert_eq!(dataset.movies, [movie(242, "Café (1996)", Some((1997, 1, 24)), &["Comedy", "Sci-Fi"])]);
}

#[test]
fn ml_1m_has_double_colons() {
    let dataset = read_texts("1::5::5::978300760\n", b"5::Antz (1998)::Animation|Children's\n").expect("well-formed");
    assert_eq!(values(&dataset), [(1, 5, 10.0, 978_300_760)]);
    assert_eq!(dataset.movies, [movie(5, "Antz (1998)", Some((1998, 1, 1)), &["Animation", "Children's"])]);
}

#[test]
fn atomic_files_have_tabs_and_a_header_that_names_types() {
    let dataset = read_texts(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t4\t881250949.0\n",
        b"item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n2\tGoldenEye\t1995\tAction Thriller\n",
    )
    .expect("well-formed");
    assert_eq!(values(&dataset), [(1, 2, 8.0, 881_250_949)]);
    assert_eq!(dataset.movies, [movie(2, "GoldenEye", Some((1995, 1, 1)), &["Action", "Thriller"])]);
}

#[test]
fn the_latest_of_several_ratings_counts_and_a_movie_that_is_only_rated_is_added() {
    let dataset =
        read_texts("1::5::5::100\n1::5::1::300\n1::5::3::200\n", b"4::A (1998)::Drama\n").expect("well-formed");
    assert_eq!(values(&dataset), [(1, 5, 2.0, 300)]);
    assert_eq!(dataset.movies.iter().map(|movie| movie.id).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn a_line_that_is_not_what_it_must_be_is_named() {
    let movies = b"4::A (1998)::Drama\n";
    for (ratings, expected) in [
        ("1::5::5::100\n1::5::6::100\n", "/ratings, line 2: the rating is not from 0.5 to 5"),
        ("1::5::nan::100\n", "/ratings, line 1: the rating is not from 0.5 to 5"),
        ("1::5::5\n", "/ratings, line 1: the time is not a number of seconds"),
        ("x::5::5::100\n", "/ratings, line 1: the user is not a whole number"),
        ("1::99999999999::5::100\n", "/ratings, line 1: the movie is not a whole number"),
        ("userId,movieId,rating,timestamp\n1,\"2,3,4\n", "/ratings, line 2: a quotation mark is missing"),
        ("hello\n", "/ratings has no lines of a known format"),
        ("", "/ratings has no lines of a known format"),
    ] {
        assert_eq!(read_texts(ratings, movies), Err(expected.to_owned()), "{ratings}");
    }
    assert_eq!(
        read_texts("1::5::5::100\n", b"x::A::Drama\n"),
        Err("/movies, line 1: the movie is not a whole number".into())
    );
}
