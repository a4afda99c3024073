//! Reads the catalogue's lines as they come in, whatever pieces they come in. Holds one unfinished line at most.
//!
//! The first line names the version and the genres, then comes a line for each movie by id, and the last line says
//! how many there were: without it the catalogue is not whole.

use std::borrow::Cow;

use serde::Deserialize;

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
    genre_ids: Vec<i32>,
}

#[derive(Deserialize)]
struct LastLine {
    end: bool,
    movies: usize,
}

/// The state of reading.
#[derive(Debug, Default)]
pub struct CatalogueReader {
    builder: Option<CatalogueBuilder>,
    unfinished: Vec<u8>,
    ended: bool,
}

impl CatalogueReader {
    /// Takes the next piece of the answer.
    ///
    /// # Errors
    /// [`PeerError::Malformed`] at the first line that is not what it must be.
    pub fn feed(&mut self, mut piece: &[u8]) -> Result<(), PeerError> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            if self.unfinished.is_empty() {
                self.line(&piece[..end])?;
            } else {
                self.keep(&piece[..end])?;
                let line = std::mem::take(&mut self.unfinished);
                self.line(&line)?;
                self.unfinished = line;
                self.unfinished.clear();
            }
            piece = &piece[end + 1..];
        }
        self.keep(piece)
    }

    /// The whole catalogue.
    ///
    /// # Errors
    /// [`PeerError::Malformed`] when its last line is missing.
    pub fn finish(mut self) -> Result<Catalogue, PeerError> {
        let last = std::mem::take(&mut self.unfinished);
        if !last.is_empty() {
            self.line(&last)?;
        }
        match self.builder {
            Some(builder) if self.ended => Ok(builder.finish()),
            _ => Err(malformed("it ends before its last line")),
        }
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), PeerError> {
        if self.unfinished.len() + piece.len() > MAX_LINE_BYTES {
            return Err(malformed("a line is too long"));
        }
        self.unfinished.extend_from_slice(piece);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), PeerError> {
        if self.ended {
            return Err(malformed("something follows its last line"));
        }
        let Some(builder) = &mut self.builder else {
            self.builder = Some(first_line(line)?);
            return Ok(());
        };
        match serde_json::from_slice::<MovieLine<'_>>(line) {
            Ok(movie) => movie.add_to(builder).map_err(malformed),
            Err(error) => {
                let last: LastLine = serde_json::from_slice(line).map_err(|_| malformed(error))?;
                if !last.end || last.movies != builder.len() {
                    return Err(malformed(format!("{} movies announced, {} sent", last.movies, builder.len())));
                }
                self.ended = true;
                Ok(())
            }
        }
    }
}

fn first_line(line: &[u8]) -> Result<CatalogueBuilder, PeerError> {
    let FirstLine { catalogue_version, genres } = serde_json::from_slice(line).map_err(malformed)?;
    let genres = genres.into_iter().map(|genre| (genre.id, genre.name)).collect();
    CatalogueBuilder::new(catalogue_version, genres).map_err(malformed)
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
            genre_ids: &self.genre_ids,
        })
    }
}

fn malformed(reason: impl ToString) -> PeerError {
    PeerError::Malformed(reason.to_string())
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
        r#""vote_average":7.1,"vote_count":12,"genre_ids":[1,2],"more":[1]}"#,
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
        fn any_cut_into_pieces_gives_the_same_catalogue(mut cuts in proptest::collection::vec(0..=WHOLE.len(), 0..8)) {
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
        }
    }

    #[test]
    fn every_truncation_is_noticed() {
        // Without its last newline it is still whole.
        for length in 0..WHOLE.len() - 1 {
            assert!(read(&[&WHOLE.as_bytes()[..length]]).is_err(), "cut after {length} bytes");
        }
    }

    #[test]
    fn what_is_not_as_agreed_is_refused() {
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
    fn a_line_without_end_is_not_collected_forever() {
        let mut reader = CatalogueReader::default();
        let piece = [b' '; 4096];
        let fed = (0..1000).try_for_each(|_| reader.feed(&piece));
        assert!(fed.is_err());
    }
}
