//! The settings of the rate limit.

use std::time::Duration;

use crate::config::env::Env;

use super::Quota;

/// How many requests a client may make.
#[derive(Debug, Clone)]
pub struct RateLimitConfig {
    /// `RATE_LIMIT_MAX` per `RATE_LIMIT_WINDOW_SECONDS`: what has no policy of its own.
    pub default: Quota,
    /// `RATE_LIMIT_WRITE_MAX`: requests that change something.
    pub write: Option<Quota>,
    /// `RATE_LIMIT_ADMIN_MAX`: everything below `/api/v1/admin`.
    pub admin: Option<Quota>,
    /// `RATE_LIMIT_ALGORITHM`.
    pub algorithm: Algorithm,
    /// `RATE_LIMIT_BY`.
    pub by: LimitBy,
    /// `RATE_LIMIT_FALLBACK`.
    pub fallback: Fallback,
    /// `RATE_LIMIT_IPV6_PREFIX`: bits of an IPv6 address that name a client.
    pub ipv6_prefix: u8,
}

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `fixed-window`: the quota is there again when the window ends.
    FixedWindow,
    /// `gcra`: the quota comes back evenly.
    Gcra,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitBy {
    /// `address`: those of an address.
    Address,
    /// `subject`: those of whom the token was issued to, and without a valid one those of an address.
    Subject,
}

/// What holds while Redis is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// `open`: requests pass uncounted.
    Open,
    /// `local`: each gateway counts by itself.
    Local,
}

/// Which quota a request counts against; each has counters of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Everything else.
    Default,
    /// Requests that change something.
    Write,
    /// Everything below `/api/v1/admin`.
    Admin,
}

impl Policy {
    /// Its name in keys and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl RateLimitConfig {
    /// Reads the settings; `has_subjects` says whether tokens name anybody.
    pub fn from_env(env: &mut Env, has_subjects: bool) -> Self {
        let window = env.seconds("RATE_LIMIT_WINDOW_SECONDS", 60);
        let algorithm = match env.text("RATE_LIMIT_ALGORITHM", "fixed-window").as_str() {
            "gcra" => Algorithm::Gcra,
            "fixed-window" => Algorithm::FixedWindow,
            _ => {
                env.invalid("RATE_LIMIT_ALGORITHM", "fixed-window or gcra");
                Algorithm::FixedWindow
            }
        };
        let by = match env.text("RATE_LIMIT_BY", "address").as_str() {
            "subject" if has_subjects => LimitBy::Subject,
            "address" => LimitBy::Address,
            _ => {
                env.invalid("RATE_LIMIT_BY", "address, or subject while AUTH_MODE is jwt or api-key");
                LimitBy::Address
            }
        };
        let fallback = match env.text("RATE_LIMIT_FALLBACK", "open").as_str() {
            "local" => Fallback::Local,
            "open" => Fallback::Open,
            _ => {
                env.invalid("RATE_LIMIT_FALLBACK", "open or local");
                Fallback::Open
            }
        };
        let quota = |max| Quota { max, window };
        Self {
            default: quota(max(env, "RATE_LIMIT_MAX", algorithm, window).unwrap_or(100)),
            write: max(env, "RATE_LIMIT_WRITE_MAX", algorithm, window).map(quota),
            admin: max(env, "RATE_LIMIT_ADMIN_MAX", algorithm, window).map(quota),
            algorithm,
            by,
            fallback,
            ipv6_prefix: env.number("RATE_LIMIT_IPV6_PREFIX", 64, 1..=128),
        }
    }

    /// The quota of a policy.
    pub fn quota(&self, policy: Policy) -> Quota {
        let own = match policy {
            Policy::Default => None,
            Policy::Write => self.write,
            Policy::Admin => self.admin,
        };
        own.unwrap_or(self.default)
    }
}

/// A number of requests; `None` when it is not set.
fn max(env: &mut Env, name: &str, algorithm: Algorithm, window: Duration) -> Option<u64> {
    let most = match algorithm {
        Algorithm::FixedWindow => 1_000_000_000_000,
        // Its times are microseconds.
        Algorithm::Gcra => window.as_micros() as u64,
    };
    env.optional(name).map(|_| env.number(name, 1, 1..=most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &'static [(&'static str, &'static str)]) -> Result<RateLimitConfig, String> {
        let lookup = move |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
        let mut env = Env::from_fn(lookup);
        let config = RateLimitConfig::from_env(&mut env, false);
        env.finish(config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_policy_without_a_setting_has_the_default_quota() {
        let config = config(&[("RATE_LIMIT_ADMIN_MAX", "5")]).expect("legal settings");
        let quotas = [Policy::Default, Policy::Write, Policy::Admin].map(|policy| config.quota(policy).max);
        assert_eq!(quotas, [100, 100, 5]);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (pair, error) in [
            (&[("RATE_LIMIT_ALGORITHM", "leaky")][..], "RATE_LIMIT_ALGORITHM must be fixed-window or gcra"),
            (
                &[("RATE_LIMIT_BY", "subject")],
                "RATE_LIMIT_BY must be address, or subject while AUTH_MODE is jwt or api-key",
            ),
            (&[("RATE_LIMIT_FALLBACK", "closed")], "RATE_LIMIT_FALLBACK must be open or local"),
            (&[("RATE_LIMIT_ADMIN_MAX", "0")], "RATE_LIMIT_ADMIN_MAX must be a whole number from 1 to 1000000000000"),
            (
                &[("RATE_LIMIT_ALGORITHM", "gcra"), ("RATE_LIMIT_MAX", "60000001")],
                "RATE_LIMIT_MAX must be a whole number from 1 to 60000000",
            ),
        ] {
            assert_eq!(config(pair).expect_err("it cannot be used"), error);
        }
    }
}
