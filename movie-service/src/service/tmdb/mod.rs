//! TMDB's API, version 3 (<https://developer.themoviedb.org/reference>): the three calls a sync needs.
//!
//! Every wait has a limit, every answer a largest size, and neither the key nor the token is part of any error or log
//! line: failures are told by kind, never by the text of a library that might print the address.

pub mod decode;
mod limiter;
mod retry;

use backon::{ExponentialBuilder, Retryable};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use secrecy::ExposeSecret;

use crate::{
    config::tmdb::{Credentials, TmdbConfig},
    models::{
        import::{GenreRecord, MoviePageRecord},
        sync::{Discover, TmdbGenres},
    },
};

use self::limiter::Limiter;

/// Largest answer in bytes; a real page has about 15,000.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Why TMDB did not deliver. The texts are shown to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TmdbError {
    /// 401: the key or token is wrong.
    #[error("TMDB refused the API key")]
    Unauthorized,
    /// 404: there is no such thing.
    #[error("TMDB answered 404")]
    NotFound,
    /// Any other status that is not 200.
    #[error("TMDB answered {0}")]
    Status(u16),
    /// No connection.
    #[error("TMDB cannot be reached")]
    Unreachable,
    /// No complete answer in time.
    #[error("TMDB did not answer in time")]
    TimedOut,
    /// The connection broke, or the answer ends too early.
    #[error("TMDB's answer was cut off")]
    CutOff,
    /// More than the largest size.
    #[error("TMDB's answer is too large")]
    TooLarge,
    /// Not JSON of the expected form, such as a page of HTML.
    #[error("TMDB's answer is not the JSON that was expected")]
    NotUnderstood,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("the TMDB client cannot be set up (is there a store of CA certificates?)")]
pub struct TmdbSetupError(#[source] reqwest::Error);

/// The client. Clones share connections and the request limit.
#[derive(Clone)]
pub struct Tmdb {
    http: Client,
    credentials: Credentials,
    base_url: String,
    limiter: std::sync::Arc<Limiter>,
    backoff: ExponentialBuilder,
}

impl Tmdb {
    /// A client, when there are credentials.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: &TmdbConfig) -> Result<Option<Self>, TmdbSetupError> {
        let Some(credentials) = config.credentials.clone() else { return Ok(None) };
        // Fails only when it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            // A redirect would carry the key to wherever it points.
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("movie-service/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| TmdbSetupError(error.without_url()))?;
        Ok(Some(Self {
            http,
            credentials,
            base_url: config.base_url.clone(),
            limiter: std::sync::Arc::new(Limiter::new(config.max_requests_per_second)),
            backoff: retry::backoff(config.max_retries),
        }))
    }

    /// `GET /genre/movie/list`.
    ///
    /// # Errors
    /// [`TmdbError`], after all retries.
    pub async fn genres(&self) -> Result<Vec<GenreRecord>, TmdbError> {
        self.get("/genre/movie/list", &[], decode::genres).await
    }

    /// `GET /discover/movie?sort_by=popularity.desc&page=N`, filtered.
    ///
    /// # Errors
    /// [`TmdbError`], after all retries.
    pub async fn discover(&self, list: &Discover, page: u32) -> Result<MoviePageRecord, TmdbError> {
        let mut parameters = vec![("sort_by", "popularity.desc".to_owned()), ("page", page.to_string())];
        parameters.extend(list.year.map(|year| ("primary_release_year", year.to_string())));
        parameters.extend(list.genres.as_ref().map(|genres| ("with_genres", genre_ids(genres))));
        parameters.extend(list.language.clone().map(|language| ("with_original_language", language)));
        self.get("/discover/movie", &parameters, decode::movies).await
    }

    /// `GET /movie/{tmdb_id}`: minutes, when TMDB knows them.
    ///
    /// # Errors
    /// [`TmdbError`], after all retries.
    pub async fn runtime(&self, tmdb_id: i32) -> Result<Option<i32>, TmdbError> {
        self.get(&format!("/movie/{tmdb_id}"), &[], decode::runtime).await
    }

    /// One call with its retries.
    async fn get<T>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
        decode: fn(&str) -> Result<T, TmdbError>,
    ) -> Result<T, TmdbError> {
        let call = || async { Ok(decode(&self.attempt(path, parameters).await?)?) };
        call.retry(self.backoff)
            .when(retry::is_transient)
            .adjust(retry::pause)
            .notify(|failure: &Failure, pause| {
                tracing::debug!(path, error = %failure.error, ?pause, "asking TMDB again");
                if failure.retry_after.is_some() {
                    // It is this client that is asked to wait, not this one call.
                    self.limiter.pause(pause);
                }
            })
            .await
            .map_err(|failure| failure.error)
    }

    /// One request and the whole of its answer.
    async fn attempt(&self, path: &str, parameters: &[(&str, String)]) -> Result<String, Failure> {
        let request = self.authorised(self.http.get(format!("{}{path}", self.base_url)).query(parameters));
        let slot = self.limiter.slot().await;
        let response = request.header(ACCEPT, "application/json").send().await.map_err(|error| kind_of(&error))?;
        // The request has arrived: the slot's second may begin.
        drop(slot);
        match response.status() {
            StatusCode::OK => Ok(read_body(response).await?),
            StatusCode::UNAUTHORIZED => Err(TmdbError::Unauthorized.into()),
            StatusCode::NOT_FOUND => Err(TmdbError::NotFound.into()),
            status => {
                let retry_after = response.headers().get(RETRY_AFTER).and_then(retry::parse_retry_after);
                Err(Failure { error: TmdbError::Status(status.as_u16()), retry_after })
            }
        }
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credentials {
            Credentials::ApiKey(key) => request.query(&[("api_key", key.expose_secret())]),
            Credentials::AccessToken(token) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
                    .expect("the settings allow printable ASCII only");
                value.set_sensitive(true);
                request.header(AUTHORIZATION, value)
            }
        }
    }
}

/// With TMDB's own separators: `,` for all, `|` for any.
fn genre_ids(genres: &TmdbGenres) -> String {
    let ids: Vec<String> = genres.ids.iter().map(i32::to_string).collect();
    ids.join(if genres.all { "," } else { "|" })
}

/// A failed attempt.
struct Failure {
    error: TmdbError,
    /// How long TMDB asks to be left alone.
    retry_after: Option<std::time::Duration>,
}

impl From<TmdbError> for Failure {
    fn from(error: TmdbError) -> Self {
        Self { error, retry_after: None }
    }
}

async fn read_body(mut response: Response) -> Result<String, TmdbError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| kind_of(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(TmdbError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    // Bytes that are not UTF-8 cost a character of one title, not the page.
    Ok(String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn kind_of(error: &reqwest::Error) -> TmdbError {
    if error.is_timeout() {
        TmdbError::TimedOut
    } else if error.is_connect() {
        TmdbError::Unreachable
    } else {
        TmdbError::CutOff
    }
}
