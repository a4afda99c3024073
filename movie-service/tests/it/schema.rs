//! The tables and columns that the platform promises.

use movie_service::MIGRATIONS;
use sqlx::PgPool;

use crate::support::TestApp;

const COLUMNS: [(&str, &[(&str, &str)]); 3] = [
    ("genres", &[("id", "integer"), ("tmdb_id", "integer"), ("name", "text")]),
    (
        "movies",
        &[
            ("id", "integer"),
            ("tmdb_id", "integer"),
            ("title", "text"),
            ("overview", "text"),
            ("release_date", "date"),
            ("popularity", "double precision"),
            ("poster_path", "text"),
            ("backdrop_path", "text"),
            ("original_language", "text"),
            ("runtime", "integer"),
            ("created_at", "timestamp with time zone"),
            ("updated_at", "timestamp with time zone"),
        ],
    ),
    ("movie_genres", &[("movie_id", "integer"), ("genre_id", "integer")]),
];

#[sqlx::test(migrations = "./migrations")]
async fn every_table_has_its_columns(pool: PgPool) {
    for (table, columns) in COLUMNS {
        let found: Vec<(String, String)> = sqlx::query_as(
            "SELECT column_name::text, data_type::text FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = $1",
        )
        .bind(table)
        .fetch_all(&pool)
        .await
        .unwrap();
        for (column, kind) in columns {
            assert!(
                found.iter().any(|(name, type_)| (name, type_) == (&(*column).into(), &(*kind).into())),
                "{table}.{column}: {found:?}"
            );
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn ids_of_tmdb_are_unique(pool: PgPool) {
    for table in ["genres", "movies"] {
        let unique: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM information_schema.table_constraints c
                 JOIN information_schema.constraint_column_usage u USING (constraint_schema, constraint_name)
                 WHERE c.table_name = $1 AND c.constraint_type = 'UNIQUE' AND u.column_name = 'tmdb_id')",
        )
        .bind(table)
        .fetch_one(&pool)
        .await
        .unwrap();
        assert!(unique, "{table}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn movies_are_linked_to_genres_that_there_are(pool: PgPool) {
    let execute = async |sql: &'static str| sqlx::raw_sql(sql).execute(&pool).await;
    execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (28, 'Action'), (18, 'Drama'), (35, 'Comedy');
         INSERT INTO movies (title) VALUES ('One'), ('Two');
         INSERT INTO movie_genres VALUES (1, 1), (1, 2), (2, 1), (2, 3);",
    )
    .await
    .unwrap();
    for unknown in [
        "INSERT INTO movie_genres VALUES (1, 3), (1, 4)",
        "UPDATE movie_genres SET genre_id = 4 WHERE genre_id = 3",
        "INSERT INTO movie_genres VALUES (3, 1)",
    ] {
        let error = execute(unknown).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "23503", "{unknown}: {error}");
    }
    let links = async || -> Vec<(i32, i32)> {
        sqlx::query_as("SELECT * FROM movie_genres ORDER BY 1, 2").fetch_all(&pool).await.unwrap()
    };
    assert_eq!(links().await, [(1, 1), (1, 2), (2, 1), (2, 3)]);
    execute("DELETE FROM genres WHERE id = 1").await.unwrap();
    assert_eq!(links().await, [(1, 2), (2, 3)]);
    execute("DELETE FROM movies WHERE id = 1").await.unwrap();
    assert_eq!(links().await, [(2, 3)]);
    execute("INSERT INTO movies (title) VALUES ('Three'); INSERT INTO movie_genres VALUES (3, 3)").await.unwrap();
    execute("UPDATE movies SET id = 4 WHERE id = 3").await.unwrap();
    assert_eq!(links().await, [(2, 3)]);
    execute("TRUNCATE movies").await.unwrap();
    assert_eq!(links().await, []);
    execute("INSERT INTO movies (title) VALUES ('Five'); INSERT INTO movie_genres SELECT id, 3 FROM movies")
        .await
        .unwrap();
    execute("TRUNCATE genres").await.unwrap();
    assert_eq!(links().await, []);
}

#[sqlx::test(migrations = false)]
async fn a_catalogue_of_the_first_schema_is_kept_by_all_that_came_after(pool: PgPool) {
    let mut migrations = MIGRATIONS.iter().map(|migration| migration.sql.clone());
    sqlx::raw_sql(migrations.next().unwrap()).execute(&pool).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO genres (tmdb_id, name) VALUES (28, 'Action'), (18, 'Drama');
         INSERT INTO movies (tmdb_id, title, original_title, overview, release_date, popularity, poster_path,
                             backdrop_path, original_language, vote_average, vote_count, runtime)
         VALUES (603, 'The Matrix', 'Matrix', 'About it.', '1999-03-31', 85.5, '/p.jpg', '/b.jpg', 'en', 8.2, 9, 136),
                (-1, 'Bare', NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
         INSERT INTO movie_genres VALUES (1, 1), (1, 2);",
    )
    .execute(&pool)
    .await
    .unwrap();
    let kept = async || -> String {
        sqlx::query_scalar(
            "SELECT json_agg((id, tmdb_id, title, original_title, overview, release_date, popularity, poster_path,
                              backdrop_path, original_language, vote_average, vote_count, runtime, created_at,
                              updated_at, (SELECT array_agg(genre_id ORDER BY genre_id) FROM movie_genres
                                           WHERE movie_id = movies.id)) ORDER BY id)::text FROM movies",
        )
        .fetch_one(&pool)
        .await
        .unwrap()
    };
    let before = kept().await;
    for migration in migrations {
        sqlx::raw_sql(migration).execute(&pool).await.unwrap();
    }
    assert_eq!(kept().await, before);
    let app = TestApp::new(&pool).await;
    let movie = app.get("/api/v1/movies/1").await.json();
    assert_eq!(
        (&movie["title"], &movie["genres"][1], &movie["tmdb_id"]),
        (&"The Matrix".into(), &"Drama".into(), &603.into())
    );
    assert_eq!(app.get("/api/v1/movies/2").await.json()["tmdb_id"], serde_json::Value::Null);
    for (query, total) in [("", 2), ("q=matrx", 1), ("with_genres=action", 1)] {
        assert_eq!(app.list(query).await["total_results"], total, "{query}");
    }
}
