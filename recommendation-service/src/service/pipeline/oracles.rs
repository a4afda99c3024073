//! The values of the learned rules, written again from their formulas.

use super::test_world::{GENRES, MODEL, Sample, World, now};
use crate::models::feedback::{Feedback, FeedbackSettings};

/// The rating value, by its formula.
pub(super) fn rating(samples: &[Sample], movie: &Sample) -> f64 {
    let rated: Vec<&Sample> = samples.iter().filter(|sample| sample.vote.is_some()).collect();
    let mean = rated.iter().filter_map(|sample| sample.vote).sum::<f64>() / rated.len() as f64;
    let mut votes: Vec<u32> = rated.iter().map(|sample| sample.votes).collect();
    votes.sort_unstable();
    let needed = f64::from(votes[((rated.len() - 1) as f64 * 0.9) as usize]);
    let (count, vote) = movie.vote.map_or((0.0, 0.0), |vote| (f64::from(movie.votes), vote));
    (count * vote + needed * mean) / (count + needed) / 10.0
}

/// How much of `movie` is `feature`, a genre, a language or a decade.
fn has(movie: &Sample, feature: &str) -> f64 {
    let decade = movie.released.map(|date| format!("{}0s", chrono::Datelike::year(&date) / 10));
    let genre = movie.genres.iter().any(|genre| GENRES[*genre as usize] == feature);
    if genre {
        return 1.0 / movie.genres.len() as f64;
    }
    let is_language = feature.strip_prefix("language ").is_some_and(|language| movie.language == language);
    if is_language || decade.as_deref() == Some(feature) { 1.0 } else { 0.0 }
}

/// The affinity value, by its formula.
pub(super) fn affinity(world: &World, movie: &Sample) -> f64 {
    let known: Vec<(&Sample, f64)> = world
        .profile
        .feedback
        .iter()
        .filter_map(|feedback| {
            let sample = world.samples.iter().find(|sample| sample.id == feedback.movie_id)?;
            Some((sample, FeedbackSettings::default().strength(feedback, now())))
        })
        .collect();
    let evidence: f64 = known.iter().map(|(_, strength)| strength.abs()).sum();
    if evidence == 0.0 {
        return 0.0;
    }
    let all: f64 = world.samples.iter().map(|sample| sample.popularity).sum();
    let preference = |feature: &str| {
        let share = world.samples.iter().map(|sample| sample.popularity * has(sample, feature)).sum::<f64>() / all;
        known.iter().map(|(sample, strength)| strength * (has(sample, feature) - share)).sum::<f64>() / evidence
    };
    let genres: f64 = movie.genres.iter().map(|genre| preference(GENRES[*genre as usize])).sum();
    let era = movie.released.map_or(0.0, |date| preference(&format!("{}0s", chrono::Datelike::year(&date) / 10)));
    let language = preference(&format!("language {}", movie.language));
    let sum = 0.6 * genres / movie.genres.len().max(1) as f64 + 0.2 * language + 0.2 * era;
    evidence / (evidence + 2.0) * sum
}

/// The collaborative value, by its formula.
pub(super) fn collaborative(world: &World, movie: i32) -> f64 {
    let strength = |feedback: &Feedback| FeedbackSettings::default().strength(feedback, now()) as f32;
    let feedback: Vec<(i32, f32)> =
        world.profile.feedback.iter().map(|feedback| (feedback.movie_id, strength(feedback))).collect();
    let scores =
        MODEL.movie_ids().iter().copied().zip(MODEL.score(&feedback)).map(|(id, score)| (id, f64::from(score)));
    let scores: Vec<(i32, f64)> =
        scores.filter(|(id, _)| world.samples.iter().any(|sample| sample.id == *id)).collect();
    let best = scores.iter().map(|(_, score)| *score).fold(0.0, f64::max);
    let worst = scores.iter().map(|(_, score)| *score).fold(0.0, f64::min);
    let score = scores.iter().find(|(id, _)| *id == movie).map_or(0.0, |(_, score)| *score);
    match (best > 0.0, worst < 0.0) {
        (true, _) => (score / best).max(-1.0),
        (false, true) => score / worst.abs(),
        (false, false) => 0.0,
    }
}
