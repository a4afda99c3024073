//! How near a movie is to what the user liked, by genres, original language and era (decade of release):
//!
//! ```text
//! value      = n / (n + 2) x (0.6 x mean of p(genre) over the movie's genres + 0.2 x p(language) + 0.2 x p(era))
//! p(x)       = ( sum over the user's feedback f of s(f) x ( has(f, x) - share(x) ) ) / n
//! n          = sum of |s(f)|
//! ```
//!
//! `p(x)` is the user's preference for `x`; `s(f)` is the strength of a feedback, faded by its age and negative for a dislike; `has(f, x)` is 1 or 0 for a
//! language or an era, and 1 / (number of genres) for each genre of the movie. `share(x)` is how much of what all people
//! look at has `x` (by popularity): who likes one drama in two movies does not like drama more than everybody does.
//! `n / (n + 2)` keeps the value small until there is some evidence. Feedback on movies that are not in the catalogue
//! counts nothing. The value lies within -1..1: dislikes push down. It is the classic content-based user profile of
//! Pazzani and Billsus (2007), with features centred on their frequency.

use super::{RuleContext, ScoringRule, Signal};
use crate::models::{
    catalogue::{Catalogue, ERAS, NO_ERA},
    recommendation::Source,
    rule::RuleType,
};

const GENRE: f64 = 0.6;
const LANGUAGE: f64 = 0.2;
const ERA: f64 = 0.2;
/// So much feedback makes the value half as large as it can get.
const EVIDENCE: f64 = 2.0;

pub(super) struct Affinity<'a> {
    catalogue: &'a Catalogue,
    signals: &'a [Signal],
    confidence: f64,
    /// One for each distinct combination of genres.
    sets: Vec<f64>,
    languages: Vec<f64>,
    eras: [f64; ERAS],
    highest_set: f64,
    highest_language: f64,
}

impl<'a> Affinity<'a> {
    pub(super) fn new(context: &RuleContext<'a>) -> Self {
        let RuleContext { catalogue, signals, .. } = *context;
        let known = || signals.iter().filter_map(|signal| Some((signal.index?, signal.strength)));
        let evidence: f64 = known().map(|(_, strength)| strength.abs()).sum();
        let (genres, languages, eras) = preferences(catalogue, known, evidence);
        let mean = |set: &[u16]| match set.len() {
            0 => 0.0,
            all => set.iter().map(|genre| genres[usize::from(*genre)]).sum::<f64>() / all as f64,
        };
        let sets: Vec<f64> = catalogue.genre_sets().iter().map(|set| mean(set)).collect();
        let highest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self {
            catalogue,
            signals,
            confidence: evidence / (evidence + EVIDENCE),
            highest_set: highest(&sets),
            highest_language: highest(&languages),
            sets,
            languages,
            eras,
        }
    }

    fn of(&self, set: f64, language: f64, era: f64) -> f64 {
        self.confidence * (GENRE * set + LANGUAGE * language + ERA * era)
    }

    fn era(&self, era: u8) -> f64 {
        // The mark for "no era" lies outside.
        self.eras.get(usize::from(era)).copied().unwrap_or(0.0)
    }

    /// How much the movie at `from` has in common with the one at `to`.
    fn similarity(&self, from: usize, to: usize) -> f64 {
        let statistics = self.catalogue.statistics();
        let set_of = |index: usize| &*self.catalogue.genre_sets()[self.catalogue.genre_set_of()[index] as usize];
        let (from_set, to_set) = (set_of(from), set_of(to));
        let common = |genre: &u16| match from_set.contains(genre) {
            true => 1.0 / from_set.len() as f64 - statistics.genre_shares()[usize::from(*genre)],
            false => -statistics.genre_shares()[usize::from(*genre)],
        };
        let genres = to_set.iter().map(common).sum::<f64>() / to_set.len().max(1) as f64;
        let (languages, eras) = (self.catalogue.language_of(), self.catalogue.eras());
        let same = |equal: bool, share: f64| if equal { 1.0 - share } else { -share };
        let language = same(languages[from] == languages[to], statistics.language_shares()[usize::from(languages[to])]);
        let era = match eras[to] {
            NO_ERA => 0.0,
            era => same(eras[from] == era, statistics.era_shares()[usize::from(era)]),
        };
        GENRE * genres + LANGUAGE * language + ERA * era
    }
}

impl ScoringRule for Affinity<'_> {
    fn rule_type(&self) -> RuleType {
        RuleType::Affinity
    }

    fn value(&self, index: usize) -> f64 {
        let set = self.sets[self.catalogue.genre_set_of()[index] as usize];
        let language = self.languages[usize::from(self.catalogue.language_of()[index])];
        self.of(set, language, self.era(self.catalogue.eras()[index]))
    }

    fn upper_bound(&self, block: usize) -> f64 {
        let (low, high) = self.catalogue.blocks().eras()[block];
        // 0 for movies without a date, which may be among the others.
        let era = (low..=high).map(|era| self.era(era)).fold(0.0, f64::max);
        self.of(self.highest_set, self.highest_language, era)
    }

    fn sources(&self, index: usize) -> Vec<Source> {
        let liked = self.signals.iter().filter(|signal| signal.strength > 0.0);
        let parts = liked.filter_map(|signal| Some((signal, signal.strength * self.similarity(signal.index?, index))));
        super::sources(parts)
    }
}

type Preferences = (Vec<f64>, Vec<f64>, [f64; ERAS]);

/// The user's preference for each genre, language and era.
fn preferences<I: Iterator<Item = (usize, f64)>>(
    catalogue: &Catalogue,
    known: impl Fn() -> I,
    evidence: f64,
) -> Preferences {
    let (mut genres, mut languages) =
        (vec![0.0; catalogue.genre_names().len()], vec![0.0; catalogue.language_names().len()]);
    let mut eras = [0.0; ERAS];
    for (index, strength) in known() {
        let set = &catalogue.genre_sets()[catalogue.genre_set_of()[index] as usize];
        set.iter().for_each(|genre| genres[usize::from(*genre)] += strength / set.len() as f64);
        languages[usize::from(catalogue.language_of()[index])] += strength;
        if let Some(era) = eras.get_mut(usize::from(catalogue.eras()[index])) {
            *era += strength;
        }
    }
    let (statistics, total) = (catalogue.statistics(), known().map(|(_, strength)| strength).sum::<f64>());
    let centre = |preferences: &mut [f64], shares: &[f64]| {
        for (preference, share) in preferences.iter_mut().zip(shares) {
            *preference = if evidence > 0.0 { (*preference - share * total) / evidence } else { 0.0 };
        }
    };
    centre(&mut genres, statistics.genre_shares());
    centre(&mut languages, statistics.language_shares());
    centre(&mut eras, statistics.era_shares());
    (genres, languages, eras)
}
