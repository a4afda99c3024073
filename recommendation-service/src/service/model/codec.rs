//! A model as bytes, with a checksum: what is stored in PostgreSQL.
//!
//! ```text
//! magic (8 bytes) · length of the description (u32) · description (JSON) · movie ids (array of i32) · parameters · SHA-256
//! parameters of EASE: ends (array of u32) · targets (array of u32) · weights (array of f32)
//! parameters of iALS: rank (u32) · unobserved (f32) · ridge (f32) · vectors (array of f32)
//! ```
//!
//! An array is its length (u32) and its elements; all numbers are little-endian. The checksum covers all before it.

use sha2::{Digest, Sha256};

use super::{
    ItemModel, Parameters,
    info::{Algorithm, ModelInfo},
    item_weights::ItemWeights,
    low_rank::LowRank,
};

const MAGIC: &[u8; 8] = b"RSMODEL1";
const CHECKSUM_BYTES: usize = 32;

/// Why bytes are not a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They are not what was written.
    #[error("the checksum does not fit")]
    Checksum,
    /// They were written by another release, or by something else.
    #[error("not a model of a known format")]
    Format,
    /// The checksum fits and the content does not.
    #[error("the content contradicts itself")]
    Content,
}

/// The model's bytes.
pub fn encode(model: &ItemModel) -> Vec<u8> {
    let description = serde_json::to_vec(model.info()).expect("plain numbers and texts");
    let mut bytes = Vec::with_capacity(model.heap_bytes() + description.len() + 128);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&length(description.len()));
    bytes.extend_from_slice(&description);
    put_parameters(&mut bytes, model.movie_ids(), model.parameters());
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

/// The model that was encoded.
///
/// # Errors
/// [`CodecError`] when a single bit is not as it was.
pub fn decode(bytes: &[u8]) -> Result<ItemModel, CodecError> {
    let split = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(CodecError::Format)?;
    let (content, checksum) = bytes.split_at(split);
    let mut reader = Reader(content);
    if reader.take(MAGIC.len()) != Some(MAGIC) {
        return Err(CodecError::Format);
    }
    if Sha256::digest(content)[..] != *checksum {
        return Err(CodecError::Checksum);
    }
    read(reader).ok_or(CodecError::Content)
}

/// The start of the checksum of what a model consists of, as text.
pub(crate) fn version(movie_ids: &[i32], parameters: &Parameters) -> String {
    let mut bytes = Vec::new();
    put_parameters(&mut bytes, movie_ids, parameters);
    Sha256::digest(&bytes)[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn put_parameters(bytes: &mut Vec<u8>, movie_ids: &[i32], parameters: &Parameters) {
    put_array(bytes, movie_ids, |id| id.to_le_bytes());
    match parameters {
        Parameters::ItemItem(matrix) => {
            let (ends, targets, weights) = matrix.parts();
            put_array(bytes, ends, |end| end.to_le_bytes());
            put_array(bytes, targets, |target| target.to_le_bytes());
            put_array(bytes, weights, |weight| weight.to_le_bytes());
        }
        Parameters::LowRank(factors) => {
            let (rank, unobserved, ridge, vectors) = factors.parts();
            bytes.extend_from_slice(&length(rank));
            bytes.extend_from_slice(&unobserved.to_le_bytes());
            bytes.extend_from_slice(&ridge.to_le_bytes());
            put_array(bytes, vectors, |value| value.to_le_bytes());
        }
    }
}

fn put_array<T: Copy>(bytes: &mut Vec<u8>, array: &[T], element: impl Fn(T) -> [u8; 4]) {
    bytes.extend_from_slice(&length(array.len()));
    for value in array {
        bytes.extend_from_slice(&element(*value));
    }
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a model has far fewer than four billion numbers").to_le_bytes()
}

fn read(mut reader: Reader<'_>) -> Option<ItemModel> {
    let described = reader.number()?;
    let info: ModelInfo = serde_json::from_slice(reader.take(described)?).ok()?;
    let movie_ids = reader.array(i32::from_le_bytes)?;
    let (parameters, movies) = match info.algorithm {
        Algorithm::Ease => {
            let (ends, targets) = (reader.array(u32::from_le_bytes)?, reader.array(u32::from_le_bytes)?);
            let weights = ItemWeights::from_parts(ends, targets, reader.array(f32::from_le_bytes)?)?;
            let movies = weights.movies();
            (Parameters::ItemItem(weights), movies)
        }
        Algorithm::Ials => {
            let rank = reader.number()?;
            let (unobserved, ridge) = (reader.element(f32::from_le_bytes)?, reader.element(f32::from_le_bytes)?);
            let factors = LowRank::new(rank, unobserved, ridge, reader.array(f32::from_le_bytes)?)?;
            let movies = factors.movies();
            (Parameters::LowRank(factors), movies)
        }
    };
    let consistent = reader.0.is_empty() && movies == movie_ids.len() && movie_ids.is_sorted_by(|a, b| a < b);
    consistent.then(|| ItemModel::new(info, movie_ids.into(), parameters))
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn element<T>(&mut self, convert: impl Fn([u8; 4]) -> T) -> Option<T> {
        self.take(4)?.first_chunk().map(|bytes| convert(*bytes))
    }

    fn number(&mut self) -> Option<usize> {
        usize::try_from(self.element(u32::from_le_bytes)?).ok()
    }

    fn array<T>(&mut self, convert: impl Fn([u8; 4]) -> T) -> Option<Vec<T>> {
        let bytes = self.number()?.checked_mul(4)?;
        let (elements, _) = self.take(bytes)?.as_chunks::<4>();
        Some(elements.iter().map(|bytes| convert(*bytes)).collect())
    }
}
