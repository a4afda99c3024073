//! iALS, alternating least squares for implicit feedback (Hu, Koren, Volinsky 2008), with the loss of "Revisiting the
//! Performance of iALS on Item Recommendation Benchmarks" (Rendle et al. 2022, arXiv 2110.14037):
//!
//! ```text
//! Σ over likes (1 - uᵀy)²  +  unobserved·Σ over all pairs (uᵀy)²  +  ridge·(Σ|u|² + Σ|y|²)
//! ```
//!
//! For data too large for EASE: its memory grows with the number of movies and users, not with a square.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    control::{Cancelled, TrainingControl},
    interactions::Interactions,
    low_rank::{LowRank, gram, solve_ridge},
};

/// How vectors are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IalsSettings {
    /// Length of the vectors.
    pub rank: usize,
    /// Weight of the pairs without a like.
    pub unobserved: f32,
    /// How strongly vectors are drawn to 0.
    pub ridge: f32,
    /// Rounds over users and movies.
    pub rounds: usize,
    /// Where the first vectors come from.
    pub seed: u64,
}

impl Default for IalsSettings {
    fn default() -> Self {
        Self { rank: 64, unobserved: 0.1, ridge: 5.0, rounds: 12, seed: 1 }
    }
}

/// The movies' vectors for `data`.
///
/// # Errors
/// [`Cancelled`].
pub fn train(
    data: &Interactions,
    settings: &IalsSettings,
    control: &TrainingControl,
) -> Result<Option<LowRank>, Cancelled> {
    let mut rng = StdRng::seed_from_u64(settings.seed);
    let size = 0.1 / (settings.rank as f32).sqrt();
    let mut movies: Vec<f32> = Vec::with_capacity(data.movie_ids().len() * settings.rank);
    movies.resize_with(data.movie_ids().len() * settings.rank, || rng.random_range(-size..size));
    let by_column = data.by_column();
    let all = 2 * settings.rounds;
    for round in 0..settings.rounds {
        control.step(2 * round, all)?;
        let rows = (0..data.rows()).map(|row| {
            let (columns, values) = data.row(row);
            columns.iter().copied().zip(values.iter().copied())
        });
        let users = half_round(&movies, rows, settings, control)?;
        control.step(2 * round + 1, all)?;
        movies = half_round(&users, by_column.iter().map(|column| column.iter().copied()), settings, control)?;
    }
    control.step(all, all)?;
    Ok(LowRank::new(settings.rank, settings.unobserved, settings.ridge, movies))
}

/// The vectors of one side, while those of the other side stand.
fn half_round(
    fixed: &[f32],
    sides: impl Iterator<Item = impl Iterator<Item = (u32, f32)> + Clone>,
    settings: &IalsSettings,
    control: &TrainingControl,
) -> Result<Vec<f32>, Cancelled> {
    let rank = settings.rank;
    let gram = gram(rank, fixed);
    let mut vectors = Vec::new();
    for entries in sides {
        control.check()?;
        let observed = entries.map(|(index, value)| (&fixed[index as usize * rank..][..rank], value * value));
        let mut right = vec![0.0; rank];
        for (vector, confidence) in observed.clone() {
            right.iter_mut().zip(vector).for_each(|(sum, value)| *sum += confidence * value);
        }
        let solution = solve_ridge(&gram, settings.unobserved, settings.ridge, observed, &right);
        vectors.extend(solution.unwrap_or_else(|| vec![0.0; rank]));
    }
    Ok(vectors)
}
