//! Measuring one size: fill a database of its own, then figure by figure over HTTP and beside it without the service.

use std::time::Duration;

use crate::{
    figures::{self, Figure},
    generator::Generator,
    http::{Client, numbered},
    load, pgbench,
    postgres::Server,
    redis::Redis,
    service::Service,
    table::{Measured, Size},
};

const REQUESTS: usize = 300;
/// Cached answers are so quick that more of them cost nothing.
const CACHED_REQUESTS: usize = 3000;
const LONGEST: Duration = Duration::from_secs(5);
/// The Redis database of the service that has a cache.
const REDIS_DATABASE: u32 = 1;

/// All figures of a catalogue of this size.
pub fn size(server: &Server, redis: &str, size: usize) -> Size {
    let database = format!("bench_catalogue_{size}");
    let drop = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
    server.run("postgres", &[&drop, &format!("CREATE DATABASE {database}")]);
    let measured = filled(server, redis, &database, size);
    server.run("postgres", &[&drop]);
    measured
}

fn filled(server: &Server, redis: &str, database: &str, size: usize) -> Size {
    eprintln!("{size} movies:");
    let service = Service::start(server, database, Some((redis, REDIS_DATABASE)));
    load::genres(server, database);
    let mut generator = Generator::new();
    let spent = load::movies(&service, server, database, &mut generator, size);
    let load_peak = service.peak_mebibytes();
    server.run(database, &["VACUUM (ANALYZE)", "CHECKPOINT"]);
    let id = server.run(database, &["SELECT id FROM movies WHERE tmdb_id = 500"]).parse().expect("an id");

    let mut figures = uncached(server, database, &generator, size, id);
    let mut cache = Redis::connect(redis, REDIS_DATABASE);
    for (figure, key) in figures::cached(id) {
        eprintln!("  {}", figure.name);
        let times = cached(&mut service.client(), &mut cache, &figure, &key);
        figures.push(Measured::new(&figure, times));
    }
    cache.flush();
    let bytes = server.run(database, &[&format!("SELECT pg_database_size('{database}')")]).parse().unwrap_or_default();
    Size {
        movies: size,
        rows_per_second: size as f64 / spent.as_secs_f64(),
        load_peak,
        read_peak: service.peak_mebibytes(),
        bytes,
        figures,
    }
}

/// Each figure by a second service, which has no Redis.
fn uncached(server: &Server, database: &str, generator: &Generator, size: usize, id: i64) -> Vec<Measured> {
    let service = Service::start(server, database, None);
    let mut client = service.client();
    let mut figures = figures::uncached(&mut client, generator, size, id);
    figures.push(figures::changes(&change_a_thousand(server, database)));
    let mut measured = Vec::new();
    for figure in figures {
        eprintln!("  {}", figure.name);
        let times = beside_bare_sql(server, database, &mut client, &figure);
        measured.push(Measured::new(&figure, times));
        // An answer that failed may have taken the connection with it.
        client = service.client();
    }
    if let Some(peak) = service.peak_mebibytes() {
        eprintln!("  the service without Redis used {peak:.0} MiB at most");
    }
    measured
}

/// Changes 1,000 movies; the version of the catalogue before that.
fn change_a_thousand(server: &Server, database: &str) -> String {
    let version = server.run(database, &["SELECT epoch || '-' || version || '.2' FROM catalogue_state"]);
    let each = "SELECT GREATEST(count(*) / 1000, 1) FROM movies";
    server.run(
        database,
        &[&format!("UPDATE movies SET popularity = popularity + 1 WHERE id % ({each}) = 0"), "VACUUM (ANALYZE) movies"],
    );
    version
}

/// The times over HTTP, and those of the statements behind them.
type Times = Result<(Vec<Duration>, Vec<Duration>), String>;

fn beside_bare_sql(server: &Server, database: &str, client: &mut Client, figure: &Figure) -> Times {
    let paths = figure.paths.as_ref()?;
    let times = client.times(paths, REQUESTS, LONGEST)?;
    let mut bare = Vec::new();
    for path in paths {
        let (answer, statements) = server.statements_of(|| client.good(&numbered(path, 1_000_000)));
        prove(figure, &answer?)?;
        let mut times = pgbench::times(server, database, &statements)?;
        times.sort_unstable();
        // Each path counts the same, however often its statements were run.
        bare.push(times[times.len() / 2]);
    }
    Ok((times, bare))
}

/// A parameter that the service does not know would be passed over in silence.
fn prove(figure: &Figure, body: &[u8]) -> Result<(), String> {
    let body = String::from_utf8_lossy(body);
    let is_proven = body.contains(figure.proof);
    is_proven
        .then_some(())
        .ok_or_else(|| format!("no {} in {}", figure.proof, body.chars().take(200).collect::<String>()))
}

fn cached(client: &mut Client, cache: &mut Redis, figure: &Figure, key: &str) -> Times {
    let paths = figure.paths.as_ref()?;
    prove(figure, &client.good(&paths[0])?)?;
    // The entry is written after the answer is sent.
    std::thread::sleep(Duration::from_millis(200));
    let before = cache.commands_run();
    let times = client.times(paths, CACHED_REQUESTS, LONGEST)?;
    let requests = times.len() + CACHED_REQUESTS / 10;
    let each = (cache.commands_run() - before) as f64 / requests as f64;
    if each > 1.05 {
        return Err(format!("a hit costs {each:.2} Redis commands"));
    }
    Ok((times, cache.times(key, CACHED_REQUESTS)?))
}
