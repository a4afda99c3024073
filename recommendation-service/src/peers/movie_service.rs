//! The catalogue of movie-service, read as a stream.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Response, StatusCode, header};
use tokio::{task::spawn_blocking, time::timeout};

use super::{MOVIE_SERVICE, PeerError, PeersConfig, catalogue_reader::CatalogueReader, send};
use crate::models::catalogue::Catalogue;

/// Longest pause between two chunks of the catalogue.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for the whole catalogue, enough for a million movies.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(120);

/// What came of asking for the catalogue.
#[derive(Debug)]
pub enum CatalogueResponse {
    /// The copy that the tag belongs to is still right.
    NotModified,
    /// A whole new copy, and its tag if it has one.
    Modified(Arc<Catalogue>, Option<String>),
}

/// The movie-service.
#[derive(Debug)]
pub struct MovieService {
    client: Client,
    url: String,
    timeout: Duration,
}

impl MovieService {
    /// Nothing is sent before the first request.
    pub fn new(client: Client, config: &PeersConfig) -> Self {
        let url = format!("{}/internal/v1/catalogue", config.movie_service_url);
        Self { client, url, timeout: config.timeout }
    }

    /// Asks for the catalogue, if it differs from the one that `tag` belongs to. With `base`, an older copy, only what has
    /// changed since may be sent.
    ///
    /// # Errors
    /// [`PeerError`] when it did not arrive whole; the part that did is dropped.
    pub async fn catalogue(
        &self,
        tag: Option<&str>,
        base: Option<Arc<Catalogue>>,
    ) -> Result<CatalogueResponse, PeerError> {
        timeout(TOTAL_TIMEOUT, self.fetch(tag, base)).await.unwrap_or(Err(PeerError::TimedOut))
    }

    async fn fetch(&self, tag: Option<&str>, base: Option<Arc<Catalogue>>) -> Result<CatalogueResponse, PeerError> {
        let mut request = self.client.get(&self.url);
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        if let Some(base) = &base {
            request = request.query(&[("since", base.version())]);
        }
        let response = timeout(self.timeout, send(MOVIE_SERVICE, request)).await.map_err(|_| PeerError::TimedOut)??;
        match response.status() {
            StatusCode::OK => read(response, CatalogueReader::new(base)).await,
            StatusCode::NOT_MODIFIED if tag.is_some() => Ok(CatalogueResponse::NotModified),
            status => Err(PeerError::Status(status.as_u16())),
        }
    }
}

async fn read(mut response: Response, mut reader: CatalogueReader) -> Result<CatalogueResponse, PeerError> {
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    while let Some(chunk) = timeout(STALL_TIMEOUT, response.chunk()).await.map_err(|_| PeerError::TimedOut)?? {
        reader.feed(&chunk)?;
    }
    // Putting a large one in order takes longer than a thread that serves connections should be kept.
    match spawn_blocking(move || reader.finish()).await {
        Ok(catalogue) => Ok(CatalogueResponse::Modified(Arc::new(catalogue?), tag)),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
