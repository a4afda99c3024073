//! EASE, "Embarrassingly Shallow Autoencoders for Sparse Data" (Steck 2019, arXiv 1905.03375), in closed form:
//!
//! ```text
//! X   the likes, a row for each user and a column for each movie (rows of tags may follow, see Interactions)
//! P = (XᵀX + ridge·I)⁻¹
//! B = I - P·diag(1/diag P): the weight from source i to target j is -P[i][j] / P[j][j], and 0 from a movie to itself
//! score of movie j for a user with strengths s = Σᵢ s[i]·B[i][j]
//! ```
//!
//! With fewer rows than movies the same inverse is had from the smaller matrix of rows, by Woodbury's identity:
//!
//! ```text
//! P = (I - Xᵀ·(X·Xᵀ + ridge·I)⁻¹·X) / ridge
//! ```
//!
//! Either way one dense symmetric matrix is factorised in place (Cholesky, by `faer`, on one core), and the columns of P
//! are made a block at a time, of which each movie keeps its largest weights only. So the most memory that training
//! takes is [`bytes_needed`].

use faer::{
    Conj, Mat, MatMut, Par, Spec,
    dyn_stack::{MemBuffer, MemStack},
    linalg::{
        cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch},
        triangular_solve::{solve_lower_triangular_in_place_with_conj, solve_upper_triangular_in_place_with_conj},
    },
    reborrow::ReborrowMut,
};

use super::{
    control::{Cancelled, TrainingControl},
    interactions::Interactions,
    item_weights::{ItemWeights, ItemWeightsBuilder},
};

/// Columns of the inverse that are made at a time.
const BLOCK: usize = 128;

/// How weights are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EaseSettings {
    /// Above 0: how strongly weights are drawn to 0.
    pub ridge: f32,
    /// Weights that each movie keeps of those that lead to it, the largest whatever their sign.
    pub sources_kept: usize,
}

/// Why there are no weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EaseError {
    /// It was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The ridge is too small for the data, or not above 0.
    #[error("the matrix cannot be factorised: the ridge is too small")]
    Singular,
}

/// Bytes that training needs for `data`: the dense matrix, a block of columns, and the weights that are kept, twice.
pub fn bytes_needed(data: &Interactions, sources_kept: usize) -> usize {
    let movies = data.movie_ids().len();
    let order = data.rows().min(movies);
    let kept = movies * sources_kept.min(movies) * size_of::<(u32, f32)>();
    order * (order + BLOCK) * size_of::<f32>() + 2 * kept
}

/// The weights for `data`.
///
/// # Errors
/// [`EaseError`].
pub fn train(
    data: &Interactions,
    settings: &EaseSettings,
    control: &TrainingControl,
) -> Result<ItemWeights, EaseError> {
    if settings.ridge.is_nan() || settings.ridge <= 0.0 {
        return Err(EaseError::Singular);
    }
    if data.rows() < data.movie_ids().len() {
        train_by_rows(data, settings, control)
    } else {
        train_by_movies(data, settings, control)
    }
}

/// The inverse of the matrix of movies.
fn train_by_movies(
    data: &Interactions,
    settings: &EaseSettings,
    control: &TrainingControl,
) -> Result<ItemWeights, EaseError> {
    let movies = data.movie_ids().len();
    let rows = (0..data.rows()).map(|row| data.row(row));
    let rows = rows.map(|(columns, values)| columns.iter().copied().zip(values.iter().copied()));
    let factor = factorise(gram(movies, rows, settings.ridge), control)?;
    let mut weights = ItemWeightsBuilder::new(settings.sources_kept);
    for start in (0..movies).step_by(BLOCK) {
        control.step(start, movies)?;
        let width = BLOCK.min(movies - start);
        let mut block = Mat::<f32>::zeros(movies, width);
        for column in 0..width {
            block[(start + column, column)] = 1.0;
        }
        solve(&factor, start, block.as_mut());
        for column in 0..width {
            push_column(&mut weights, block.col_as_slice(column), start + column);
        }
    }
    control.step(movies, movies)?;
    Ok(weights.finish())
}

/// The same from the inverse of the matrix of rows.
fn train_by_rows(
    data: &Interactions,
    settings: &EaseSettings,
    control: &TrainingControl,
) -> Result<ItemWeights, EaseError> {
    let (movies, rows) = (data.movie_ids().len(), data.rows());
    let by_column = data.by_column();
    let factor = factorise(gram(rows, by_column.iter().map(|column| column.iter().copied()), settings.ridge), control)?;
    let mut weights = ItemWeightsBuilder::new(settings.sources_kept);
    let mut inverse_column = vec![0.0_f32; movies];
    for start in (0..movies).step_by(BLOCK) {
        control.step(start, movies)?;
        let width = BLOCK.min(movies - start);
        let mut block = Mat::<f32>::zeros(rows, width);
        for column in 0..width {
            for (row, value) in &by_column[start + column] {
                block[(*row as usize, column)] = *value;
            }
        }
        solve(&factor, 0, block.as_mut());
        for column in 0..width {
            let solved = block.col_as_slice(column);
            for (element, entries) in inverse_column.iter_mut().zip(&by_column) {
                *element = -entries.iter().map(|(row, value)| value * solved[*row as usize]).sum::<f32>();
            }
            inverse_column[start + column] += 1.0;
            push_column(&mut weights, &inverse_column, start + column);
        }
    }
    control.step(movies, movies)?;
    Ok(weights.finish())
}

/// Lower triangle of the sum of the outer products of `vectors`, whose indexes ascend, plus the ridge on the diagonal.
fn gram(order: usize, vectors: impl Iterator<Item = impl Iterator<Item = (u32, f32)> + Clone>, ridge: f32) -> Mat<f32> {
    let mut matrix = Mat::<f32>::zeros(order, order);
    for vector in vectors {
        let mut rest = vector;
        while let Some((first, first_value)) = rest.next() {
            let column = matrix.col_as_slice_mut(first as usize);
            column[first as usize] += first_value * first_value;
            for (second, value) in rest.clone() {
                column[second as usize] += first_value * value;
            }
        }
    }
    for index in 0..order {
        matrix[(index, index)] += ridge;
    }
    matrix
}

/// The lower factor, in the place of `matrix`; what is above the diagonal means nothing.
fn factorise(mut matrix: Mat<f32>, control: &TrainingControl) -> Result<Mat<f32>, EaseError> {
    control.step(0, 1)?;
    let parameters = Spec::default();
    let scratch = cholesky_in_place_scratch::<f32>(matrix.nrows(), Par::Seq, parameters);
    let mut memory = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut memory);
    cholesky_in_place(matrix.as_mut(), LltRegularization::default(), Par::Seq, stack, parameters)
        .map_err(|_| EaseError::Singular)?;
    Ok(matrix)
}

/// Solves for `right`, whose rows before `first` are zeros, in its place.
fn solve(factor: &Mat<f32>, first: usize, mut right: MatMut<'_, f32>) {
    let rest = factor.nrows() - first;
    let lower = factor.as_ref().submatrix(first, first, rest, rest);
    solve_lower_triangular_in_place_with_conj(lower, Conj::No, right.rb_mut().subrows_mut(first, rest), Par::Seq);
    solve_upper_triangular_in_place_with_conj(factor.as_ref().transpose(), Conj::No, right, Par::Seq);
}

/// A column of the inverse (or of a multiple of it) as weights to the movie `target`.
fn push_column(weights: &mut ItemWeightsBuilder, inverse_column: &[f32], target: usize) {
    let scale = -1.0 / inverse_column[target];
    let weight = |(source, element): (usize, &f32)| if source == target { 0.0 } else { element * scale };
    weights.push_target(inverse_column.iter().enumerate().map(weight));
}
