//! Tests of the reader: whole catalogues, changes, and what is neither.

use proptest::prelude::*;

use super::*;
use crate::models::catalogue::UNRATED;

const WHOLE: &str = concat!(
    r#"{"catalogue_version":"7-3","genres":[{"id":1,"name":"War"},{"id":2,"name":"Action"}]}"#,
    "\n",
    r#"{"id":1,"title":"\"Q\" é 千","release_date":"1999-03-31","popularity":12.5,"poster_path":"/x.jpg","#,
    r#""vote_average":7.1,"vote_count":12,"original_language":"ja","runtime":125,"genre_ids":[1,2],"more":[1]}"#,
    "\n",
    r#"{"id":4,"title":"","release_date":"","popularity":null,"poster_path":"","vote_average":null,"#,
    r#""vote_count":0,"genre_ids":[]}"#,
    "\n",
    r#"{"end":true,"movies":2}"#,
    "\n",
);

fn read(pieces: &[&[u8]]) -> Result<Catalogue, PeerError> {
    let mut reader = CatalogueReader::new(None);
    for piece in pieces {
        reader.feed(piece)?;
    }
    reader.finish()
}

proptest! {
    #[test]
    fn any_split_into_chunks_gives_the_same_catalogue(mut cuts in proptest::collection::vec(0..=WHOLE.len(), 0..8)) {
        cuts.extend([0, WHOLE.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &WHOLE.as_bytes()[cut[0]..cut[1]]).collect();
        let catalogue = read(&pieces).expect("whole");
        prop_assert_eq!(catalogue.version(), "7-3");
        prop_assert_eq!(catalogue.ids(), [1, 4]);
        prop_assert_eq!(catalogue.title(0), "\"Q\" é 千");
        prop_assert_eq!(catalogue.genres(0).collect::<Vec<_>>(), ["Action", "War"]);
        prop_assert_eq!(catalogue.popularity(), [12.5, 0.0]);
        prop_assert_eq!(catalogue.ratings(), [7.1, UNRATED]);
        prop_assert_eq!(catalogue.votes(), [12, 0]);
        prop_assert_eq!(catalogue.runtimes(), [125, 0]);
        let language = |index: usize| &*catalogue.language_names()[usize::from(catalogue.language_of()[index])];
        prop_assert_eq!([language(0), language(1)], ["ja", ""]);
    }
}

#[test]
fn every_truncation_is_an_error() {
    // Without its last newline it is still whole.
    for length in 0..WHOLE.len() - 1 {
        assert!(read(&[&WHOLE.as_bytes()[..length]]).is_err(), "cut after {length} bytes");
    }
}

#[test]
fn lines_of_another_form_are_errors() {
    for (from, to) in [
        ("\"movies\":2", "\"movies\":3"),
        ("\"end\":true", "\"end\":false"),
        ("\"id\":4", "\"id\":1"),
        ("[1,2]", "[1,9]"),
        ("12.5", "\"12.5\""),
        ("12.5", "1e999"),
        ("\"genres\":", "\"genre\":"),
        ("\"movies\":2}\n", "\"movies\":2}\nmore\n"),
    ] {
        let changed = WHOLE.replacen(from, to, 1);
        assert!(read(&[changed.as_bytes()]).is_err(), "{to}");
    }
}

const CHANGES: &str = concat!(
    r#"{"catalogue_version":"7-4","genres":[{"id":1,"name":"War"},{"id":2,"name":"Action"}],"since":"7-3"}"#,
    "\n",
    r#"{"id":2,"title":"New","release_date":"","popularity":1,"poster_path":"","vote_average":null,"#,
    r#""vote_count":0,"genre_ids":[2]}"#,
    "\n",
    r#"{"deleted":[4]}"#,
    "\n",
    r#"{"deleted":[77]}"#,
    "\n",
    r#"{"end":true,"movies":1,"deleted":2,"total":2}"#,
    "\n",
);

fn changed(text: &str) -> Result<Catalogue, PeerError> {
    let mut reader = CatalogueReader::new(Some(Arc::new(read(&[WHOLE.as_bytes()])?)));
    reader.feed(text.as_bytes())?;
    reader.finish()
}

#[test]
fn changes_are_applied_to_the_copy_that_they_are_for() {
    let catalogue = changed(CHANGES).expect("they fit");
    assert_eq!(catalogue.version(), "7-4");
    let titles = |id| catalogue.index_of(id).map(|index| catalogue.title(index));
    assert_eq!([1, 2, 4].map(titles), [Some("\"Q\" é 千"), Some("New"), None]);
    assert_eq!(catalogue.len(), 2);
}

#[test]
fn a_whole_catalogue_takes_the_place_of_the_copy() {
    let catalogue = changed(&WHOLE.replace("7-3", "8-1").replace("\"id\":4", "\"id\":9")).expect("whole");
    assert_eq!((catalogue.version(), catalogue.len(), catalogue.index_of(4)), ("8-1", 2, None));
}

#[test]
fn changes_that_do_not_fit_or_are_not_complete_are_errors() {
    for length in 0..CHANGES.len() - 1 {
        assert!(changed(&CHANGES[..length]).is_err(), "cut after {length} bytes");
    }
    for (from, to) in [
        ("\"since\":\"7-3\"", "\"since\":\"7-2\""),
        ("\"movies\":1", "\"movies\":2"),
        ("\"deleted\":2", "\"deleted\":1"),
        ("\"total\":2", "\"total\":3"),
        (",\"total\":2", ""),
        ("[77]", "[1]"),
        ("[77]", "[2147483648]"),
        ("[77]", "77"),
        (r#"{"id":1,"name":"War"},"#, ""),
    ] {
        let text = CHANGES.replacen(from, to, 1);
        assert!(changed(&text).is_err(), "{to} for {from}");
    }
    assert!(read(&[CHANGES.as_bytes()]).is_err(), "there is no copy that they could be for");
    let deleted = WHOLE.replace("{\"end\"", "{\"deleted\":[1]}\n{\"end\"");
    assert!(read(&[deleted.as_bytes()]).is_err(), "a whole catalogue has no deleted movies");
}

#[test]
fn a_line_without_end_is_not_buffered_without_limit() {
    let mut reader = CatalogueReader::new(None);
    let piece = [b' '; 4096];
    let fed = (0..1000).try_for_each(|_| reader.feed(&piece));
    assert!(fed.is_err());
}
