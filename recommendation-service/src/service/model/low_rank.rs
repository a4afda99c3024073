//! A vector for each movie, and a user's scores from them.
//!
//! A user's vector is the solution of one small linear system, so it needs no training (Hu, Koren, Volinsky 2008,
//! "Collaborative Filtering for Implicit Feedback Datasets", section 2; the explanation is that of section 5):
//!
//! ```text
//! A = unobserved·YᵀY + Σⱼ cⱼ·yⱼ·yⱼᵀ + ridge·I       y: vectors of the movies of the feedback, c: |strength|
//! vector of the user = A⁻¹·Σⱼ cⱼ·pⱼ·yⱼ               p: 1 where the strength is above 0, otherwise 0
//! score of movie i   = yᵢ·A⁻¹·Σⱼ cⱼ·pⱼ·yⱼ
//! ```

use faer::{
    Mat, Par, Spec,
    dyn_stack::{MemBuffer, MemStack},
    linalg::cholesky::llt::{
        factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch},
        solve::solve_in_place,
    },
};

/// The movies' vectors, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct LowRank {
    rank: usize,
    unobserved: f32,
    ridge: f32,
    vectors: Vec<f32>,
    /// YᵀY, rank x rank.
    gram: Vec<f32>,
}

impl LowRank {
    /// From vectors of length `rank`, one movie after the other. `None` when they are not whole or not finite, or the
    /// weights (of what a user has not seen, and of the ridge) are not above 0.
    pub fn new(rank: usize, unobserved: f32, ridge: f32, vectors: Vec<f32>) -> Option<Self> {
        let positive = |value: f32| value.is_finite() && value > 0.0;
        let usable = rank > 0 && vectors.len().is_multiple_of(rank) && vectors.iter().all(|value| value.is_finite());
        let gram = gram(rank.max(1), &vectors);
        (usable && positive(unobserved) && positive(ridge)).then_some(Self { rank, unobserved, ridge, vectors, gram })
    }

    /// Rank, weight of what was not seen, ridge, and the vectors: as [`Self::new`] takes them.
    pub fn parts(&self) -> (usize, f32, f32, &[f32]) {
        (self.rank, self.unobserved, self.ridge, &self.vectors)
    }

    /// How many movies there are.
    pub fn movies(&self) -> usize {
        self.vectors.len() / self.rank
    }

    /// A score for each movie.
    pub fn score(&self, feedback: &[(usize, f32)]) -> Vec<f32> {
        let Some(user) = self.user_vector(feedback) else { return vec![0.0; self.movies()] };
        self.vectors.chunks_exact(self.rank).map(|vector| dot(vector, &user)).collect()
    }

    /// What each movie of `feedback` adds to the score of `target`.
    pub fn contributions(&self, feedback: &[(usize, f32)], target: usize) -> Vec<(usize, f32)> {
        let Some(direction) = self.solve(feedback, self.vector(target)) else { return Vec::new() };
        let part =
            |(movie, strength): &(usize, f32)| (*movie, strength.max(0.0) * dot(self.vector(*movie), &direction));
        feedback.iter().map(part).collect()
    }

    /// All other movies with the cosine of the angle to `source`.
    pub fn neighbours(&self, source: usize) -> Vec<(usize, f32)> {
        let length = |vector: &[f32]| dot(vector, vector).sqrt().max(f32::MIN_POSITIVE);
        let of_source = self.vector(source);
        let cosine = |vector: &[f32]| dot(of_source, vector) / (length(of_source) * length(vector));
        let others = self.vectors.chunks_exact(self.rank).enumerate().filter(|(movie, _)| *movie != source);
        others.map(|(movie, vector)| (movie, cosine(vector))).collect()
    }

    /// Memory it takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        4 * (self.vectors.capacity() + self.gram.capacity())
    }

    fn vector(&self, movie: usize) -> &[f32] {
        &self.vectors[movie * self.rank..][..self.rank]
    }

    fn user_vector(&self, feedback: &[(usize, f32)]) -> Option<Vec<f32>> {
        let mut liked = vec![0.0; self.rank];
        for (movie, strength) in feedback.iter().filter(|(_, strength)| *strength > 0.0) {
            add_scaled(&mut liked, *strength, self.vector(*movie));
        }
        self.solve(feedback, &liked)
    }

    /// A⁻¹ times `right`; `None` without feedback.
    fn solve(&self, feedback: &[(usize, f32)], right: &[f32]) -> Option<Vec<f32>> {
        let observed = feedback.iter().map(|(movie, strength)| (self.vector(*movie), strength.abs()));
        if feedback.is_empty() {
            return None;
        }
        solve_ridge(&self.gram, self.unobserved, self.ridge, observed, right)
    }
}

/// The solution of (`unobserved`·`gram` + Σ c·v·vᵀ + `ridge`·I)·x = `right`, all of the order of `right`. `None` when
/// numbers have got out of hand.
pub(super) fn solve_ridge<'a>(
    gram: &[f32],
    unobserved: f32,
    ridge: f32,
    observed: impl Iterator<Item = (&'a [f32], f32)>,
    right: &[f32],
) -> Option<Vec<f32>> {
    let order = right.len();
    let mut matrix = Mat::<f32>::from_fn(order, order, |row, column| {
        unobserved * gram[column * order + row] + if row == column { ridge } else { 0.0 }
    });
    for (vector, confidence) in observed {
        for (column, value) in vector.iter().enumerate() {
            // The lower triangle is enough.
            add_scaled(&mut matrix.col_as_slice_mut(column)[column..], confidence * value, &vector[column..]);
        }
    }
    let parameters = Spec::default();
    let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f32>(order, Par::Seq, parameters));
    let stack = MemStack::new(&mut memory);
    cholesky_in_place(matrix.as_mut(), LltRegularization::default(), Par::Seq, stack, parameters).ok()?;
    let mut solution = Mat::<f32>::from_fn(order, 1, |row, _| right[row]);
    solve_in_place(matrix.as_ref(), solution.as_mut(), Par::Seq, stack);
    Some(solution.col_as_slice(0).to_vec())
}

/// The sum of the outer products of `vectors`, each of length `rank`.
pub(super) fn gram(rank: usize, vectors: &[f32]) -> Vec<f32> {
    let mut gram = vec![0.0; rank * rank];
    for vector in vectors.chunks_exact(rank) {
        for (column, value) in vector.iter().enumerate() {
            add_scaled(&mut gram[column * rank..][..rank], *value, vector);
        }
    }
    gram
}

fn add_scaled(sum: &mut [f32], factor: f32, vector: &[f32]) {
    for (element, value) in sum.iter_mut().zip(vector) {
        *element += factor * value;
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
