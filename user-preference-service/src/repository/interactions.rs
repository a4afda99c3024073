//! The table `user_interactions`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        id::UserId,
        interaction::{Interaction, ListLimit, NewInteraction},
        interaction_value::{OccurredAt, RatingValue, RecommendationId},
    },
};

/// An interaction belongs to a user who exists.
pub const USER_KEY: &str = "user_interactions_user_id_fkey";

/// Stores interactions; gives as many in the same order, `None` for users who do not exist.
///
/// # Errors
/// [`DatabaseError`], and nothing is stored: [`DatabaseError::Constraint`] with [`USER_KEY`] when one of the users was
/// deleted at this moment.
pub async fn insert_many(
    database: &Database,
    new: &[(UserId, NewInteraction)],
) -> Result<Vec<Option<Interaction>>, DatabaseError> {
    // By user, as the triggers lock their rows; the order of one user's interactions stays.
    let mut order: Vec<usize> = (0..new.len()).collect();
    order.sort_by_key(|&index| new[index].0.get());
    let columns = Columns::new(order.iter().map(|&index| &new[index]));
    let statement = sqlx::query_as!(
        Interaction,
        r#"INSERT INTO user_interactions (user_id, movie_id, interaction_type, value, occurred_at, recommendation_id)
           SELECT n.user_id, n.movie_id, n.kind, n.value, n.occurred_at, n.recommendation_id
           FROM unnest($1::bigint[], $2::int[], $3::text[], $4::real[], $5::timestamptz[], $6::text[]) WITH ORDINALITY
               AS n (user_id, movie_id, kind, value, occurred_at, recommendation_id, position)
           JOIN users u ON u.id = n.user_id
           ORDER BY n.position
           RETURNING id, user_id, movie_id, interaction_type, value,
                     COALESCE(occurred_at, created_at) AS "occurred_at!", recommendation_id, created_at"#,
        &columns.users,
        &columns.movies,
        &columns.kinds as &[&str],
        &columns.values as &[Option<f32>],
        &columns.times as &[Option<DateTime<Utc>>],
        &columns.lists as &[Option<&str>]
    );
    let write = async |connection: &mut PgConnection| statement.fetch_all(connection).await;
    let mut rows = database.write("record interactions", write).await?.into_iter().peekable();
    let mut stored = vec![None; new.len()];
    for index in order {
        // Rows come in the order in which they were inserted, and either all of a user's are there or none.
        stored[index] = rows.next_if(|row| row.user_id == new[index].0.get());
    }
    Ok(stored)
}

/// Interactions as a statement takes them: an array for each column.
#[derive(Default)]
struct Columns<'a> {
    users: Vec<i64>,
    movies: Vec<i32>,
    kinds: Vec<&'static str>,
    values: Vec<Option<f32>>,
    times: Vec<Option<DateTime<Utc>>>,
    lists: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn new(rows: impl Iterator<Item = &'a (UserId, NewInteraction)>) -> Self {
        let mut columns = Self::default();
        for (user, new) in rows {
            columns.users.push(user.get());
            columns.movies.push(new.movie_id.get());
            columns.kinds.push(new.interaction_type.as_str());
            columns.values.push(new.value.map(RatingValue::get));
            columns.times.push(new.occurred_at.map(OccurredAt::get));
            columns.lists.push(new.recommendation_id.as_ref().map(RecommendationId::as_str));
        }
        columns
    }
}

/// The latest interactions of a user, newest first; `None` when there is no such user.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn newest(
    database: &Database,
    user: UserId,
    limit: ListLimit,
) -> Result<Option<Vec<Interaction>>, DatabaseError> {
    // A user without interactions gives one row of NULLs.
    let statement = sqlx::query!(
        r#"SELECT i.id AS "id?", i.movie_id AS "movie_id?", i.interaction_type AS "interaction_type?",
                  i.value AS "value?", i.occurred_at AS "occurred_at?", i.recommendation_id AS "recommendation_id?",
                  i.created_at AS "created_at?"
           FROM users u
           LEFT JOIN LATERAL (
               SELECT id, movie_id, interaction_type, value, COALESCE(occurred_at, created_at) AS occurred_at,
                      recommendation_id, created_at
               FROM user_interactions
               WHERE user_id = u.id
               ORDER BY created_at DESC, id DESC
               LIMIT $2
           ) i ON TRUE
           WHERE u.id = $1
           ORDER BY i.created_at DESC, i.id DESC"#,
        user.get(),
        limit.get()
    );
    let rows = database.read("list interactions", async |connection| statement.fetch_all(connection).await).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let interactions = rows.into_iter().filter_map(|row| {
        Some(Interaction {
            id: row.id?,
            user_id: user.get(),
            movie_id: row.movie_id?,
            interaction_type: row.interaction_type?,
            value: row.value,
            occurred_at: row.occurred_at?,
            recommendation_id: row.recommendation_id,
            created_at: row.created_at?,
        })
    });
    Ok(Some(interactions.collect()))
}
