//! nginx of Debian's packages.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Candidate, NGINX, Running, free_address, wait_until_open};
use crate::upstream::Upstreams;

/// Starts it as a gateway.
pub fn start(folder: &Path, upstreams: &Upstreams) -> Candidate {
    let (address, file) = (free_address(), folder.join("nginx.conf"));
    let config = format!(
        r#"daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log {folder}/nginx-access.log;
{paths}
    client_max_body_size 2g;
    keepalive_requests 1000000000;
    limit_req_zone $binary_remote_addr zone=clients:10m rate=1000000r/s;
    map $http_authorization $token {{ default 0; "~^Bearer ." 1; }}
    upstream small {{ server {small}; keepalive 256; keepalive_requests 1000000000; }}
    upstream large {{ server {large}; keepalive 256; }}
    server {{
        listen {address} backlog=4096;
        limit_req zone=clients burst=1000000 nodelay;
        if ($token = 0) {{ return 401; }}
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_request_buffering off;
        location /api/v1/movies {{ proxy_pass http://small; }}
        location /api/v1/users {{ proxy_pass http://large; }}
    }}
}}
"#,
        folder = folder.display(),
        paths = temporary_paths(folder),
        small = upstreams.small,
        large = upstreams.large,
    );
    std::fs::write(&file, config).expect("a configuration can be written");
    let running = Running::start(NGINX, command(&file), folder);
    wait_until_open(address, NGINX);
    let settings = "2 workers, access log, upstream keep-alive, limit_req in memory, request bodies not buffered";
    Candidate { name: NGINX, settings, address, running }
}

/// The program with a configuration. Debian keeps it outside an ordinary user's PATH.
pub fn command(file: &Path) -> Command {
    let program = PathBuf::from("/usr/sbin/nginx");
    let mut command = Command::new(if program.exists() { program } else { "nginx".into() });
    command.args(["-e", "stderr", "-c"]).arg(file);
    command
}

/// Folders of its own for everything that it keeps in files.
pub fn temporary_paths(folder: &Path) -> String {
    let line = |name| format!("    {name}_temp_path {}/{name};\n", folder.display());
    ["client_body", "proxy", "fastcgi", "scgi", "uwsgi"].map(line).concat()
}
