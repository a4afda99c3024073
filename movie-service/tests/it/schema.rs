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
