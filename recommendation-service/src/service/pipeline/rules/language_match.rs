//! Whether a movie's original language is the one that the user prefers: 1 or 0.

use super::{RuleContext, ScoringRule};
use crate::models::{
    catalogue::{Catalogue, NO_LANGUAGE},
    rule::RuleType,
};

pub(super) struct LanguageMatch<'a> {
    catalogue: &'a Catalogue,
    /// The index of the language, if any movie has it.
    language: Option<u16>,
}

impl<'a> LanguageMatch<'a> {
    pub(super) fn new(context: &RuleContext<'a>) -> Self {
        let preferred = &context.profile.preferred_language;
        let names = context.catalogue.language_names().iter().zip(0..);
        let mut known = names.filter(|(name, index)| *index != NO_LANGUAGE && name.eq_ignore_ascii_case(preferred));
        Self { catalogue: context.catalogue, language: known.next().map(|(_, index)| index) }
    }
}

impl ScoringRule for LanguageMatch<'_> {
    fn rule_type(&self) -> RuleType {
        RuleType::LanguageMatch
    }

    fn value(&self, index: usize) -> f64 {
        if Some(self.catalogue.language_of()[index]) == self.language { 1.0 } else { 0.0 }
    }

    fn upper_bound(&self, _block: usize) -> f64 {
        if self.language.is_some() { 1.0 } else { 0.0 }
    }
}
