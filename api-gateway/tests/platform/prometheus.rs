//! A real Prometheus scrapes the four services, and every panel of the dashboard shows something.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::services::{Platform, free_port};

/// How long it may take until Prometheus has seen enough for a rate.
const SCRAPE_LIMIT: Duration = Duration::from_secs(60);

fn output(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../output").join(file)
}

/// Starts each service anew with metrics on a free port; the targets.
async fn show_metrics(platform: &mut Platform) -> Vec<(&'static str, u16)> {
    let mut targets = Vec::new();
    for service in platform.services() {
        let port = free_port();
        platform.terminate(service);
        platform.start_service_with(service, &[("METRICS_ADDR", &format!("127.0.0.1:{port}"))]);
        platform.wait_until_ready(service).await;
        targets.push((service, port));
    }
    targets
}

/// A Prometheus with its data in a folder of its own; ends when dropped.
struct Prometheus {
    process: Child,
    folder: PathBuf,
    url: String,
    http: reqwest::Client,
}

impl Prometheus {
    /// With the alerts of the platform and a target for each service, as in `output/prometheus/prometheus.yml`.
    fn start(targets: &[(&'static str, u16)], http: reqwest::Client) -> Self {
        let folder = std::env::temp_dir().join(format!("prometheus-{}-{}", std::process::id(), rand::random::<u32>()));
        fs::create_dir_all(&folder).expect("a folder");
        let jobs = targets.iter().map(|(service, port)| {
            format!("  - {{job_name: {service}, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n")
        });
        let alerts = output("prometheus/alerts.yml");
        let config = format!(
            "global: {{scrape_interval: 1s}}\nrule_files: ['{}']\nscrape_configs:\n{}",
            alerts.display(),
            jobs.collect::<String>()
        );
        fs::write(folder.join("prometheus.yml"), config).expect("a file");
        let address = format!("127.0.0.1:{}", free_port());
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is installed: `./dev-services.sh setup` does it");
        Self { process, folder, url: format!("http://{address}"), http }
    }

    /// The result of a query; `Null` while it cannot be asked.
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let response = self.http.get(format!("{}{path}", self.url)).query(query).send().await;
        match response {
            Ok(response) => response.json().await.unwrap_or(Value::Null),
            Err(_) => Value::Null,
        }
    }

    /// What is wrong with a query; `None` when it gives at least one number.
    async fn fault(&self, query: &str) -> Option<String> {
        let answer = self.get("/api/v1/query", &[("query", query)]).await;
        let values = answer["data"]["result"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_number = |value: &Value| value["value"][1].as_str().is_some_and(|text| text != "NaN");
        (!values.iter().any(is_number)).then(|| format!("{query}: {answer}"))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Title and query of everything that the dashboard shows.
fn panels() -> Vec<(String, String)> {
    let text = fs::read_to_string(output("grafana/dashboard.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    panels
        .flat_map(|panel| {
            let targets = panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
            let title = panel["title"].as_str().expect("a title");
            targets.iter().map(move |target| (title.to_owned(), target["expr"].as_str().expect("a query").to_owned()))
        })
        .collect()
}

/// A little of everything that is measured.
async fn use_platform(platform: &Platform, user: i64) {
    for path in ["/api/v1/movies", "/api/v1/movies/1", "/api/v1/genres", "/api/v1/nowhere"] {
        platform.call(Method::GET, path, None).await;
    }
    platform.prefer(user, &["Drama"]).await;
    for path in ["preferences", "recommendations", "interactions"] {
        platform.call(Method::GET, &format!("/api/v1/users/{user}/{path}"), None).await;
    }
}

/// So that there is a model whose age can be shown.
async fn train(platform: &Platform) {
    for name in ["one", "two", "three"] {
        let user = platform.create_user(name).await;
        for movie in 1..=5 {
            let like = json!({"movie_id": movie, "interaction_type": "like"});
            platform.post(&format!("/api/v1/users/{user}/interactions"), like).await;
        }
    }
    platform.post("/api/v1/models/train", json!({})).await;
}

#[tokio::test]
async fn prometheus_scrapes_all_services_and_no_panel_of_the_dashboard_is_empty() {
    let mut platform = Platform::start(&[]).await;
    let targets = show_metrics(&mut platform).await;
    platform.load_catalogue().await;
    train(&platform).await;
    let user = platform.create_user("watcher").await;
    let prometheus = Prometheus::start(&targets, platform.http.clone());
    let panels = panels();
    assert!(panels.len() > 15, "{panels:?}");
    platform
        .until("no panel is empty", SCRAPE_LIMIT, async || {
            use_platform(&platform, user).await;
            for (_, query) in &panels {
                // As Grafana fills it in for this interval of scraping.
                if prometheus.fault(&query.replace("$__rate_interval", "10s")).await.is_some() {
                    return false;
                }
            }
            true
        })
        .await;
    for (service, _) in targets {
        let up = format!("up{{job=\"{service}\"}} == 1");
        assert_eq!(prometheus.fault(&up).await, None, "{service}");
    }
    for (job, server) in [
        ("api-gateway", "recommendation-service"),
        ("recommendation-service", "movie-service"),
        ("recommendation-service", "user-preference-service"),
    ] {
        let labels = format!("{{job=\"{job}\",server_address=\"{server}\"}}");
        let calls = format!("http_client_request_duration_seconds_count{labels} > 0");
        assert_eq!(prometheus.fault(&calls).await, None);
    }
    let rules = prometheus.get("/api/v1/rules", &[]).await;
    let rules = rules["data"]["groups"][0]["rules"].as_array().expect("the alerts are loaded").clone();
    assert!(rules.len() > 5 && rules.iter().all(|rule| rule["lastError"].is_null()), "{rules:?}");
}

#[test]
fn the_alerts_pass_their_own_tests() {
    for arguments in [&["check", "config", "prometheus.yml"][..], &["test", "rules", "alerts_test.yml"]] {
        let run = Command::new("promtool").args(arguments).current_dir(output("prometheus")).output();
        let run = run.expect("promtool is installed: `./dev-services.sh setup` does it");
        let text = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{arguments:?}: {text}");
    }
}
