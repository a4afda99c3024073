//! Re-ranking: changes the order of the best movies, never their scores.

mod diversity;
mod exploration;

use super::top_k::Candidate;
use crate::models::{catalogue::Catalogue, list_request::ListRequest};

/// So many of the best movies are ordered anew; those after them stay where they are. The same number for every page, so
/// that pages of one list neither overlap nor leave anything out.
pub const POOL: usize = 300;

/// A movie with what counts for its place.
#[derive(Debug, Clone, Copy)]
struct Ranked {
    movie: Candidate,
    /// 0 for the worst of the pool, 1 for the best.
    relevance: f64,
}

/// Whether a request wants another order than by score.
pub fn is_wanted(request: &ListRequest) -> bool {
    request.diversity > 0.0 || request.exploration.share > 0.0
}

/// Puts the first [`POOL`] movies into the order that the request wants.
pub fn rerank(catalogue: &Catalogue, request: &ListRequest, mut movies: Vec<Candidate>) -> Vec<Candidate> {
    let rest = movies.split_off(movies.len().min(POOL));
    let (Some(best), Some(worst)) = (movies.first(), movies.last()) else { return movies };
    let (lowest, span) = (worst.scaled_score, best.scaled_score - worst.scaled_score);
    let relevance = |movie: &Candidate| if span > 0.0 { (movie.scaled_score - lowest) / span } else { 1.0 };
    let mut pool: Vec<Ranked> =
        movies.iter().map(|movie| Ranked { movie: *movie, relevance: relevance(movie) }).collect();
    if request.exploration.share > 0.0 {
        exploration::explore(&mut pool, request.exploration);
    }
    if request.diversity > 0.0 {
        // Enough for this page; what is chosen does not depend on how many are.
        let needed = request.offset.saturating_add(request.limit);
        pool = diversity::diversify(catalogue, pool, request.diversity, needed);
    }
    pool.into_iter().map(|ranked| ranked.movie).chain(rest).collect()
}
