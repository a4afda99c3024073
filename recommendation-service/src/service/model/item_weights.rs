//! Weights from movie to movie, of which each movie keeps the largest.

/// A sparse matrix by source: a user who likes the source is given `weight` for each of its targets.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemWeights {
    ends: Vec<u32>,
    targets: Vec<u32>,
    weights: Vec<f32>,
}

/// Collects the matrix target by target, keeping for each the sources that count most.
#[derive(Debug)]
pub struct ItemWeightsBuilder {
    sources_kept: usize,
    /// By target: sources with their weights.
    columns: Vec<Vec<(u32, f32)>>,
}

impl ItemWeightsBuilder {
    /// Keeps at most `sources_kept` sources of each target.
    pub fn new(sources_kept: usize) -> Self {
        Self { sources_kept, columns: Vec::new() }
    }

    /// Takes the weights of all sources for the next target, of which 0 and what is not finite are left out.
    pub fn push_target(&mut self, weights: impl Iterator<Item = f32>) {
        let nonzero = (0_u32..).zip(weights).filter(|(_, weight)| weight.is_finite() && *weight != 0.0);
        let mut column: Vec<(u32, f32)> = nonzero.collect();
        if column.len() > self.sources_kept {
            // By size whatever the sign; the index decides between equals, so that the result is always the same.
            let larger = |a: &(u32, f32), b: &(u32, f32)| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0));
            column.select_nth_unstable_by(self.sources_kept, larger);
            column.truncate(self.sources_kept);
            column.sort_unstable_by_key(|(source, _)| *source);
            column.shrink_to_fit();
        }
        self.columns.push(column);
    }

    /// The finished matrix, turned over to be read by source.
    pub fn finish(self) -> ItemWeights {
        let movies = self.columns.len();
        let mut ends = vec![0_u32; movies];
        for (source, _) in self.columns.iter().flatten() {
            ends[*source as usize] += 1;
        }
        let mut total = 0;
        let mut next: Vec<usize> = Vec::with_capacity(movies);
        for end in &mut ends {
            next.push(total as usize);
            total += *end;
            *end = total;
        }
        let (mut targets, mut weights) = (vec![0; total as usize], vec![0.0; total as usize]);
        for (target, column) in (0_u32..).zip(self.columns) {
            for (source, weight) in column {
                let place = &mut next[source as usize];
                (targets[*place], weights[*place]) = (target, weight);
                *place += 1;
            }
        }
        ItemWeights { ends, targets, weights }
    }
}

impl ItemWeights {
    /// From its three arrays, if they belong together: where each source's part ends, targets (ascending within a
    /// source) and weights.
    pub fn from_parts(ends: Vec<u32>, targets: Vec<u32>, weights: Vec<f32>) -> Option<Self> {
        let movies = u32::try_from(ends.len()).ok()?;
        let whole = ends.is_sorted()
            && ends.last().map_or(0, |end| *end as usize) == targets.len()
            && targets.len() == weights.len()
            && targets.iter().all(|target| *target < movies)
            && weights.iter().all(|weight| weight.is_finite());
        let matrix = Self { ends, targets, weights };
        let ascending = |source| matrix.of(source).0.is_sorted_by(|a, b| a < b);
        (whole && (0..matrix.movies()).all(ascending)).then_some(matrix)
    }

    /// The three arrays, as [`Self::from_parts`] takes them.
    pub fn parts(&self) -> (&[u32], &[u32], &[f32]) {
        (&self.ends, &self.targets, &self.weights)
    }

    /// How many movies there are.
    pub fn movies(&self) -> usize {
        self.ends.len()
    }

    /// A score for each movie: the sum of strength x weight over `feedback`.
    pub fn score(&self, feedback: &[(usize, f32)]) -> Vec<f32> {
        let mut scores = vec![0.0; self.movies()];
        for (source, strength) in feedback {
            let (targets, weights) = self.of(*source);
            for (target, weight) in targets.iter().zip(weights) {
                scores[*target as usize] += strength * weight;
            }
        }
        scores
    }

    /// What each movie of `feedback` adds to the score of `target`.
    pub fn contributions(&self, feedback: &[(usize, f32)], target: usize) -> Vec<(usize, f32)> {
        let part = |(source, strength): &(usize, f32)| (*source, strength * self.weight(*source, target));
        feedback.iter().map(part).collect()
    }

    /// The targets of `source` with their weights.
    pub fn neighbours(&self, source: usize) -> Vec<(usize, f32)> {
        let (targets, weights) = self.of(source);
        targets.iter().zip(weights).map(|(target, weight)| (*target as usize, *weight)).collect()
    }

    /// Memory it takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        4 * (self.ends.capacity() + self.targets.capacity() + self.weights.capacity())
    }

    fn weight(&self, source: usize, target: usize) -> f32 {
        let (targets, weights) = self.of(source);
        let place = u32::try_from(target).ok().and_then(|target| targets.binary_search(&target).ok());
        place.map_or(0.0, |place| weights[place])
    }

    fn of(&self, source: usize) -> (&[u32], &[f32]) {
        let start = if source == 0 { 0 } else { self.ends[source - 1] as usize };
        let end = self.ends[source] as usize;
        (&self.targets[start..end], &self.weights[start..end])
    }
}
