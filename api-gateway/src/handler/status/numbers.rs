//! What the services count, from their `/metrics`, as far as the web page shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// Counts since each process started. What a service does not tell is left out.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Numbers {
    /// Requests at the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    requests: Option<Requests>,
    /// Decisions of the rate limit: `allowed`, `refused`, and `uncounted` while Redis was away.
    rate_limit: BTreeMap<String, u64>,
    /// Lookups in the caches of the services, by the name of the cache.
    caches: BTreeMap<String, Lookups>,
    /// Movies in the recommendations' copy of the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 491)]
    catalogue_movies: Option<u64>,
    /// Seconds since that copy was last confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1.4)]
    catalogue_age_seconds: Option<f64>,
    /// Seconds since the collaborative model was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 3600.0)]
    model_age_seconds: Option<f64>,
}

/// Requests that were answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Requests {
    /// All of them.
    #[schema(example = 1200)]
    count: u64,
    /// Those with a status of 500 or above.
    #[schema(example = 0)]
    failed: u64,
    /// Requests that are being answered now.
    #[schema(example = 1)]
    active: u64,
    /// How many took at most so long, shortest first.
    durations: Vec<Bucket>,
}

/// A bucket of a histogram.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Bucket {
    /// Upper bound in seconds; null for the last, which has none.
    #[schema(example = 0.005)]
    le: Option<f64>,
    /// Requests that took at most so long.
    #[schema(example = 1100)]
    count: u64,
}

/// Lookups in a cache.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Lookups {
    /// Those that found something.
    #[schema(example = 900)]
    hits: u64,
    /// The others.
    #[schema(example = 100)]
    misses: u64,
}

impl Numbers {
    /// Adds up the metrics of the gateway and of the services, in the text form of Prometheus or OpenMetrics.
    pub fn from_metrics(gateway: &str, services: &[String]) -> Self {
        let gateway: Vec<_> = samples(gateway).collect();
        let services: Vec<_> = services.iter().flat_map(|text| samples(text)).collect();
        let gauge = |name: &str| services.iter().find(|sample| sample.name == name).map(|sample| sample.value);
        let mut caches: BTreeMap<String, Lookups> = BTreeMap::new();
        for sample in services.iter().filter(|sample| sample.name == "cache_lookups_total") {
            let lookups = caches.entry(sample.label("cache").unwrap_or_default().to_owned()).or_default();
            let count = if sample.label("result") == Some("hit") { &mut lookups.hits } else { &mut lookups.misses };
            *count += sample.count();
        }
        let decisions = gateway.iter().filter(|sample| sample.name == "rate_limit_decisions_total");
        Self {
            requests: Requests::from_samples(&gateway),
            rate_limit: decisions
                .map(|sample| (sample.label("decision").unwrap_or_default().to_owned(), sample.count()))
                .collect(),
            caches,
            catalogue_movies: gauge("catalogue_movies").map(|movies| movies as u64),
            catalogue_age_seconds: gauge("catalogue_age_seconds"),
            model_age_seconds: gauge("model_age_seconds"),
        }
    }
}

impl Requests {
    /// `None` without a histogram of requests.
    fn from_samples(samples: &[Sample<'_>]) -> Option<Self> {
        let of = |name: &'static str| samples.iter().filter(move |sample| sample.name == name);
        let mut durations: Vec<Bucket> = Vec::new();
        for sample in of("http_server_request_duration_seconds_bucket") {
            let le = sample.label("le").and_then(|le| le.parse().ok()).filter(|le: &f64| le.is_finite());
            match durations.iter_mut().find(|bucket| bucket.le == le) {
                Some(bucket) => bucket.count += sample.count(),
                None => durations.push(Bucket { le, count: sample.count() }),
            }
        }
        let count = durations.iter().find(|bucket| bucket.le.is_none())?.count;
        let is_failure = |sample: &&Sample<'_>| {
            sample.label("http_response_status_code").is_some_and(|status| status.starts_with('5'))
        };
        let failed = of("http_server_request_duration_seconds_count").filter(is_failure).map(Sample::count).sum();
        let active = of("http_server_active_requests").map(Sample::count).sum();
        Some(Self { count, failed, active, durations })
    }
}

/// A line of metrics.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

/// The lines that have a value. No label of ours has a quotation mark in its value.
fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        Some(Sample { name, labels: labels.strip_suffix('}').unwrap_or(labels), value: value.parse().ok()? })
    })
}

impl Sample<'_> {
    fn label(&self, name: &str) -> Option<&str> {
        let mut labels = self.labels.split("\",").filter_map(|label| label.split_once("=\""));
        labels.find(|(key, _)| *key == name).map(|(_, value)| value.trim_end_matches('"'))
    }

    fn count(&self) -> u64 {
        self.value as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: &str = r#"# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{le="0.005",http_request_method="GET",http_route="/api/v1/movies/{id}",http_response_status_code="200"} 7
http_server_request_duration_seconds_bucket{le="+Inf",http_request_method="GET",http_route="/api/v1/movies/{id}",http_response_status_code="200"} 9
http_server_request_duration_seconds_count{http_request_method="GET",http_route="/api/v1/movies/{id}",http_response_status_code="200"} 9
http_server_request_duration_seconds_bucket{le="0.005",http_request_method="GET",http_route="web",http_response_status_code="502"} 1
http_server_request_duration_seconds_bucket{le="+Inf",http_request_method="GET",http_route="web",http_response_status_code="502"} 2
http_server_request_duration_seconds_count{http_request_method="GET",http_route="web",http_response_status_code="502"} 2
http_server_active_requests 3
rate_limit_decisions_total{decision="allowed"} 11
rate_limit_decisions_total{decision="refused"} 4
# EOF
"#;

    #[test]
    fn metrics_of_all_services_are_added_up() {
        let services = [
            "cache_lookups_total{cache=\"movies\",result=\"hit\"} 5\ncache_lookups_total{cache=\"movies\",result=\"miss\"} 2\n",
            "catalogue_movies 491.0\ncatalogue_age_seconds 1.25\nnot a line\n",
        ];
        let numbers = Numbers::from_metrics(GATEWAY, &services.map(str::to_owned));
        let requests = numbers.requests.expect("the gateway counts them");
        assert_eq!((requests.count, requests.failed, requests.active), (11, 2, 3));
        assert_eq!(requests.durations, [Bucket { le: Some(0.005), count: 8 }, Bucket { le: None, count: 11 }]);
        assert_eq!(numbers.rate_limit, BTreeMap::from([("allowed".to_owned(), 11), ("refused".to_owned(), 4)]));
        assert_eq!(numbers.caches["movies"], Lookups { hits: 5, misses: 2 });
        assert_eq!((numbers.catalogue_movies, numbers.catalogue_age_seconds), (Some(491), Some(1.25)));
        assert_eq!(numbers.model_age_seconds, None);
    }

    #[test]
    fn without_metrics_nothing_is_made_up() {
        let numbers = Numbers::from_metrics("", &["<html>nonsense</html>".to_owned(), String::new()]);
        assert_eq!(serde_json::json!(numbers), serde_json::json!({"rate_limit": {}, "caches": {}}));
    }
}
