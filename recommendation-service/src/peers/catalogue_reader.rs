//! Reads the catalogue's lines (NDJSON) as they arrive. Holds one unfinished line at most.
//!
//! The first line names the version and the genres, then comes a line for each movie by id, and the last line says
//! how many there were: without it the catalogue is not whole.

use std::borrow::Cow;

use bytes::BytesMut;
use serde::Deserialize;
use tokio_util::codec::{Decoder, LinesCodec};

use super::PeerError;
use crate::models::{
    catalogue::Catalogue,
    catalogue_builder::{BuildError, CatalogueBuilder, Movie},
};

/// Longest line in bytes.
const MAX_LINE_BYTES: usize = 1024 * 1024;

#[derive(Deserialize)]
struct FirstLine {
    catalogue_version: String,
    genres: Vec<Genre>,
}

#[derive(Deserialize)]
struct Genre {
    id: i32,
    name: String,
}

#[derive(Deserialize)]
struct MovieLine<'a> {
    id: i32,
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(borrow)]
    release_date: Cow<'a, str>,
    popularity: Option<f64>,
    #[serde(borrow)]
    poster_path: Cow<'a, str>,
    vote_average: Option<f64>,
    vote_count: Option<i64>,
    /// Left out by older releases of movie-service, like the runtime.
    #[serde(borrow)]
    original_language: Option<Cow<'a, str>>,
    runtime: Option<i64>,
    genre_ids: Vec<i32>,
}

#[derive(Deserialize)]
struct LastLine {
    end: bool,
    movies: usize,
}

/// A catalogue that is being received.
#[derive(Debug)]
pub struct CatalogueReader {
    builder: Option<CatalogueBuilder>,
    lines: LinesCodec,
    buffer: BytesMut,
    ended: bool,
}

impl Default for CatalogueReader {
    fn default() -> Self {
        let lines = LinesCodec::new_with_max_length(MAX_LINE_BYTES);
        Self { builder: None, lines, buffer: BytesMut::new(), ended: false }
    }
}

impl CatalogueReader {
    /// Takes the next chunk of the answer.
    ///
    /// # Errors
    /// [`PeerError::Malformed`] at the first line that is not what it must be.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), PeerError> {
        self.buffer.extend_from_slice(chunk);
        while let Some(line) = self.lines.decode(&mut self.buffer).map_err(PeerError::malformed)? {
            self.line(&line)?;
        }
        Ok(())
    }

    /// The whole catalogue.
    ///
    /// # Errors
    /// [`PeerError::Malformed`] when its last line is missing.
    pub fn finish(mut self) -> Result<Catalogue, PeerError> {
        while let Some(line) = self.lines.decode_eof(&mut self.buffer).map_err(PeerError::malformed)? {
            self.line(&line)?;
        }
        match self.builder {
            Some(builder) if self.ended => Ok(builder.finish()),
            _ => Err(PeerError::malformed("it ends before its last line")),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), PeerError> {
        if self.ended {
            return Err(PeerError::malformed("something follows its last line"));
        }
        let Some(builder) = &mut self.builder else {
            self.builder = Some(first_line(line)?);
            return Ok(());
        };
        match serde_json::from_str::<MovieLine<'_>>(line) {
            Ok(movie) => movie.add_to(builder).map_err(PeerError::malformed),
            Err(error) => {
                let last: LastLine = serde_json::from_str(line).map_err(|_| PeerError::malformed(error))?;
                if !last.end || last.movies != builder.len() {
                    return Err(PeerError::malformed(format!(
                        "{} movies announced, {} sent",
                        last.movies,
                        builder.len()
                    )));
                }
                self.ended = true;
                Ok(())
            }
        }
    }
}

fn first_line(line: &str) -> Result<CatalogueBuilder, PeerError> {
    let FirstLine { catalogue_version, genres } = serde_json::from_str(line).map_err(PeerError::malformed)?;
    let genres = genres.into_iter().map(|genre| (genre.id, genre.name)).collect();
    CatalogueBuilder::new(catalogue_version, genres).map_err(PeerError::malformed)
}

impl MovieLine<'_> {
    fn add_to(&self, builder: &mut CatalogueBuilder) -> Result<(), BuildError> {
        builder.push(&Movie {
            id: self.id,
            title: &self.title,
            // A date that cannot be read is as good as none; one odd movie must not cost the whole catalogue.
            release_date: self.release_date.parse().ok(),
            popularity: self.popularity,
            poster_path: &self.poster_path,
            vote_average: self.vote_average.filter(|_| self.vote_count != Some(0)),
            vote_count: self.vote_count.map_or(0, |count| count.clamp(0, i64::from(u32::MAX)) as u32),
            original_language: self.original_language.as_deref().unwrap_or_default(),
            runtime: self.runtime.map_or(0, |minutes| minutes.clamp(0, i64::from(u16::MAX)) as u16),
            genre_ids: &self.genre_ids,
        })
    }
}

#[cfg(test)]
mod tests {
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
        let mut reader = CatalogueReader::default();
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

    #[test]
    fn a_line_without_end_is_not_buffered_without_limit() {
        let mut reader = CatalogueReader::default();
        let piece = [b' '; 4096];
        let fed = (0..1000).try_for_each(|_| reader.feed(&piece));
        assert!(fed.is_err());
    }
}
