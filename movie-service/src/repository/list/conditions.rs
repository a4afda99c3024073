//! What a movie must be.

use sqlx::{Encode, Postgres, Type};

use super::{GenreSet, ResolvedQuery, sql_args::SqlArgs};

/// Conditions on a movie `m`, for all filters but the search.
pub(super) fn conditions(resolved: &ResolvedQuery, arguments: &mut SqlArgs) -> sqlx::Result<Vec<String>> {
    let filters = &resolved.query.filters;
    let mut all = Conditions { arguments, found: Vec::new() };
    if let Some((from, to)) = resolved.query.released_between() {
        let (from, to) = (all.arguments.bind(from)?, all.arguments.bind(to)?);
        all.found.push(format!("m.release_date BETWEEN {from} AND {to}"));
    }
    all.add("m.original_language =", filters.original_language.clone())?;
    all.add("m.rating >=", filters.vote_average_gte)?;
    all.add("m.rating <=", filters.vote_average_lte)?;
    all.add("m.vote_count >=", filters.vote_count_gte)?;
    all.add("m.runtime >=", filters.runtime_gte)?;
    all.add("m.runtime <=", filters.runtime_lte)?;
    all.add("m.popularity >=", filters.popularity_gte)?;
    if let Some(ids) = &filters.ids {
        let ids = all.arguments.bind(ids)?;
        all.found.push(format!("m.id = ANY ({ids})"));
    }
    all.add_genres("", resolved.genres.with.as_ref())?;
    all.add_genres("NOT ", resolved.genres.without.as_ref())?;
    Ok(all.found)
}

/// `WHERE` and all of them, or nothing.
pub(super) fn where_all(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) }
}

struct Conditions<'a> {
    arguments: &'a mut SqlArgs,
    found: Vec<String>,
}

impl Conditions<'_> {
    /// A comparison, if there is something to compare with.
    fn add<'t, T: Encode<'t, Postgres> + Type<Postgres>>(&mut self, left: &str, value: Option<T>) -> sqlx::Result<()> {
        if let Some(value) = value {
            let value = self.arguments.bind(value)?;
            self.found.push(format!("{left} {value}"));
        }
        Ok(())
    }

    fn add_genres(&mut self, not: &str, genres: Option<&GenreSet>) -> sqlx::Result<()> {
        let Some(genres) = genres else { return Ok(()) };
        let link = "EXISTS (SELECT FROM movie_genres mg WHERE mg.movie_id = m.id AND mg.genre_id";
        let links = if genres.all {
            let each = genres.ids.iter().map(|id| Ok(format!("{link} = {})", self.arguments.bind(id)?)));
            each.collect::<sqlx::Result<Vec<_>>>()?.join(" AND ")
        } else {
            format!("{link} = ANY ({}))", self.arguments.bind(&genres.ids)?)
        };
        self.found.push(format!("{not}({links})"));
        Ok(())
    }
}
