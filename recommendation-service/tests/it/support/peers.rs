//! Stand-ins for movie-service and user-preference-service, on one port.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{Days, Utc};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How a stand-in behaves.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerBehaviour {
    Ok,
    /// Takes the request and never answers.
    Hang,
    /// Answers after a while.
    Delay(Duration),
    /// Answers with this status.
    Status(u16),
    /// Answers 200 with this body.
    Body(String),
    /// Breaks off in the middle of the body.
    Truncate,
}

/// A catalogue as movie-service sends it.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pub version: String,
    pub movies: Vec<Value>,
}

/// A profile as user-preference-service sends it.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    pub genres: Vec<&'static str>,
    pub min_rating: f64,
    pub seen: Vec<i32>,
    /// As user-preference-service sends it.
    pub feedback: Vec<Value>,
    pub watchlist: Vec<i32>,
}

impl Profile {
    /// A user who just liked these movies.
    pub fn liking(movies: &[i32]) -> Self {
        let feedback =
            movies.iter().map(|id| json!({"movie_id": id, "kind": "like", "occurred_at": Utc::now().to_rfc3339()}));
        Self { feedback: feedback.collect(), seen: movies.to_vec(), ..Self::default() }
    }
}

struct Inner {
    catalogue: Catalogue,
    /// Those before it, of which changes are known.
    earlier: Vec<Catalogue>,
    catalogue_mode: PeerBehaviour,
    profiles: HashMap<i64, Profile>,
    profile_mode: PeerBehaviour,
    unchanged: usize,
    whole: usize,
    changes: usize,
    profile_calls: usize,
    profile_headers: HeaderMap,
    /// Grows with every change of a profile; `None` while the stand-in is an older release, without revisions.
    revision: Option<u64>,
    revisions: HashMap<i64, u64>,
    revision_calls: usize,
    feed: Vec<Value>,
    feed_mode: PeerBehaviour,
}

/// Both stand-ins.
#[derive(Clone)]
pub struct Peers {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

const GENRES: [&str; 4] = ["War", "Drama", "Action", "Comedy"];

/// A date some days before today, as text.
pub fn days_ago(days: u64) -> String {
    (Utc::now().date_naive() - Days::new(days)).to_string()
}

impl Catalogue {
    /// A movie with these fields changed; genres are 0 War, 1 Drama, 2 Action, 3 Comedy.
    pub fn movie(id: i32, fields: Value) -> Value {
        let mut movie = json!({
            "id": id, "title": format!("Movie {id}"), "release_date": "1999-03-31", "popularity": 1.0,
            "poster_path": format!("/{id}.jpg"), "vote_average": 7.5, "vote_count": 10, "genre_ids": []
        });
        for (name, value) in fields.as_object().expect("fields") {
            movie[name] = value.clone();
        }
        movie
    }

    pub fn of(version: &str, movies: Vec<Value>) -> Self {
        Self { version: version.into(), movies }
    }

    /// Four old movies: 1 War, 2 Drama and Action, 3 Drama, 4 nothing; ever less popular.
    pub fn small() -> Self {
        let fields = [
            json!({"popularity": 100.0, "genre_ids": [0]}),
            json!({"popularity": 50.0, "genre_ids": [1, 2], "vote_average": 6.0}),
            json!({"popularity": 25.0, "genre_ids": [1], "vote_average": 8.5}),
            json!({"popularity": null, "release_date": "", "poster_path": "", "vote_average": null, "vote_count": 0}),
        ];
        Self::of("1-1", (1..).zip(fields).map(|(id, fields)| Self::movie(id, fields)).collect())
    }

    fn lines(&self) -> String {
        let mut text = json!({"catalogue_version": self.version, "genres": Self::genres()}).to_string() + "\n";
        for movie in &self.movies {
            text += &format!("{movie}\n");
        }
        text + &json!({"end": true, "movies": self.movies.len()}).to_string() + "\n"
    }

    /// What turns `base` into this one.
    pub fn changes_since(&self, base: &Self) -> String {
        let first = json!({"catalogue_version": self.version, "genres": Self::genres(), "since": base.version});
        let changed: Vec<&Value> = self.movies.iter().filter(|movie| !base.movies.contains(movie)).collect();
        let is_here = |id: &Value| self.movies.iter().any(|movie| movie["id"] == *id);
        let deleted: Vec<&Value> = base.movies.iter().map(|movie| &movie["id"]).filter(|id| !is_here(id)).collect();
        let end = json!({"end": true, "movies": changed.len(), "deleted": deleted.len(), "total": self.movies.len()});
        let changed: String = changed.iter().map(|movie| format!("{movie}\n")).collect();
        format!("{first}\n{changed}{}\n{end}\n", json!({"deleted": deleted}))
    }

    fn genres() -> Vec<Value> {
        GENRES.iter().enumerate().map(|(id, name)| json!({"id": id, "name": name})).collect()
    }
}

impl Peers {
    /// Stand-ins with this catalogue and user 1, who prefers nothing and has seen nothing.
    pub async fn start(catalogue: Catalogue) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let inner = Inner {
            catalogue,
            earlier: Vec::new(),
            catalogue_mode: PeerBehaviour::Ok,
            profiles: HashMap::from([(1, Profile::default())]),
            profile_mode: PeerBehaviour::Ok,
            unchanged: 0,
            whole: 0,
            changes: 0,
            profile_calls: 0,
            profile_headers: HeaderMap::new(),
            revision: Some(0),
            revisions: HashMap::new(),
            revision_calls: 0,
            feed: Vec::new(),
            feed_mode: PeerBehaviour::Ok,
        };
        let this = Self { address, inner: Arc::new(Mutex::new(inner)) };
        let app = Router::new()
            .route("/internal/v1/catalogue", get(catalogue_route))
            .route("/internal/v1/users/{id}/profile", get(profile_route))
            .route("/internal/v1/revisions", post(revisions_route))
            .route("/internal/v1/feedback", get(feed_route))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        this
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set_catalogue(&self, catalogue: Catalogue) {
        self.inner.lock().unwrap().catalogue = catalogue;
    }

    /// The next state of the same catalogue: a copy of the one before gets only what changed.
    pub fn change_catalogue(&self, catalogue: Catalogue) {
        let mut inner = self.inner.lock().unwrap();
        let before = std::mem::replace(&mut inner.catalogue, catalogue);
        inner.earlier.push(before);
    }

    pub fn set_profile(&self, user: i64, profile: Profile) {
        let mut inner = self.inner.lock().unwrap();
        inner.profiles.insert(user, profile);
        if let Some(revision) = &mut inner.revision {
            *revision += 1;
            let revision = *revision;
            inner.revisions.insert(user, revision);
        }
    }

    pub fn remove_user(&self, user: i64) {
        self.inner.lock().unwrap().profiles.remove(&user);
    }

    /// Makes the stand-in an older release of user-preference-service, without revisions.
    pub fn without_revisions(&self) {
        self.inner.lock().unwrap().revision = None;
    }

    /// How many times revisions were asked for.
    pub fn revision_calls(&self) -> usize {
        self.inner.lock().unwrap().revision_calls
    }

    /// What users did, oldest first, as user-preference-service sends it; what was sent before stays at its place.
    pub fn set_feed(&self, feed: Vec<Value>) {
        self.inner.lock().unwrap().feed = feed;
    }

    pub fn feed(&self, mode: PeerBehaviour) {
        self.inner.lock().unwrap().feed_mode = mode;
    }

    pub fn movie_service(&self, mode: PeerBehaviour) {
        self.inner.lock().unwrap().catalogue_mode = mode;
    }

    pub fn user_service(&self, mode: PeerBehaviour) {
        self.inner.lock().unwrap().profile_mode = mode;
    }

    /// How many times the catalogue was asked for and had not changed.
    pub fn unchanged(&self) -> usize {
        self.inner.lock().unwrap().unchanged
    }

    /// How many times the catalogue was asked for and sent, whole and as changes.
    pub fn sent(&self) -> (usize, usize) {
        let inner = self.inner.lock().unwrap();
        (inner.whole, inner.changes)
    }

    /// The headers of the last request for a profile.
    pub fn profile_headers(&self) -> HeaderMap {
        self.inner.lock().unwrap().profile_headers.clone()
    }

    /// How many times a profile was asked for.
    pub fn profile_calls(&self) -> usize {
        self.inner.lock().unwrap().profile_calls
    }
}

async fn catalogue_route(State(peers): State<Peers>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let (mode, tag, lines) = {
        let mut inner = peers.inner.lock().unwrap();
        let tag = format!("\"{}\"", inner.catalogue.version);
        if inner.catalogue_mode == PeerBehaviour::Ok
            && headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == *tag)
        {
            inner.unchanged += 1;
            return StatusCode::NOT_MODIFIED.into_response();
        }
        let since = query.as_deref().and_then(|query| query.strip_prefix("since="));
        let base = since.and_then(|since| inner.earlier.iter().find(|base| base.version == since));
        let changes = base.map(|base| inner.catalogue.changes_since(base));
        *(if changes.is_some() { &mut inner.changes } else { &mut inner.whole }) += 1;
        (inner.catalogue_mode.clone(), tag, changes.unwrap_or_else(|| inner.catalogue.lines()))
    };
    respond(mode, &tag, "application/x-ndjson", lines).await
}

async fn profile_route(State(peers): State<Peers>, Path(user): Path<i64>, headers: HeaderMap) -> Response {
    let (mode, profile, revision) = {
        let mut inner = peers.inner.lock().unwrap();
        inner.profile_calls += 1;
        inner.profile_headers = headers;
        let revision = inner.revision.map(|_| inner.revisions.get(&user).copied().unwrap_or(0));
        (inner.profile_mode.clone(), inner.profiles.get(&user).cloned(), revision)
    };
    let Some(profile) = profile else { return StatusCode::NOT_FOUND.into_response() };
    let mut body = json!({
        "user_id": user, "preferred_genres": profile.genres, "preferred_language": "en",
        "min_rating": profile.min_rating, "seen_movie_ids": profile.seen,
        "feedback": profile.feedback, "watchlist": profile.watchlist
    });
    if let Some(revision) = revision {
        body["revision"] = format!("1-{revision}").into();
    }
    respond(mode, "", "application/json", body.to_string()).await
}

async fn revisions_route(State(peers): State<Peers>, Json(body): Json<Value>) -> Response {
    let (mode, revisions) = {
        let mut inner = peers.inner.lock().unwrap();
        if inner.revision.is_none() {
            return StatusCode::NOT_FOUND.into_response();
        }
        inner.revision_calls += 1;
        let asked = body["users"].as_array().expect("users").iter().filter_map(Value::as_i64);
        let revision = |user: i64| (user.to_string(), json!(format!("1-{}", inner.revisions.get(&user).unwrap_or(&0))));
        let known = asked.filter(|user| inner.profiles.contains_key(user)).map(revision);
        (inner.profile_mode.clone(), known.collect::<serde_json::Map<_, _>>())
    };
    // Bodies and their ends are those of profiles.
    let mode = match mode {
        PeerBehaviour::Body(_) | PeerBehaviour::Truncate => PeerBehaviour::Ok,
        other => other,
    };
    respond(mode, "", "application/json", json!({"revisions": revisions}).to_string()).await
}

/// The cursor is how many entries were sent.
async fn feed_route(State(peers): State<Peers>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let query: HashMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let (mode, feed) = {
        let inner = peers.inner.lock().unwrap();
        (inner.feed_mode.clone(), inner.feed.clone())
    };
    let number = |name: &str| query.get(name).map(|value| value.parse::<usize>().expect("a number"));
    let (after, limit) = (number("after").unwrap_or(0), number("limit").expect("a limit"));
    let sent: Vec<&Value> = feed.iter().skip(after).take(limit).collect();
    let lines: String = sent.iter().map(|entry| format!("{entry}\n")).collect();
    let last = json!({"end": true, "rows": sent.len(), "next": (after + sent.len()).to_string()});
    let body = format!("{}\n{lines}{last}\n", json!({"epoch": "e1"}));
    respond(mode, "", "application/x-ndjson", body).await
}

async fn respond(mode: PeerBehaviour, tag: &str, content_type: &str, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type.to_owned()), (header::ETAG, tag.to_owned())];
    match mode {
        PeerBehaviour::Ok => (headers, body).into_response(),
        PeerBehaviour::Hang => std::future::pending().await,
        PeerBehaviour::Delay(pause) => {
            tokio::time::sleep(pause).await;
            (headers, body).into_response()
        }
        PeerBehaviour::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        PeerBehaviour::Body(text) => (headers, text).into_response(),
        PeerBehaviour::Truncate => {
            let half = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
            let pieces = [Ok(half), Err(std::io::Error::other("broken off"))];
            (headers, Body::from_stream(stream::iter(pieces))).into_response()
        }
    }
}
