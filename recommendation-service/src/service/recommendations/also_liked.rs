//! The movies that people liked who liked a movie.

use std::sync::Arc;

use super::Recommender;
use crate::{models::catalogue::Catalogue, service::ServiceError};

/// The neighbours of a movie.
#[derive(Debug)]
pub struct AlsoLiked {
    /// The catalogue that `movies` index.
    pub catalogue: Arc<Catalogue>,
    /// The version of the model that knows them; `None` while there is no model.
    pub model_version: Option<String>,
    /// Indexes with the weights of the model, the nearest first.
    pub movies: Vec<(usize, f64)>,
}

impl Recommender {
    /// At most `limit` neighbours of a movie; none for a movie that the model does not know.
    ///
    /// # Errors
    /// [`ServiceError`]: no such movie, or the catalogue is missing.
    pub fn also_liked(&self, movie_id: i32, limit: usize) -> Result<AlsoLiked, ServiceError> {
        let sources = self.sources(None)?;
        let catalogue = sources.catalogue;
        catalogue.index_of(movie_id).ok_or(ServiceError::NoSuchMovie)?;
        let Some(model) = sources.model else {
            return Ok(AlsoLiked { catalogue, model_version: None, movies: Vec::new() });
        };
        let model = model.model();
        // Those that left the catalogue since the training make place for the next.
        let neighbours = model.neighbours(movie_id, model.movie_ids().len()).into_iter();
        let known = neighbours.filter_map(|(id, weight)| Some((catalogue.index_of(id)?, f64::from(weight))));
        let movies = known.take(limit).collect();
        Ok(AlsoLiked { model_version: Some(model.info().version.clone()), movies, catalogue })
    }
}
