//! Trains the collaborative model: reads feedback by increments, trains when enough has changed or when asked to, and
//! stores what comes of it. Of several replicas, the one with the lease does it.

pub mod feedback_log;
pub mod settings;
mod worker;

use std::{sync::Arc, time::Duration};

use chrono::Datelike;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use self::{feedback_log::FeedbackLog, settings::ModelsConfig, worker::TagsOf};
use super::{
    ServiceError,
    catalogue::CatalogueStore,
    list_events::ListEvents,
    model::{ItemModel, codec, control::TrainingControl, memory, training::TrainingSettings},
    stored_models::StoredModels,
};
use crate::{
    config::Config,
    database::postgres::{Database, DatabaseError},
    lifecycle::Lifecycle,
    models::{catalogue::Catalogue, feedback::FeedbackSettings, training_job::TrainingJob},
    peers::{
        PeerError,
        feedback_feed::{FeedPosition, FeedbackFeed},
    },
    repository,
};

/// The lease of whoever trains.
const LEASE: &str = "model-training";
/// How long the lease is held without being extended; a replica that was killed is replaced after that.
const LEASE_DURATION: Duration = Duration::from_secs(30);
/// Pause between two looks for trainings that were asked for, and between two notes of progress.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// A training begins by itself when one in so many pairs of user and movie has changed.
const CHANGED_ONE_IN: usize = 20;
/// After a training that failed or was interrupted, the next one begins by itself after that; one that is asked for, at once.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(3_600);
/// Entries of the feed between two extensions of the lease.
const ENTRIES_PER_LEASE: usize = 1_000;
/// Eras are decades.
const YEARS_PER_ERA: i32 = 10;

/// Trains, and says how that goes. Clones share everything.
#[derive(Clone)]
pub struct Trainer(Arc<Inner>);

struct Inner {
    database: Database,
    feed: FeedbackFeed,
    catalogue: CatalogueStore,
    stored: StoredModels,
    list_events: ListEvents,
    config: ModelsConfig,
    feedback: FeedbackSettings,
    lifecycle: Lifecycle,
    /// Who this replica is among those that want the lease.
    holder: String,
    requested: Notify,
}

/// Why a training has not given a model.
#[derive(Debug, thiserror::Error)]
enum TrainError {
    #[error("user-preference-service gave no feedback: {0}")]
    Feed(#[from] PeerError),
    #[error("the database is unavailable")]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Training(#[from] super::model::training::TrainingError),
    #[error("the plays that feedback tells of could not be stored")]
    Plays(#[source] ServiceError),
    #[error("no thread to train on")]
    Thread(#[from] std::io::Error),
    #[error("the training has panicked")]
    Panicked,
    #[error("another replica has taken over")]
    LeaseLost,
    #[error("the service is stopping")]
    Stopping,
}

/// What the replica that trains keeps between two looks.
struct Reading {
    log: FeedbackLog,
    position: Option<FeedPosition>,
    next_look: Instant,
}

impl Trainer {
    /// Puts the parts together; nothing runs before [`Self::run`].
    pub fn new(
        database: Database,
        feed: FeedbackFeed,
        catalogue: CatalogueStore,
        stored: StoredModels,
        list_events: ListEvents,
        config: &Config,
        lifecycle: Lifecycle,
    ) -> Self {
        let (holder, requested) = (format!("{:032x}", rand::random::<u128>()), Notify::new());
        Self(Arc::new(Inner {
            database,
            feed,
            catalogue,
            stored,
            list_events,
            config: config.models.clone(),
            feedback: config.feedback,
            lifecycle,
            holder,
            requested,
        }))
    }

    /// Asks for a training: the job that waits or runs already, or a new one.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn request(&self) -> Result<TrainingJob, ServiceError> {
        let database = self.0.database.clone();
        let work = async move { repository::training_jobs::request(&database).await };
        let job = self.0.lifecycle.run_to_completion(work).await?;
        self.0.requested.notify_one();
        Ok(job)
    }

    /// A job.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn job(&self, id: i64) -> Result<Option<TrainingJob>, ServiceError> {
        Ok(repository::training_jobs::find(&self.0.database, id).await?)
    }

    /// The newest job.
    ///
    /// # Errors
    /// [`ServiceError::Database`].
    pub async fn newest_job(&self) -> Result<Option<TrainingJob>, ServiceError> {
        Ok(repository::training_jobs::newest(&self.0.database).await?)
    }

    /// Looks for work until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let inner = &*self.0;
        let mut reading = inner.nothing_read();
        while !stop.is_cancelled() {
            // What failed was logged where it failed, and is tried again.
            let _ = inner.run_once(&mut reading, &stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(POLL_INTERVAL) => {}
                () = inner.requested.notified() => {}
            }
        }
        let _ = repository::leases::release(&inner.database, LEASE, &inner.holder).await;
    }
}

impl Inner {
    fn nothing_read(&self) -> Reading {
        Reading {
            log: FeedbackLog::new(self.config.max_feedback, self.feedback),
            position: None,
            next_look: Instant::now() + self.config.interval,
        }
    }

    async fn run_once(&self, reading: &mut Reading, stop: &CancellationToken) -> Result<(), TrainError> {
        let requested = repository::training_jobs::is_requested(&self.database).await?;
        if !requested && Instant::now() < reading.next_look {
            return Ok(());
        }
        reading.next_look = Instant::now() + self.config.interval;
        if !self.hold_lease().await? {
            // Another replica trains: what was read here is of no use any more.
            *reading = Reading { next_look: reading.next_look, ..self.nothing_read() };
            return Ok(());
        }
        if repository::training_jobs::fail_interrupted(&self.database).await? > 0 {
            tracing::warn!("a training was interrupted when its replica ended");
            // Perhaps it was killed for the memory that it took, and the next one would be.
            reading.next_look = Instant::now() + PAUSE_AFTER_FAILURE;
            return Ok(());
        }
        let read = self.read_feed(reading, stop).await;
        if !requested && (read.is_err() || !self.is_due(&reading.log)) {
            return read.inspect_err(|error| tracing::debug!(%error, "no feedback to train on"));
        }
        let Some(job) = repository::training_jobs::start(&self.database).await? else { return Ok(()) };
        let result = match read {
            Ok(()) => self.train(job, &reading.log, stop).await,
            Err(error) => Err(error),
        };
        match &result {
            Ok(version) => {
                reading.log.mark_trained(0);
                tracing::info!(job, version, "a collaborative model was trained");
            }
            Err(error) => {
                reading.next_look = Instant::now() + PAUSE_AFTER_FAILURE;
                tracing::warn!(job, %error, "the training failed; the model before it stays");
            }
        }
        // First into use: who sees that the training has ended, sees its model. What fails here is tried again soon.
        let _ = self.stored.refresh().await;
        let outcome = result.map_err(|error| error.to_string());
        let outcome = outcome.as_deref().map_err(String::as_str);
        Ok(repository::training_jobs::finish(&self.database, job, outcome).await?)
    }

    async fn hold_lease(&self) -> Result<bool, DatabaseError> {
        repository::leases::acquire(&self.database, LEASE, &self.holder, LEASE_DURATION).await
    }

    /// Reads what has come since the last time; everything, if that was in another epoch.
    async fn read_feed(&self, reading: &mut Reading, stop: &CancellationToken) -> Result<(), TrainError> {
        let is_first = reading.position.is_none();
        loop {
            let increment = self.feed.read(reading.position.as_ref()).await?;
            if reading.position.as_ref().is_some_and(|position| position.epoch != increment.next.epoch) {
                tracing::info!("the feedback has another epoch: reading all of it");
                *reading = Reading { next_look: reading.next_look, ..self.nothing_read() };
                continue;
            }
            for entries in increment.entries.chunks(ENTRIES_PER_LEASE) {
                if stop.is_cancelled() {
                    return Err(TrainError::Stopping);
                }
                if !self.hold_lease().await? {
                    return Err(TrainError::LeaseLost);
                }
                self.list_events.store_plays(entries).await.map_err(TrainError::Plays)?;
                entries.iter().for_each(|entry| reading.log.apply(entry));
            }
            reading.position = Some(increment.next);
            if !increment.is_full {
                break;
            }
        }
        if is_first && let Some(model) = self.stored.in_use() {
            // After a restart everything is new to this replica, and not to the model.
            reading.log.mark_trained(reading.log.len().abs_diff(model.info().feedback));
        }
        Ok(())
    }

    fn is_due(&self, log: &FeedbackLog) -> bool {
        log.changes() >= self.config.train_after_changes && log.changes() >= log.len() / CHANGED_ONE_IN
    }

    /// Trains and stores; gives the version.
    async fn train(&self, job: i64, log: &FeedbackLog, stop: &CancellationToken) -> Result<String, TrainError> {
        // A part stays for requests.
        let max_bytes = memory::available().map(|bytes| bytes / 10 * 9);
        let settings = TrainingSettings { max_movies: self.config.max_items, max_bytes, ..TrainingSettings::default() };
        let control = TrainingControl::default();
        let mut model = worker::spawn(log.opinions(), tags_of(self.catalogue.current()), settings, control.clone())?;
        let trained = loop {
            tokio::select! {
                result = &mut model => break result.map_err(|_| TrainError::Panicked)??,
                () = stop.cancelled() => {
                    control.cancel();
                    return Err(TrainError::Stopping);
                }
                () = sleep(POLL_INTERVAL) => self.note_progress(job, &control).await?,
            }
        };
        self.store(trained, log.len()).await
    }

    /// While PostgreSQL is away for a moment the training goes on; the lease tells whether it still may.
    async fn note_progress(&self, job: i64, control: &TrainingControl) -> Result<(), TrainError> {
        let percent = i32::try_from(control.percent().min(99)).unwrap_or(99);
        let _ = repository::training_jobs::progress(&self.database, job, percent).await;
        if let Ok(false) = self.hold_lease().await {
            control.cancel();
            return Err(TrainError::LeaseLost);
        }
        Ok(())
    }

    async fn store(&self, model: ItemModel, feedback: usize) -> Result<String, TrainError> {
        if !self.hold_lease().await? {
            return Err(TrainError::LeaseLost);
        }
        let model = model.with_feedback(feedback);
        let info = serde_json::to_string(model.info()).expect("plain numbers and texts");
        let (version, trained_at) = (model.info().version.clone(), model.info().trained_at);
        let content =
            tokio::task::spawn_blocking(move || codec::encode(&model)).await.map_err(|_| TrainError::Panicked)?;
        repository::models::store(&self.database, &version, &info, trained_at, &content).await?;
        Ok(version)
    }
}

/// Genres and decade of each movie of the catalogue, as numbers.
fn tags_of(catalogue: Option<Arc<Catalogue>>) -> TagsOf {
    Box::new(move |movie| {
        let Some(catalogue) = &catalogue else { return Vec::new() };
        let Some(index) = catalogue.index_of(movie) else { return Vec::new() };
        let set = &catalogue.genre_sets()[catalogue.genre_set_of()[index] as usize];
        let eras_start = catalogue.genre_names().len() as u32;
        let era = catalogue.release_date(index).map(|date| eras_start + (date.year() / YEARS_PER_ERA).max(0) as u32);
        set.iter().map(|genre| u32::from(*genre)).chain(era).collect()
    })
}
