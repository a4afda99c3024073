//! Packs the web page of `web/` for `handler::web`: one folder name for all its files, made from their content, so that
//! browsers may keep them for ever; and each file as it is, as gzip and as brotli.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// Where the page's files are served; the hash of all follows.
const ROOT: &str = "/app";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=web");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut paths = Vec::new();
    list(Path::new("web/app"), &mut paths)?;
    paths.sort();
    let index = fs::read_to_string("web/index.html")?;
    let mut assets = Vec::new();
    for path in &paths {
        let name = path.strip_prefix("web/app")?.to_str().ok_or("a name that is not UTF-8")?.to_owned();
        assets.push((name, fs::read(path)?));
    }

    let version = hash_of(&index, &assets);
    let index = index.replace("{app}", &format!("{ROOT}/{version}")).replace("{modules}", &preloads(&version, &assets));
    let mut code =
        format!("/// Where this version of the files is.\nconst FOLDER: &str = {:?};\n", format!("{ROOT}/{version}"));
    writeln!(code, "static INDEX: File = {};", pack(&out, "index.html", index.as_bytes())?)?;
    writeln!(code, "static ASSETS: [File; {}] = [", assets.len())?;
    for (name, content) in &assets {
        writeln!(code, "    {},", pack(&out, name, content)?)?;
    }
    code.push_str("];\n");
    fs::write(out.join("web_files.rs"), code)?;
    Ok(())
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, paths)? } else { paths.push(path) }
    }
    Ok(())
}

/// The first 64 bits of a hash of all names and contents, in hexadecimal.
fn hash_of(index: &str, assets: &[(String, Vec<u8>)]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(index);
    for (name, content) in assets {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update((content.len() as u64).to_le_bytes());
        hasher.update(content);
    }
    hex(&hasher.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// All modules at once, instead of one after another as they import each other.
fn preloads(version: &str, assets: &[(String, Vec<u8>)]) -> String {
    let modules = assets.iter().map(|(name, _)| name).filter(|name| name.ends_with(".js"));
    let lines: Vec<_> =
        modules.map(|name| format!("<link rel=\"modulepreload\" href=\"{ROOT}/{version}/{name}\">")).collect();
    lines.join("\n")
}

/// Writes a file in its three codings; returns it as a Rust expression.
fn pack(out: &Path, name: &str, content: &[u8]) -> Result<String, Box<dyn Error>> {
    let stem = out.join(format!("web-{}", name.replace('/', "-")));
    let file = |extension: &str, bytes: &[u8]| -> io::Result<String> {
        let path = stem.with_added_extension(extension);
        fs::write(&path, bytes)?;
        Ok(format!("include_bytes!({path:?})"))
    };
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut &content[..], &mut brotli, &parameters)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    let etag = hex(&Sha256::digest(content)[..8]);
    Ok(format!(
        "File {{ name: {name:?}, content_type: {:?}, etag: {etag:?}, identity: {}, brotli: {}, gzip: {} }}",
        content_type(name)?,
        file("raw", content)?,
        file("br", &brotli)?,
        file("gz", &gzip.finish()?)?,
    ))
}

fn content_type(name: &str) -> Result<&'static str, String> {
    match name.rsplit('.').next() {
        Some("html") => Ok("text/html; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        Some("txt") => Ok("text/plain; charset=utf-8"),
        _ => Err(format!("web/app/{name}: no content type is known for this kind of file")),
    }
}
