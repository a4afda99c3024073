//! Two sets of rules side by side, each for some of the users.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::{rule_edit::Variant, user_id::UserId};

/// A field of an experiment that cannot have this value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {field}, expected {expected}")]
pub struct InvalidExperiment {
    /// The field, with its path.
    pub field: &'static str,
    /// What it may be.
    pub expected: &'static str,
}

/// An experiment that is to run.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExperiment {
    name: Variant,
    control: Variant,
    treatment: Variant,
    share: f64,
}

impl NewExperiment {
    /// Checks an experiment: a name of 1 to 50 letters, digits, `_` and `-`, two different variants, a share from 0 to 1.
    ///
    /// # Errors
    /// [`InvalidExperiment`].
    pub fn new(name: &str, control: &str, treatment: &str, share: f64) -> Result<Self, InvalidExperiment> {
        let variant = |field, text: &str| {
            Variant::new(text.to_owned()).map_err(|_| InvalidExperiment { field, expected: Variant::EXPECTED })
        };
        let expected = "1 to 50 lower-case letters, digits, _ and -";
        let invalid_name = InvalidExperiment { field: "experiment.name", expected };
        // A name is written as that of a variant, but not empty.
        let name = variant("experiment.name", name).map_err(|_| invalid_name.clone())?;
        if name.as_str().is_empty() {
            return Err(invalid_name);
        }
        let control = variant("experiment.control", control)?;
        let treatment = variant("experiment.treatment", treatment)?;
        if control == treatment {
            return Err(InvalidExperiment { field: "experiment.treatment", expected: "another variant than control" });
        }
        // NaN is in no range.
        if !(0.0..=1.0).contains(&share) {
            return Err(InvalidExperiment { field: "experiment.share", expected: "a number from 0 to 1" });
        }
        Ok(Self { name, control, treatment, share })
    }

    /// The experiment's name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The set of rules of the users who are not in the share.
    pub fn control(&self) -> &str {
        self.control.as_str()
    }

    /// The set of rules of the users in the share.
    pub fn treatment(&self) -> &str {
        self.treatment.as_str()
    }

    /// The share of users who get the treatment, 0 to 1.
    pub fn share(&self) -> f64 {
        self.share
    }
}

/// The experiment that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Its name. Together with a user's id it decides the user's side.
    pub name: String,
    /// The set of rules of the users who are not in the share.
    pub control: String,
    /// The set of rules of the users in the share.
    pub treatment: String,
    /// The share of users who get the treatment, 0 to 1.
    pub share: f64,
    /// When it was begun; a change of the share or of a variant does not begin it anew, another name does.
    pub started_at: DateTime<Utc>,
}

impl Experiment {
    /// Whether the user gets the treatment: always the same for a user, and independent of other experiments. Who has it
    /// keeps it when the share grows.
    pub fn treats(&self, user: UserId) -> bool {
        let hash = Sha256::digest(format!("{}\n{user}", self.name));
        let number = hash[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // As many bits as a fraction has.
        ((number >> 11) as f64) / ((1_u64 << 53) as f64) < self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(name: &str, share: f64) -> Experiment {
        let (control, treatment) = (String::new(), "b".to_owned());
        Experiment { name: name.into(), control, treatment, share, started_at: DateTime::UNIX_EPOCH }
    }

    fn treated(experiment: &Experiment) -> Vec<i64> {
        (1..=10_000).filter(|id| experiment.treats(UserId::try_from(*id).expect("an id"))).collect()
    }

    #[test]
    fn about_the_share_of_users_is_treated_and_they_stay_when_it_grows() {
        let few = treated(&experiment("x", 0.2));
        assert!((1_800..=2_200).contains(&few.len()), "{}", few.len());
        let more = treated(&experiment("x", 0.6));
        assert!(few.iter().all(|user| more.binary_search(user).is_ok()));
        assert_eq!((treated(&experiment("x", 0.0)).len(), treated(&experiment("x", 1.0)).len()), (0, 10_000));
    }

    #[test]
    fn experiments_divide_users_independently() {
        let (one, other) = (treated(&experiment("x", 0.5)), treated(&experiment("y", 0.5)));
        let both = one.iter().filter(|user| other.binary_search(user).is_ok()).count();
        assert!((2_300..=2_700).contains(&both), "{both}");
    }

    #[test]
    fn a_user_stays_on_the_same_side_in_every_release() {
        // sha256("x\n1") begins with fdf47ec21a8fde0c, which is 0.9920 of the range.
        let user = UserId::try_from(1).expect("an id");
        assert!(experiment("x", 0.993).treats(user) && !experiment("x", 0.991).treats(user));
    }

    #[test]
    fn a_wrong_field_is_named() {
        assert!(NewExperiment::new("more-affinity_2", "", "b", 0.5).is_ok());
        for (name, control, treatment, share, field) in [
            ("", "", "b", 0.5, "experiment.name"),
            ("No", "", "b", 0.5, "experiment.name"),
            ("x", "A", "b", 0.5, "experiment.control"),
            ("x", "", "b c", 0.5, "experiment.treatment"),
            ("x", "b", "b", 0.5, "experiment.treatment"),
            ("x", "", "b", -0.1, "experiment.share"),
            ("x", "", "b", 1.1, "experiment.share"),
            ("x", "", "b", f64::NAN, "experiment.share"),
        ] {
            let refused = NewExperiment::new(name, control, treatment, share);
            assert_eq!(refused.map_err(|error| error.field), Err(field));
        }
    }
}
