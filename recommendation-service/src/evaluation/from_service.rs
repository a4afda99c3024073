//! The own users' feedback and movies as a data set.

use chrono::DateTime;
use reqwest::Client;

use super::dataset::{Dataset, RatedMovie, Rating};
use crate::{
    models::{catalogue::Catalogue, feedback::FeedbackKind},
    peers::{
        PeerError, PeersConfig,
        feedback_feed::FeedbackFeed,
        movie_service::{CatalogueResponse, MovieService},
    },
    service::training::feedback_log::FeedbackEntry,
};

/// Reads all feedback and the catalogue.
///
/// # Errors
/// [`PeerError`] when one of them could not be had whole.
pub async fn read(client: Client, config: &PeersConfig) -> Result<Dataset, PeerError> {
    let feed = FeedbackFeed::new(client.clone(), config);
    let mut ratings = Vec::new();
    let mut position = None;
    loop {
        let increment = feed.read(position.as_ref()).await?;
        ratings.extend(increment.entries.iter().filter_map(rating));
        position = Some(increment.next);
        if !increment.is_full {
            break;
        }
    }
    let movies = match MovieService::new(client, config).catalogue(None, None).await? {
        CatalogueResponse::Modified(catalogue, _) => movies(&catalogue),
        CatalogueResponse::NotModified => Vec::new(),
    };
    Ok(Dataset::new(movies, ratings))
}

/// Feedback as a rating that says as much, or `None` when its time is out of range.
fn rating(entry: &FeedbackEntry) -> Option<Rating> {
    let value = match entry.kind {
        FeedbackKind::Rating(value) => value,
        FeedbackKind::Like => 10.0,
        FeedbackKind::Watched => 7.0,
        FeedbackKind::Abandoned => 3.5,
        FeedbackKind::Dislike => 1.0,
    };
    let at = DateTime::from_timestamp(entry.occurred_at, 0)?;
    Some(Rating { user: entry.user_id, movie: entry.movie_id, value, at })
}

fn movies(catalogue: &Catalogue) -> Vec<RatedMovie> {
    let movie = |(index, id): (usize, &i32)| RatedMovie {
        id: *id,
        title: catalogue.title(index).to_owned(),
        released: catalogue.release_date(index),
        genres: catalogue.genres(index).map(str::to_owned).collect(),
    };
    catalogue.ids().iter().enumerate().map(movie).collect()
}
