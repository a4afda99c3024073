//! Reads the catalogue's lines (NDJSON) as they arrive. Holds one unfinished line at most.
//!
//! The first line names the version and the genres, then comes a line for each movie by id, and the last line says
//! how many there were: without it the catalogue is not whole. When the first line also names the version `since`, the movies
//! are those that changed since then, and further lines have the ids of those that were deleted.

use std::{borrow::Cow, sync::Arc};

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
    since: Option<String>,
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
#[serde(untagged)]
enum OtherLine {
    Deleted { deleted: Vec<i32> },
    Last(LastLine),
}

#[derive(Deserialize)]
struct LastLine {
    end: bool,
    movies: usize,
    /// How many ids of deleted movies there were.
    #[serde(default)]
    deleted: usize,
    /// How many movies there are now.
    total: Option<usize>,
}

/// A catalogue that is being received.
#[derive(Debug)]
pub struct CatalogueReader {
    /// What changes are applied to.
    base: Option<Arc<Catalogue>>,
    content: Option<Content>,
    lines: LinesCodec,
    buffer: BytesMut,
}

/// What has been received.
#[derive(Debug)]
struct Content {
    builder: CatalogueBuilder,
    is_change: bool,
    deleted: Vec<i32>,
    /// The number of all movies, once the last line has come.
    total: Option<usize>,
}

impl CatalogueReader {
    /// A reader of a whole catalogue or, where there is a copy already, of what changed in it.
    pub fn new(base: Option<Arc<Catalogue>>) -> Self {
        let lines = LinesCodec::new_with_max_length(MAX_LINE_BYTES);
        Self { base, content: None, lines, buffer: BytesMut::new() }
    }

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

    /// The whole catalogue. Takes a while for a large one.
    ///
    /// # Errors
    /// [`PeerError::Malformed`] when its last line is missing, or the changes do not fit to the copy that they are for.
    pub fn finish(mut self) -> Result<Catalogue, PeerError> {
        while let Some(line) = self.lines.decode_eof(&mut self.buffer).map_err(PeerError::malformed)? {
            self.line(&line)?;
        }
        let Some(Content { builder, is_change, deleted, total: Some(total) }) = self.content else {
            return Err(PeerError::malformed("it ends before its last line"));
        };
        let catalogue = match self.base.filter(|_| is_change) {
            Some(base) => builder.finish_onto(&base, &deleted).map_err(PeerError::malformed)?,
            None => builder.finish(),
        };
        expect_count("movies in all", total, catalogue.len())?;
        Ok(catalogue)
    }

    fn line(&mut self, line: &str) -> Result<(), PeerError> {
        match &mut self.content {
            Some(content) => content.line(line),
            None => {
                self.content = Some(Content::begin(line, self.base.as_deref())?);
                Ok(())
            }
        }
    }
}

impl Content {
    /// From the first line.
    fn begin(line: &str, base: Option<&Catalogue>) -> Result<Self, PeerError> {
        let FirstLine { catalogue_version, genres, since } =
            serde_json::from_str(line).map_err(PeerError::malformed)?;
        if since.is_some() && since.as_deref() != base.map(Catalogue::version) {
            return Err(PeerError::malformed("it has the changes of another version"));
        }
        let genres = genres.into_iter().map(|genre| (genre.id, genre.name)).collect();
        let builder = CatalogueBuilder::new(catalogue_version, genres).map_err(PeerError::malformed)?;
        Ok(Self { builder, is_change: since.is_some(), deleted: Vec::new(), total: None })
    }

    /// Takes a line after the first.
    fn line(&mut self, line: &str) -> Result<(), PeerError> {
        if self.total.is_some() {
            return Err(PeerError::malformed("something follows its last line"));
        }
        let error = match serde_json::from_str::<MovieLine<'_>>(line) {
            Ok(movie) => return movie.add_to(&mut self.builder).map_err(PeerError::malformed),
            Err(error) => error,
        };
        match serde_json::from_str(line) {
            Ok(OtherLine::Deleted { deleted }) if self.is_change => self.deleted.extend(deleted),
            Ok(OtherLine::Last(last)) if last.end => {
                expect_count("movies", last.movies, self.builder.len())?;
                expect_count("deleted movies", last.deleted, self.deleted.len())?;
                let total = if self.is_change { last.total } else { Some(last.movies) };
                self.total =
                    Some(total.ok_or_else(|| PeerError::malformed("it does not say how many movies there are"))?);
            }
            _ => return Err(PeerError::malformed(error)),
        }
        Ok(())
    }
}

fn expect_count(what: &str, announced: usize, found: usize) -> Result<(), PeerError> {
    if announced == found {
        return Ok(());
    }
    Err(PeerError::malformed(format!("{announced} {what} announced, {found} sent")))
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
#[path = "catalogue_reader_tests.rs"]
mod tests;
