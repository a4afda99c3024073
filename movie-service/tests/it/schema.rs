//! The tables and columns that the platform promises.

use sqlx::PgPool;

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
    execute("TRUNCATE genres").await.unwrap();
    assert_eq!(links().await, []);
}
