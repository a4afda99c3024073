//! The table `user_interactions`.

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

/// Stores an interaction.
///
/// # Errors
/// [`DatabaseError::Constraint`] with [`USER_KEY`] when there is no such user.
pub async fn insert(database: &Database, user: UserId, new: &NewInteraction) -> Result<Interaction, DatabaseError> {
    let statement = sqlx::query_as!(
        Interaction,
        r#"INSERT INTO user_interactions (user_id, movie_id, interaction_type, value, occurred_at, recommendation_id)
           VALUES ($1, $2, $3, $4, $5, $6)
           RETURNING id, user_id, movie_id, interaction_type, value,
                     COALESCE(occurred_at, created_at) AS "occurred_at!", recommendation_id, created_at"#,
        user.get(),
        new.movie_id.get(),
        new.interaction_type.as_str(),
        new.value.map(RatingValue::get),
        new.occurred_at.map(OccurredAt::get),
        new.recommendation_id.as_ref().map(RecommendationId::as_str)
    );
    database.write("record an interaction", async |connection| statement.fetch_one(connection).await).await
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
