//! The recorded lists, `user_recommendation_snapshots`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use recommendation_service::{
    lifecycle::deadline,
    models::{
        recorded_list::{RecordedItem, RecordedList},
        snapshot::Snapshot,
    },
    repository::snapshots::store,
};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::{
    list_history::recorded,
    support::{Catalogue, Peers, Profile, TestApp, database, eventually},
};

/// Long, since tests share a machine with each other.
const TIMEOUT: Duration = Duration::from_secs(20);

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

fn snapshot(user: i64, second: i64, movies: &[(i32, f64)]) -> Snapshot {
    let generated_at: DateTime<Utc> = DateTime::from_timestamp(second, 0).unwrap();
    Snapshot { user: user.to_string().parse().unwrap(), generated_at, movies: movies.to_vec() }
}

/// The list that a snapshot is made of.
fn list_of(snapshot: &Snapshot) -> RecordedList {
    let user = snapshot.user.get();
    let item =
        |(movie_id, score): &(i32, f64)| RecordedItem { movie_id: *movie_id, score: *score, contributions: Vec::new() };
    let items = snapshot.movies.iter().map(item).collect();
    RecordedList { items, ..recorded(user, user, snapshot.generated_at) }
}

async fn rows(pool: &PgPool) -> Vec<(i64, i32, f64, i64)> {
    sqlx::query_as(
        "SELECT user_id, movie_id, score, EXTRACT(EPOCH FROM generated_at)::bigint
           FROM user_recommendation_snapshots ORDER BY 1, 2",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn exactly_the_newest_list_of_a_user_is_recorded(pool: PgPool) {
    let app = app(pool).await;
    for seen in [vec![], vec![1], vec![2, 3], vec![1, 2, 3, 4], vec![]] {
        app.peers.set_profile(1, Profile { seen, ..Profile::default() });
        let response = app.recommend(1).await.json();
        let mut listed: Vec<(i32, f64)> = response["recommendations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|movie| (movie["id"].as_i64().unwrap() as i32, movie["score"].as_f64().unwrap()))
            .collect();
        listed.sort_by_key(|(id, _)| *id);
        eventually("the snapshot", async || app.snapshot(1).await == listed).await;
        let times: Vec<DateTime<Utc>> = sqlx::query_scalar("SELECT generated_at FROM user_recommendation_snapshots")
            .fetch_all(&app.pool)
            .await
            .unwrap();
        let generated_at: DateTime<Utc> = response["generated_at"].as_str().unwrap().parse().unwrap();
        assert!(times.iter().all(|time| *time == generated_at), "{times:?} {generated_at}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_cached_answer_is_not_recorded_again(pool: PgPool) {
    let app = app(pool).await;
    app.recommend(1).await;
    eventually("the snapshot", async || app.snapshot(1).await.len() == 4).await;
    sqlx::query("DELETE FROM user_recommendation_snapshots").execute(&app.pool).await.unwrap();
    app.recommend(1).await;
    assert!(app.app.lists.flushed().await);
    assert!(app.snapshot(1).await.is_empty());
}

#[sqlx::test(migrations = "./migrations")]
async fn an_older_list_never_overwrites_a_newer_one(pool: PgPool) {
    let database = database(&pool, TIMEOUT);
    store(&database, &[snapshot(1, 20, &[(1, 0.5), (2, 0.4)])]).await.unwrap();
    store(&database, &[snapshot(1, 10, &[(2, 0.9), (3, 0.8)]), snapshot(2, 10, &[(1, 0.1)])]).await.unwrap();
    assert_eq!(rows(&pool).await, [(1, 1, 0.5, 20), (1, 2, 0.4, 20), (2, 1, 0.1, 10)]);
    database.close(tokio::time::Instant::now()).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn lists_of_many_users_are_stored_together_and_others_left_alone(pool: PgPool) {
    let database = database(&pool, TIMEOUT);
    store(
        &database,
        &[snapshot(1, 1, &[(1, 0.1), (2, 0.2)]), snapshot(2, 1, &[(7, 0.7)]), snapshot(3, 1, &[(9, 0.9)])],
    )
    .await
    .unwrap();
    store(&database, &[snapshot(2, 2, &[(8, 0.8)]), snapshot(1, 2, &[(2, 0.3), (3, 0.4)])]).await.unwrap();
    assert_eq!(rows(&pool).await, [(1, 2, 0.3, 2), (1, 3, 0.4, 2), (2, 8, 0.8, 2), (3, 9, 0.9, 1)]);
    store(&database, &[snapshot(1, 3, &[])]).await.unwrap();
    assert_eq!(rows(&pool).await, [(2, 8, 0.8, 2), (3, 9, 0.9, 1)]);
    database.close(tokio::time::Instant::now()).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn queued_lists_are_written_at_shutdown(pool: PgPool) {
    let app = app(pool).await;
    for user in 1..=300 {
        app.app.lists.push(list_of(&snapshot(user, 1, &[(1, 0.5), (2, 0.4)])));
    }
    app.app.lifecycle.stop();
    app.app.lists.push(list_of(&snapshot(301, 1, &[(1, 0.5)])));
    app.app.lists.close();
    assert!(app.app.lifecycle.drain(deadline(Duration::from_secs(10))).await);
    assert_eq!(rows(&app.pool).await.len(), 601);
}

/// The list of round `second`: movies of its own, and one that all have.
fn list(user: i64, second: i64) -> Snapshot {
    let movie = i32::try_from(second).unwrap();
    snapshot(user, second, &[(movie * 10, 0.1), (movie * 10 + 1, 0.2), (movie * 10 + 2, 0.3), (1, 0.4)])
}

#[sqlx::test(migrations = "./migrations")]
async fn concurrent_writers_in_any_order_leave_the_newest_list_whole(pool: PgPool) {
    let replicas = [(); 2].map(|()| database(&pool, TIMEOUT));
    for round in 0..20 {
        let mut writers = JoinSet::new();
        for index in 1..=12 {
            // Each second once, never in order; half of the writers go through the users backwards.
            let second = round * 100 + index * 5 % 13;
            let mut lists = vec![list(1, second), list(2, second), list(3, second)];
            if index % 2 == 0 {
                lists.reverse();
            }
            let replica = replicas[usize::try_from(index % 2).unwrap()].clone();
            writers.spawn(async move { store(&replica, &lists).await.unwrap() });
        }
        writers.join_all().await;
        let newest = round * 100 + 12;
        let movie = i32::try_from(newest).unwrap() * 10;
        let expected: Vec<_> = (1..=3)
            .flat_map(|user| {
                [(1, 0.4), (movie, 0.1), (movie + 1, 0.2), (movie + 2, 0.3)]
                    .map(|(movie, score)| (user, movie, score, newest))
            })
            .collect();
        assert_eq!(rows(&pool).await, expected, "round {round}");
    }
    for replica in replicas {
        replica.close(tokio::time::Instant::now()).await;
    }
}
