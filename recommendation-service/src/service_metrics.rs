//! What only this service measures, beside [`crate::metrics`]: what recommendations are made from.

use chrono::Utc;

use crate::{
    metrics::{Reading, metrics},
    service::{catalogue::CatalogueStore, models::ModelStore},
};

/// One value without labels, or none.
fn value(value: Option<f64>) -> Vec<Reading> {
    value.map(|value| (&[] as _, value)).into_iter().collect()
}

/// Shows them from now on.
pub fn show(catalogue: &CatalogueStore, models: &ModelStore) {
    let (movies, age) = (catalogue.clone(), catalogue.clone());
    metrics().compute_gauge("catalogue_movies", "Movies in the copy of the catalogue", move || {
        value(movies.current().map(|catalogue| catalogue.len() as f64))
    });
    let text = "Time since movie-service last confirmed the copy of the catalogue";
    metrics().compute_gauge("catalogue_age_seconds", text, move || value(age.age().map(|age| age.as_secs_f64())));
    let models = models.clone();
    metrics().compute_gauge("model_age_seconds", "Time since the model in use was trained", move || {
        let age = models.current().map(|model| Utc::now() - model.info().trained_at);
        value(age.map(|age| age.as_seconds_f64()))
    });
}
