//! A collaborative model together with a catalogue: where each movie that the model knows is found there.

use std::sync::Arc;

use crate::{models::catalogue::Catalogue, service::model::ItemModel};

/// A model for one copy of the catalogue. Made once for both, not for each request.
#[derive(Debug)]
pub struct LinkedModel {
    model: Arc<ItemModel>,
    /// Indexes in the catalogue, ascending, with the places of the same movies in the model.
    places: Box<[(u32, u32)]>,
}

impl LinkedModel {
    /// Finds the movies of the model in the catalogue; those that it has no longer are left out.
    pub fn new(model: Arc<ItemModel>, catalogue: &Catalogue) -> Self {
        let place = |(id, place): (&i32, u32)| Some((catalogue.index_of(*id)? as u32, place));
        let mut places: Vec<(u32, u32)> = model.movie_ids().iter().zip(0..).filter_map(place).collect();
        places.sort_unstable();
        Self { model, places: places.into() }
    }

    /// The model.
    pub fn model(&self) -> &ItemModel {
        &self.model
    }

    /// The score of each movie that model and catalogue both know, by its index in the catalogue, ascending.
    pub(super) fn scores(&self, feedback: &[(i32, f32)]) -> Vec<(u32, f64)> {
        let scores = self.model.score(feedback);
        self.places.iter().map(|(index, place)| (*index, f64::from(scores[*place as usize]))).collect()
    }
}
