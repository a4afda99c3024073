//! The values of a statement that is put together.

use sqlx::{
    Arguments, AssertSqlSafe, Encode, FromRow, Postgres, Type,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};

/// Values of a statement, in the order of their numbers.
#[derive(Default)]
pub(super) struct SqlArgs(PgArguments);

impl SqlArgs {
    /// The placeholder of a value.
    pub(super) fn bind<'t, T: Encode<'t, Postgres> + Type<Postgres>>(&mut self, value: T) -> sqlx::Result<String> {
        self.0.add(value).map_err(sqlx::Error::Encode)?;
        Ok(format!("${}", self.0.len()))
    }

    /// The statement `sql`, which must be made of constants and placeholders. With `filters` it is planned for its
    /// values each time: how many movies pass a filter decides between plans that differ by a factor of a thousand.
    pub(super) fn query<R: for<'r> FromRow<'r, PgRow>>(
        self,
        sql: String,
        filters: bool,
    ) -> QueryAs<'static, Postgres, R, PgArguments> {
        sqlx::query_as_with(AssertSqlSafe(sql), self.0).persistent(!filters)
    }
}
