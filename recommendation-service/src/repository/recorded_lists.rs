//! The table `recommendation_lists`.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::{Connection, PgConnection};

use super::snapshots;
use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        recorded_list::{Arm, RecordedItem, RecordedList},
        snapshot::Snapshot,
        user_id::UserId,
    },
};

/// Stores lists, and the newest list of some users; at most one snapshot a user.
///
/// To be called in a task that nobody cuts off, since it opens a transaction.
///
/// # Errors
/// [`DatabaseError`] when the database does not work, or does not confirm it. Doing it again does no harm.
pub async fn store(database: &Database, lists: &[RecordedList], snapshots: &[Snapshot]) -> Result<(), DatabaseError> {
    let work = async |connection: &mut PgConnection| {
        let mut transaction = connection.begin().await?;
        insert(&mut transaction, lists).await?;
        snapshots::replace(&mut transaction, snapshots).await?;
        transaction.commit().await
    };
    database.write("store lists", work).await
}

async fn insert(connection: &mut PgConnection, lists: &[RecordedList]) -> sqlx::Result<()> {
    let column = |text: fn(&RecordedList) -> String| lists.iter().map(text).collect::<Vec<String>>();
    let arm = |text: fn(&Arm) -> &String| -> Vec<Option<String>> {
        lists.iter().map(|list| list.arm.as_ref().map(text).cloned()).collect()
    };
    let users: Vec<Option<i64>> = lists.iter().map(|list| list.user.map(UserId::get)).collect();
    let times: Vec<DateTime<Utc>> = lists.iter().map(|list| list.generated_at).collect();
    let degraded: Vec<bool> = lists.iter().map(|list| list.degraded).collect();
    let first_places: Vec<i32> = lists.iter().map(|list| list.first_place).collect();
    let statement = sqlx::query!(
        "INSERT INTO recommendation_lists
             (recommendation_id, user_id, generated_at, strategy, experiment, variant, model_version, degraded,
              first_place, rules, items)
         SELECT id, user_id, generated_at, strategy, experiment, variant, model_version, degraded, first_place,
                rules::jsonb, items::jsonb
         FROM UNNEST($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::boolean[], $9::integer[], $10::text[], $11::text[])
              AS input (id, user_id, generated_at, strategy, experiment, variant, model_version, degraded,
                        first_place, rules, items)
         ON CONFLICT (recommendation_id) DO NOTHING",
        &column(|list| list.id.clone()),
        &users as &[Option<i64>],
        &times,
        &column(|list| list.strategy.clone()),
        &arm(|arm| &arm.experiment) as &[Option<String>],
        &arm(|arm| &arm.variant) as &[Option<String>],
        &column(|list| list.model_version.clone()),
        &degraded,
        &first_places,
        &column(rules_to_json),
        &column(items_to_json)
    );
    statement.execute(connection).await?;
    Ok(())
}

/// The list, if it is recorded.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn find(database: &Database, id: &str) -> Result<Option<RecordedList>, DatabaseError> {
    let statement = sqlx::query_as!(
        Row,
        r#"SELECT recommendation_id, user_id, generated_at, strategy, experiment, variant, model_version, degraded,
                  first_place, rules::text AS "rules!", items::text AS "items!"
           FROM recommendation_lists
           WHERE recommendation_id = $1"#,
        id
    );
    let work = async |connection: &mut PgConnection| {
        statement.fetch_optional(connection).await?.map(RecordedList::try_from).transpose()
    };
    database.read("find a list", work).await
}

/// The lists of a user, newest first: at most `limit`, of those before the list `before`, which must be recorded.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn page(
    database: &Database,
    user: UserId,
    limit: i64,
    before: Option<&RecordedList>,
) -> Result<Vec<RecordedList>, DatabaseError> {
    let statement = sqlx::query_as!(
        Row,
        r#"SELECT recommendation_id, user_id, generated_at, strategy, experiment, variant, model_version, degraded,
                  first_place, rules::text AS "rules!", items::text AS "items!"
           FROM recommendation_lists
           WHERE user_id = $1
             AND ($2::timestamptz IS NULL OR (generated_at, recommendation_id) < ($2, $3))
           ORDER BY generated_at DESC, recommendation_id DESC
           LIMIT $4"#,
        user.get(),
        before.map(|list| list.generated_at),
        before.map(|list| list.id.as_str()),
        limit
    );
    let work = async |connection: &mut PgConnection| {
        statement.fetch_all(connection).await?.into_iter().map(RecordedList::try_from).collect()
    };
    database.read("list the lists of a user", work).await
}

/// Deletes at most `limit` lists that were made before `time`, and says how many. Rows that another replica is deleting
/// are left to it.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn delete_before(database: &Database, time: DateTime<Utc>, limit: i64) -> Result<u64, DatabaseError> {
    let statement = sqlx::query!(
        "DELETE FROM recommendation_lists
         WHERE recommendation_id IN (SELECT recommendation_id FROM recommendation_lists
                                     WHERE generated_at < $1
                                     ORDER BY generated_at
                                     LIMIT $2
                                     FOR UPDATE SKIP LOCKED)",
        time,
        limit
    );
    let work = async |connection: &mut PgConnection| statement.execute(connection).await;
    Ok(database.write("delete old lists", work).await?.rows_affected())
}

struct Row {
    recommendation_id: String,
    user_id: Option<i64>,
    generated_at: DateTime<Utc>,
    strategy: String,
    experiment: Option<String>,
    variant: Option<String>,
    model_version: String,
    degraded: bool,
    first_place: i32,
    rules: String,
    items: String,
}

impl TryFrom<Row> for RecordedList {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let item = |(movie_id, score, contributions)| RecordedItem { movie_id, score, contributions };
        let items: Vec<(i32, f64, Vec<f64>)> = from_json(&row.items)?;
        let arm = row.experiment.zip(row.variant).map(|(experiment, variant)| Arm { experiment, variant });
        Ok(Self {
            id: row.recommendation_id,
            user: row.user_id.and_then(|id| UserId::try_from(id).ok()),
            generated_at: row.generated_at,
            strategy: row.strategy,
            arm,
            model_version: row.model_version,
            degraded: row.degraded,
            first_place: row.first_place,
            rules: from_json(&row.rules)?,
            items: items.into_iter().map(item).collect(),
        })
    }
}

fn from_json<T: DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn rules_to_json(list: &RecordedList) -> String {
    serde_json::to_string(&list.rules).expect("texts and finite numbers always serialise")
}

fn items_to_json(list: &RecordedList) -> String {
    let item = |item: &RecordedItem| (item.movie_id, item.score, item.contributions.clone());
    let items: Vec<(i32, f64, Vec<f64>)> = list.items.iter().map(item).collect();
    serde_json::to_string(&items).expect("finite numbers always serialise")
}
