//! The command `evaluate`: how good the lists are, measured offline on ratings that were held out.
//!
//! Every list comes from the pipeline that the service uses, and ranks the whole catalogue. The same arguments give the
//! same output, to the last digit.

pub mod arguments;
pub mod contenders;
pub mod dataset;
pub mod from_service;
pub mod knowledge;
pub mod lists;
pub mod metrics;
pub mod movielens;
pub mod plot;
pub mod report;
pub mod split;
pub mod tune;

use std::{collections::HashMap, fs, io, path::Path};

use self::{
    arguments::{Arguments, Source},
    contenders::Bench,
    dataset::Dataset,
    knowledge::Knowledge,
    metrics::MovieFacts,
    report::{Contender, Row},
    split::{Split, TestUser},
    tune::Tuned,
};
use crate::{
    models::catalogue_builder::BuildError,
    peers::{PeerError, PeersConfig},
    service::model::training::TrainingSettings,
};

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The files of the data set.
    #[error(transparent)]
    Read(#[from] movielens::ReadError),
    /// The services that hold the data.
    #[error("the feedback or the movies could not be read")]
    Peers(#[from] PeerError),
    /// Their addresses.
    #[error("MOVIE_SERVICE_URL or USER_PREFERENCE_SERVICE_URL cannot be used")]
    Client(#[source] reqwest::Error),
    /// Lists of others.
    #[error(transparent)]
    Lists(#[from] lists::ListError),
    /// More than a catalogue holds.
    #[error("the movies do not fit into a catalogue")]
    Catalogue(#[from] BuildError),
    /// Nobody to make lists for.
    #[error("no user has five likes to learn from and one that is held out")]
    NoUsers,
    /// The plot.
    #[error(transparent)]
    Plot(#[from] plot::PlotError),
    /// The output.
    #[error("the output cannot be written")]
    Output(#[source] io::Error),
}

/// Measures, and gives the text to print.
///
/// # Errors
/// [`EvaluationError`].
pub fn run(arguments: &Arguments, dataset: &Dataset) -> Result<String, EvaluationError> {
    let split = Split::new(&dataset.ratings, arguments.split, arguments.seed);
    if let Some(directory) = &arguments.export {
        lists::export(&split, directory)?;
        return Ok(format!("written to {}\n", directory.display()));
    }
    let mut settings = settings(arguments);
    let tuned = if arguments.tune { Some(tuned(arguments, dataset, &split, &settings)?) } else { None };
    if let Some(tuned) = &tuned {
        settings = tuned.training.clone();
    }
    let users = split.test_users();
    if users.is_empty() {
        return Err(EvaluationError::NoUsers);
    }
    let knowledge = Knowledge::new(dataset, &split, &settings)?;
    let facts = facts(dataset, &split);
    let mut bench = Bench::new(&knowledge, dataset, &users);
    let mut weights = contenders::all_rules();
    let mut text = heading(arguments, dataset, &split, &users, &knowledge);
    if let Some(tuned) = tuned {
        (weights, bench.feedback) = (tuned.weights, tuned.feedback);
        text.push_str(&format!("{tuned}\n"));
    }
    let mut contenders = bench.contenders(&weights, arguments.seed);
    contenders.extend(others(arguments, &users)?);
    let rows = report::rows(&contenders, &users, &facts, arguments.seed);
    text.push('\n');
    text.push_str(&report::table(&rows));
    if let Some(directory) = &arguments.output {
        write(arguments, directory, &text, &rows)?;
    }
    Ok(text)
}

/// The data set that the arguments name.
///
/// # Errors
/// [`EvaluationError`] when it could not be read.
pub async fn read(arguments: &Arguments, peers: &PeersConfig) -> Result<Dataset, EvaluationError> {
    match &arguments.source {
        Source::Files { ratings, movies } => Ok(movielens::read(ratings, movies)?),
        Source::Service => {
            let client = peers.client().map_err(EvaluationError::Client)?;
            Ok(from_service::read(client, peers).await?)
        }
    }
}

fn settings(arguments: &Arguments) -> TrainingSettings {
    let defaults = TrainingSettings::default();
    TrainingSettings { ridges: arguments.ridge.map_or(defaults.ridges, |ridge| vec![ridge]), ..defaults }
}

/// Settings chosen on the training part alone.
fn tuned(
    arguments: &Arguments,
    dataset: &Dataset,
    split: &Split,
    settings: &TrainingSettings,
) -> Result<Tuned, EvaluationError> {
    let validation = split.validation(arguments.split, arguments.seed);
    if validation.test_users().is_empty() {
        return Err(EvaluationError::NoUsers);
    }
    Ok(tune::tune(dataset, &validation, settings)?)
}

fn facts<'a>(dataset: &'a Dataset, split: &Split) -> MovieFacts<'a> {
    let mut raters: HashMap<i32, usize> = HashMap::new();
    for rating in &split.training {
        *raters.entry(rating.movie).or_default() += 1;
    }
    let users = split.training.chunk_by(|a, b| a.user == b.user).count();
    MovieFacts { count: dataset.movies.len(), raters, users, genres: movielens::genres(dataset) }
}

/// Lists that other programs made. A user without one gets an empty list.
fn others(arguments: &Arguments, users: &[TestUser<'_>]) -> Result<Vec<Contender>, EvaluationError> {
    let contender = |(name, file): &(String, std::path::PathBuf)| {
        let mut by_user = lists::read(file)?;
        let lists = users.iter().map(|user| by_user.remove(&user.id).unwrap_or_default()).collect();
        Ok(Contender { name: name.clone(), lists })
    };
    arguments.lists.iter().map(contender).collect()
}

fn heading(
    arguments: &Arguments,
    dataset: &Dataset,
    split: &Split,
    users: &[TestUser<'_>],
    knowledge: &Knowledge,
) -> String {
    let model = knowledge.model.as_ref().map_or_else(
        || "no collaborative model".to_owned(),
        |model| {
            format!(
                "collaborative model of {} movies, ridge {}",
                model.model().movie_ids().len(),
                model.model().info().ridge
            )
        },
    );
    format!(
        "{} ratings of {} movies by {} users; split {}, seed {}: {} to learn from, {} held out; lists for {} users; {model}\n",
        dataset.ratings.len(),
        dataset.movies.len(),
        dataset.users(),
        arguments.split,
        arguments.seed,
        split.training.len(),
        split.held_out.len(),
        users.len(),
    )
}

fn write(arguments: &Arguments, directory: &Path, text: &str, rows: &[Row]) -> Result<(), EvaluationError> {
    let name = |extension: &str| directory.join(format!("quality-{}.{extension}", arguments.split));
    let picture = plot::svg(&format!("Quality, split {}", arguments.split), rows)?;
    let write_all = || -> io::Result<()> {
        fs::create_dir_all(directory)?;
        fs::write(name("md"), text)?;
        fs::write(name("svg"), picture)
    };
    write_all().map_err(EvaluationError::Output)
}

#[cfg(test)]
mod tests;
