//! The table: a line for each way to make lists.

use std::fmt::Write as _;

use super::{
    metrics::{Estimate, ListQuality, MovieFacts, estimate, overlap},
    split::TestUser,
};

/// A way to make lists, with the list of each user.
#[derive(Debug, Clone, PartialEq)]
pub struct Contender {
    /// What it is called.
    pub name: String,
    /// A list for each user, in the order of the users.
    pub lists: Vec<Vec<i32>>,
}

/// What a contender's lists are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The contender.
    pub name: String,
    /// NDCG@10.
    pub ndcg_10: Estimate,
    /// Recall@20.
    pub recall_20: Estimate,
    /// NDCG@100.
    pub ndcg_100: Estimate,
    /// MAP@10.
    pub map_10: Estimate,
    /// Part of the catalogue.
    pub coverage: f64,
    /// Bits.
    pub novelty: Estimate,
    /// 0 to 1.
    pub diversity: Estimate,
    /// Mean Jaccard index of two users' lists.
    pub overlap: f64,
    /// NDCG@10 as a multiple of popularity's, where that is above 0.
    pub by_popularity: Option<f64>,
    /// NDCG@10 minus that of `collaborative`, user by user.
    pub over_collaborative: Estimate,
}

/// A row for each contender, in their order. `popularity` and `collaborative` are compared with by name.
pub fn rows(contenders: &[Contender], users: &[TestUser<'_>], facts: &MovieFacts<'_>, seed: u64) -> Vec<Row> {
    let measure = |contender: &Contender| -> Vec<ListQuality> {
        contender.lists.iter().zip(users).map(|(list, user)| ListQuality::new(list, &user.relevant, facts)).collect()
    };
    let measured: Vec<Vec<ListQuality>> = contenders.iter().map(measure).collect();
    let find = |name: &str| contenders.iter().position(|contender| contender.name == name).map(|at| &measured[at]);
    let mean = |qualities: &Vec<ListQuality>| estimate(&column(qualities, |list| list.ndcg_10), seed).mean;
    let popularity = find("popularity").map(mean).filter(|mean| *mean > 0.0);
    let collaborative = find("collaborative");
    let row = |(contender, qualities): (&Contender, &Vec<ListQuality>)| {
        let of = |pick: fn(&ListQuality) -> f64| estimate(&column(qualities, pick), seed);
        let ndcg_10 = of(|list| list.ndcg_10);
        let differences: Vec<f64> = match collaborative {
            Some(other) => qualities.iter().zip(other).map(|(a, b)| a.ndcg_10 - b.ndcg_10).collect(),
            None => Vec::new(),
        };
        Row {
            name: contender.name.clone(),
            ndcg_10,
            recall_20: of(|list| list.recall_20),
            ndcg_100: of(|list| list.ndcg_100),
            map_10: of(|list| list.map_10),
            coverage: facts.coverage(&contender.lists),
            novelty: of(|list| list.novelty),
            diversity: of(|list| list.diversity),
            overlap: overlap(&contender.lists),
            by_popularity: popularity.map(|popularity| ndcg_10.mean / popularity),
            over_collaborative: estimate(&differences, seed),
        }
    };
    contenders.iter().zip(&measured).map(row).collect()
}

fn column(qualities: &[ListQuality], pick: impl Fn(&ListQuality) -> f64) -> Vec<f64> {
    qualities.iter().map(pick).collect()
}

/// The table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| lists by | NDCG@10 | x popularity | minus collaborative | Recall@20 | NDCG@100 | MAP@10 | coverage | novelty | diversity | overlap |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let times = row.by_popularity.map_or_else(|| "-".to_owned(), |times| format!("{times:.2}"));
        let Estimate { mean, low, high } = row.over_collaborative;
        let _ = writeln!(
            text,
            "| {} | {} | {times} | {mean:+.4} [{low:+.4}, {high:+.4}] | {} | {} | {} | {:.1} % | {} | {} | {:.3} |",
            row.name,
            interval(row.ndcg_10, 4),
            interval(row.recall_20, 4),
            interval(row.ndcg_100, 4),
            interval(row.map_10, 4),
            row.coverage * 100.0,
            interval(row.novelty, 2),
            interval(row.diversity, 3),
            row.overlap,
        );
    }
    text
}

fn interval(estimate: Estimate, decimals: usize) -> String {
    let Estimate { mean, low, high } = estimate;
    format!("{mean:.decimals$} [{low:.decimals$}, {high:.decimals$}]")
}
