//! Fields of a movie that people have set, and that a sync leaves alone.

/// Every field that can be locked, as clients see it, sorted.
pub const LOCKABLE: [&str; 12] = [
    "backdrop_url",
    "duration",
    "genres",
    "language",
    "original_title",
    "overview",
    "popularity",
    "poster_url",
    "release_date",
    "title",
    "vote_average",
    "vote_count",
];

/// A set of lockable fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Locks(u16);

impl Locks {
    /// What is allowed, for people.
    pub const EXPECTED: &str = "a list of backdrop_url, duration, genres, language, original_title, overview, \
                                popularity, poster_url, release_date, title, vote_average, vote_count";

    /// All of them.
    pub fn all() -> Self {
        Self((1 << LOCKABLE.len()) - 1)
    }

    /// The fields with these names, each of which may come more than once; `None` when one cannot be locked.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        names.into_iter().try_fold(Self::default(), |locks, name| Some(locks.with(Self::of(name)?)))
    }

    /// The fields of these names that can be locked.
    pub fn known<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(Self::of).fold(Self::default(), Self::with)
    }

    /// Both together.
    #[must_use]
    pub fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// The names, sorted.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        LOCKABLE.into_iter().enumerate().filter(move |(at, _)| self.0 >> at & 1 == 1).map(|(_, name)| name)
    }

    fn of(name: &str) -> Option<Self> {
        LOCKABLE.iter().position(|known| *known == name).map(|at| Self(1 << at))
    }
}

impl From<Vec<String>> for Locks {
    /// Of names that are stored.
    fn from(names: Vec<String>) -> Self {
        Self::known(names.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_each_field_once_and_sorted() {
        let locks = Locks::parse(["title", "genres", "title"]).expect("lockable");
        assert_eq!(locks.names().collect::<Vec<_>>(), ["genres", "title"]);
        assert_eq!(locks.with(Locks::all()), Locks::all());
        assert_eq!(Locks::all().names().collect::<Vec<_>>(), LOCKABLE);
        assert!(LOCKABLE.is_sorted() && LOCKABLE.iter().all(|name| Locks::EXPECTED.contains(name)));
    }

    #[test]
    fn other_fields_cannot_be_locked() {
        for name in ["", "tmdb_id", "id", "Title", "title ", "created_at"] {
            assert_eq!(Locks::parse([name]), None, "{name}");
            assert_eq!(Locks::known([name]), Locks::default(), "{name}");
        }
    }
}
