//! What recommendations need to know of a user, from all tables in one statement.

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        id::UserId,
        interaction::InteractionType,
        preferences::Preferences,
        profile::{Event, History, Profile},
    },
};

/// The profile of a user; `None` when there is no such user.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn find(database: &Database, user: UserId) -> Result<Option<Profile>, DatabaseError> {
    // Columns of interactions as arrays of the same length and order, read from one index.
    let statement = sqlx::query!(
        r#"SELECT e.epoch || '-' || r.revision AS "revision!", p.preferred_genres AS "preferred_genres?", p.preferred_language AS "preferred_language?",
                  p.min_rating AS "min_rating?", i.ids AS "ids!", i.movie_ids AS "movie_ids!", i.kinds AS "kinds!",
                  i.points AS "points!: Vec<Option<f32>>", i.times AS "times!"
           FROM user_revisions r
           CROSS JOIN database_epoch e
           LEFT JOIN user_preferences p ON p.user_id = r.user_id
           CROSS JOIN LATERAL (
               SELECT COALESCE(array_agg(id), '{}') AS ids, COALESCE(array_agg(movie_id), '{}') AS movie_ids,
                      COALESCE(array_agg(interaction_type), '{}') AS kinds, COALESCE(array_agg(value), '{}') AS points,
                      COALESCE(array_agg(COALESCE(occurred_at, created_at)), '{}') AS times
               FROM user_interactions
               WHERE user_id = r.user_id
           ) i
           WHERE r.user_id = $1"#,
        user.get()
    );
    let row = database.read("find a profile", async |connection| statement.fetch_optional(connection).await).await?;
    Ok(row.map(|row| {
        let unset = Preferences::unset(user);
        let columns = row.ids.into_iter().zip(row.movie_ids).zip(row.kinds).zip(row.points).zip(row.times);
        let events = columns.filter_map(|((((id, movie_id), kind), value), occurred_at)| {
            // A type that only a later release knows says nothing to this one.
            Some(Event { id, movie_id, kind: InteractionType::from_word(&kind)?, value, occurred_at })
        });
        Profile {
            user_id: user.get(),
            revision: row.revision,
            preferred_genres: row.preferred_genres.unwrap_or(unset.preferred_genres),
            preferred_language: row.preferred_language.unwrap_or(unset.preferred_language),
            min_rating: row.min_rating.unwrap_or(unset.min_rating),
            history: History::from_events(events.collect()),
        }
    }))
}
