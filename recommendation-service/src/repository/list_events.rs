//! The table `recommendation_events`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        list_event::{Outcome, ReportGroup, ReportLine},
        recorded_list::{Arm, RecordedList},
    },
};

/// Stores what happened to movies of a list: ascending by id, each once. What is stored already stays as it is.
///
/// To be called in a task that nobody cuts off.
///
/// # Errors
/// [`DatabaseError`] when the database does not work, or does not confirm it. Doing it again does no harm.
pub async fn store(database: &Database, list: &RecordedList, outcomes: &[Outcome]) -> Result<(), DatabaseError> {
    let movies: Vec<i32> = outcomes.iter().map(|outcome| outcome.movie_id).collect();
    let places: Vec<i32> = outcomes.iter().map(|outcome| outcome.place).collect();
    let rules: Vec<String> = outcomes.iter().map(|outcome| outcome.rule.clone()).collect();
    let times = |time: fn(&Outcome) -> Option<DateTime<Utc>>| outcomes.iter().map(time).collect::<Vec<_>>();
    let (experiment, variant) = list.arm.as_ref().map(|Arm { experiment, variant }| (experiment, variant)).unzip();
    let statement = sqlx::query!(
        "INSERT INTO recommendation_events AS stored
             (recommendation_id, generated_at, strategy, experiment, variant, movie_id, place, rule,
              impression_at, click_at, play_at)
         SELECT $1::text, $2::timestamptz, $3::text, $4::text, $5::text, movie_id, place, rule,
                impression_at, click_at, play_at
         FROM UNNEST($6::integer[], $7::integer[], $8::text[], $9::timestamptz[], $10::timestamptz[],
                     $11::timestamptz[])
              AS input (movie_id, place, rule, impression_at, click_at, play_at)
         ORDER BY movie_id
         ON CONFLICT (recommendation_id, movie_id) DO UPDATE
         SET impression_at = COALESCE(stored.impression_at, excluded.impression_at),
             click_at = COALESCE(stored.click_at, excluded.click_at),
             play_at = COALESCE(stored.play_at, excluded.play_at)",
        list.id,
        list.generated_at,
        list.strategy,
        experiment,
        variant,
        &movies,
        &places,
        &rules,
        &times(|outcome| outcome.impression_at) as &[Option<DateTime<Utc>>],
        &times(|outcome| outcome.click_at) as &[Option<DateTime<Utc>>],
        &times(|outcome| outcome.play_at) as &[Option<DateTime<Utc>>]
    );
    let work = async |connection: &mut PgConnection| statement.execute(connection).await;
    database.write("store events", work).await.map(|_| ())
}

/// What lists that were made since `time` came to: in all, by rule, strategy, place and variant, each in order.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn report(database: &Database, time: DateTime<Utc>) -> Result<Vec<ReportLine>, DatabaseError> {
    let statement = sqlx::query_as!(
        Row,
        r#"SELECT GROUPING(rule, strategy, place, variant) AS "grouping!", rule AS "rule?", strategy AS "strategy?",
                  place AS "place?", experiment, variant, count(impression_at) AS "impressions!",
                  count(click_at) AS "clicks!", count(play_at) AS "plays!",
                  count(click_at) FILTER (WHERE impression_at IS NOT NULL) AS "shown_and_clicked!",
                  count(play_at) FILTER (WHERE impression_at IS NOT NULL) AS "shown_and_played!"
           FROM recommendation_events
           WHERE generated_at >= $1
           GROUP BY GROUPING SETS ((), (rule), (strategy), (place), (experiment, variant))
           ORDER BY rule COLLATE "C", strategy COLLATE "C", place, experiment COLLATE "C" NULLS FIRST,
                    variant COLLATE "C""#,
        time
    );
    let rows = database.read("report events", async |connection| statement.fetch_all(connection).await).await?;
    Ok(rows.into_iter().map(ReportLine::from).collect())
}

/// Deletes at most `limit` rows about lists that were made before `time`, and says how many. Rows that another replica is
/// deleting are left to it.
///
/// # Errors
/// [`DatabaseError`] when the database does not work.
pub async fn delete_before(database: &Database, time: DateTime<Utc>, limit: i64) -> Result<u64, DatabaseError> {
    let statement = sqlx::query!(
        "DELETE FROM recommendation_events
         WHERE (recommendation_id, movie_id) IN (SELECT recommendation_id, movie_id FROM recommendation_events
                                                 WHERE generated_at < $1
                                                 ORDER BY generated_at
                                                 LIMIT $2
                                                 FOR UPDATE SKIP LOCKED)",
        time,
        limit
    );
    let work = async |connection: &mut PgConnection| statement.execute(connection).await;
    Ok(database.write("delete old events", work).await?.rows_affected())
}

/// A line of the report. Columns that it is not grouped by are null; `grouping` has a bit for each of them: rule, strategy,
/// place, variant.
struct Row {
    grouping: i32,
    rule: Option<String>,
    strategy: Option<String>,
    place: Option<i32>,
    experiment: Option<String>,
    variant: Option<String>,
    impressions: i64,
    clicks: i64,
    plays: i64,
    shown_and_clicked: i64,
    shown_and_played: i64,
}

impl From<Row> for ReportLine {
    fn from(row: Row) -> Self {
        let group = match row.grouping {
            0b0111 => ReportGroup::Rule(row.rule.unwrap_or_default()),
            0b1011 => ReportGroup::Strategy(row.strategy.unwrap_or_default()),
            0b1101 => ReportGroup::Place(row.place.unwrap_or_default()),
            0b1110 => ReportGroup::Variant(
                row.experiment.zip(row.variant).map(|(experiment, variant)| Arm { experiment, variant }),
            ),
            _ => ReportGroup::Total,
        };
        let Row { impressions, clicks, plays, shown_and_clicked, shown_and_played, .. } = row;
        Self { group, impressions, clicks, plays, shown_and_clicked, shown_and_played }
    }
}
