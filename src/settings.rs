//! `svod.yaml`: what holds for the whole project.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::declarations::{Problems, Source, Spanned};
use crate::domain::language::Text;
use crate::s3::{DEFAULT_REGION, S3Store};
use crate::secrets::Secret;

/// Name of the file, in the root of a project.
pub const SETTINGS_FILE: &str = "svod.yaml";

/// `svod.yaml` as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSettings {
    /// Name of the installation, shown at the top of every page.
    title: Text,
    /// Time zone of the region, e.g. `Europe/Samara`: decides what day it is. A pipeline may name its own.
    time_zone: Spanned<String>,
    /// The web server.
    #[serde(default)]
    server: RawServer,
    /// File with the key of pseudonyms, relative to the data directory; made at the first run.
    #[serde(default = "default_key_file")]
    pseudonym_key_file: PathBuf,
    /// Where OpenLineage events of every run go; absent: nowhere.
    lineage: Option<Spanned<RawLineage>>,
    /// Where the lake lies; absent: in the data directory.
    lake: Option<RawLake>,
}

/// Where the lake lies, as written: exactly one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RawLake {
    /// In a bucket of an S3-compatible store that knows conditional writes.
    S3(RawLakeStore),
}

/// The bucket of the lake, as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawLakeStore {
    /// The bucket, which is there already.
    bucket: Spanned<String>,
    /// Folder in the bucket; the whole bucket if absent. Each lake has its own.
    #[serde(default)]
    prefix: String,
    /// Address of the store, e.g. `https://minio.region.ru:9000`; Amazon's if absent. By plain `http` rows go in the clear.
    endpoint: Option<Spanned<String>>,
    /// Region of the store; `us-east-1` if absent, which most stores take.
    region: Option<String>,
    /// Whether the bucket stands in the path of an address instead of in its host name; true if absent.
    #[serde(default = "default_true")]
    path_style: bool,
    /// Where the access key lies; in the environment variable `AWS_ACCESS_KEY_ID` if absent.
    access_key: Option<RawKey>,
    /// Where the secret key lies; in the environment variable `AWS_SECRET_ACCESS_KEY` if absent.
    secret_key: Option<RawKey>,
    /// Bytes to which the copies of the lake's files in the data directory are cut down after each refresh; 10737418240 (10 GiB) if absent.
    cache_bytes: Option<u64>,
}

/// Where a key lies: exactly one of the keys. It never stands here itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RawKey {
    /// Name of an environment variable that holds it.
    Env(String),
    /// File that holds it, relative to the project.
    File(String),
}

fn default_true() -> bool {
    true
}

/// Where lineage goes, as written: exactly one of `file` and `url`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawLineage {
    /// File to which events are appended, one JSON object per line; relative to the data directory.
    file: Option<PathBuf>,
    /// HTTP endpoint to which each event is posted, e.g. `http://127.0.0.1:5000/api/v1/lineage`.
    url: Option<Spanned<String>>,
    /// Environment variable with the bearer token of the endpoint.
    token_env: Option<String>,
    /// Namespace of the jobs; `svod` if absent.
    namespace: Option<String>,
}

/// The web server, as written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawServer {
    /// Address and port to listen on, e.g. `127.0.0.1:8080`.
    bind: Option<Spanned<String>>,
}

fn default_key_file() -> PathBuf {
    PathBuf::from("pseudonym.key")
}

/// What holds for the whole project.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the installation.
    pub title: Text,
    /// Time zone of the region.
    pub time_zone: Tz,
    /// Address of the web server.
    pub bind: SocketAddr,
    /// File with the key of pseudonyms, relative to the data directory.
    pub pseudonym_key_file: PathBuf,
    /// Where lineage goes.
    pub lineage: Option<Lineage>,
    /// Where the lake lies, if not in the data directory.
    pub lake: Option<LakeAddress>,
}

/// A lake in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeAddress {
    /// The bucket.
    pub store: S3Store,
    /// Folder in it, without slashes at its ends; may be empty.
    pub prefix: String,
    /// Bytes to which the cache is cut down.
    pub cache_bytes: u64,
    /// The project, to which files with keys are relative.
    pub project: PathBuf,
}

impl std::fmt::Display for LakeAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "s3://{}/{}", self.store.bucket, self.prefix)?;
        self.store.endpoint.as_ref().map_or(Ok(()), |endpoint| write!(formatter, " at {endpoint}"))
    }
}

/// Where lineage goes.
#[derive(Debug, Clone)]
pub struct Lineage {
    /// The file or endpoint.
    pub target: LineageTarget,
    /// Namespace of the jobs.
    pub namespace: String,
}

/// What takes lineage.
#[derive(Debug, Clone)]
pub enum LineageTarget {
    /// A file, relative to the data directory.
    File(PathBuf),
    /// An HTTP endpoint.
    Endpoint {
        /// Its address.
        url: Url,
        /// Environment variable with its bearer token.
        token_env: Option<String>,
    },
}

impl Settings {
    /// Reads the settings of the project in the folder `root`.
    ///
    /// # Errors
    /// Every problem of the file, with its place.
    pub fn load(root: &Path) -> Result<Self, Problems> {
        let source = Source::read(root, Path::new(SETTINGS_FILE))?;
        let raw: RawSettings = source.parse()?;
        let mut problems = Problems::new();
        let time_zone = Tz::from_str(&raw.time_zone).unwrap_or_else(|_| {
            let message = format!("`time_zone`: `{}` is not a time zone", *raw.time_zone);
            let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let nearest = names.max_by(|one, other| {
                strsim::jaro_winkler(one, &raw.time_zone).total_cmp(&strsim::jaro_winkler(other, &raw.time_zone))
            });
            let help = format!("a name of the IANA list, e.g. `{}`", nearest.unwrap_or("Europe/Moscow"));
            problems.push(source.problem(&raw.time_zone, message).help(help));
            Tz::UTC
        });
        let default_bind = SocketAddr::from(([127, 0, 0, 1], 8080));
        let bind = raw.server.bind.as_ref().map_or(default_bind, |text| {
            text.parse().unwrap_or_else(|_| {
                let problem = source.problem(text, format!("`bind`: `{}` is not an address and port", **text));
                problems.push(problem.help("for instance `127.0.0.1:8080`"));
                default_bind
            })
        });
        let lineage = raw.lineage.as_ref().and_then(|lineage| check_lineage(&source, lineage, &mut problems));
        let RawSettings { title, pseudonym_key_file, lake, .. } = raw;
        let lake = lake.map(|RawLake::S3(lake)| check_lake(root, &source, lake, &mut problems));
        problems.into_result(Self { title, time_zone, bind, pseudonym_key_file, lineage, lake })
    }
}

fn check_lake(root: &Path, source: &Source, raw: RawLakeStore, problems: &mut Problems) -> LakeAddress {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if raw.bucket.is_empty() || !raw.bucket.bytes().all(is_name) {
        let problem = source.problem(&raw.bucket, format!("`bucket`: `{}` is no name of a bucket", *raw.bucket));
        problems.push(problem.help("letters, digits and `-`; a folder in the bucket is named by `prefix`"));
    }
    if let Some(endpoint) = &raw.endpoint
        && !Url::parse(endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    {
        let problem = source.problem(endpoint, format!("`endpoint`: `{}` is not an HTTP address", **endpoint));
        problems.push(problem.help("for instance `https://minio.region.ru:9000`"));
    }
    let secret = |key: Option<RawKey>, variable: &str| match key {
        Some(RawKey::Env(name)) => Secret::Env(name),
        Some(RawKey::File(file)) => Secret::File(file),
        None => Secret::Env(variable.to_owned()),
    };
    let store = S3Store {
        bucket: raw.bucket.value,
        endpoint: raw.endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
        region: raw.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
        path_style: raw.path_style,
        access_key: secret(raw.access_key, "AWS_ACCESS_KEY_ID"),
        secret_key: secret(raw.secret_key, "AWS_SECRET_ACCESS_KEY"),
    };
    let prefix = raw.prefix.trim_matches('/').to_owned();
    LakeAddress { store, prefix, cache_bytes: raw.cache_bytes.unwrap_or(10 << 30), project: root.to_owned() }
}

fn check_lineage(source: &Source, raw: &Spanned<RawLineage>, problems: &mut Problems) -> Option<Lineage> {
    let namespace = raw.namespace.clone().unwrap_or_else(|| "svod".to_owned());
    match (&raw.file, &raw.url) {
        (Some(file), None) => Some(Lineage { target: LineageTarget::File(file.clone()), namespace }),
        (None, Some(text)) => match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                Some(Lineage { target: LineageTarget::Endpoint { url, token_env: raw.token_env.clone() }, namespace })
            }
            _ => {
                let problem = source.problem(text, format!("`url`: `{}` is not an HTTP address", **text));
                problems.push(problem.help("for instance `http://127.0.0.1:5000/api/v1/lineage`"));
                None
            }
        },
        (None, None) | (Some(_), Some(_)) => {
            problems.push(source.problem(raw, "`lineage`: expected exactly one of `file` and `url`"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_time_zone_and_address_are_both_reported() {
        let folder = tempfile::tempdir().unwrap();
        let text = "title: {ru: Свод, en: Svod}\ntime_zone: Europe/Samarra\nserver: {bind: localhost}\n";
        fs_err::write(folder.path().join(SETTINGS_FILE), text).unwrap();
        let problems = Settings::load(folder.path()).unwrap_err().to_string();
        assert!(problems.contains("svod.yaml:2:12: `time_zone`: `Europe/Samarra` is not a time zone"), "{problems}");
        assert!(problems.contains("e.g. `Europe/Samara`"), "{problems}");
        assert!(problems.contains("svod.yaml:3:16: `bind`"), "{problems}");
    }

    #[test]
    fn a_lake_in_a_bucket_is_checked_and_its_keys_lie_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let load = |lake: &str| {
            let text = format!("title: {{ru: Свод, en: Svod}}\ntime_zone: Europe/Samara\nlake:\n  s3: {{{lake}}}\n");
            fs_err::write(folder.path().join(SETTINGS_FILE), text).unwrap();
            Settings::load(folder.path()).map_err(|problems| problems.to_string())
        };
        let settings = load(
            "bucket: svod, prefix: /warehouse/, endpoint: \"http://minio.local:9000\", region: us-east-1, path_style: true",
        );
        let lake = settings.unwrap().lake.unwrap();
        assert_eq!(lake.to_string(), "s3://svod/warehouse at http://minio.local:9000");
        assert_eq!(lake.store.secret_key, Secret::Env("AWS_SECRET_ACCESS_KEY".to_owned()));
        assert_eq!(lake.cache_bytes, 10 * 1024 * 1024 * 1024);
        let lake =
            load("bucket: svod, access_key: {env: A}, secret_key: {file: b}, cache_bytes: 5").unwrap().lake.unwrap();
        assert_eq!(lake.store.access_key, Secret::Env("A".to_owned()));
        assert_eq!((lake.store.secret_key, lake.cache_bytes), (Secret::File("b".to_owned()), 5));
        let wrong = load("bucket: svod/warehouse, endpoint: minio").unwrap_err();
        assert!(wrong.contains("svod.yaml:4:16: `bucket`: `svod/warehouse` is no name of a bucket"), "{wrong}");
        assert!(wrong.contains("`endpoint`: `minio` is not an HTTP address"), "{wrong}");
        assert!(load("bucket: svod, secret_key: written-here").is_err());
    }

    #[test]
    fn lineage_goes_to_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let load = |lineage: &str| {
            let text = format!("title: {{ru: Свод, en: Svod}}\ntime_zone: Europe/Samara\nlineage: {lineage}\n");
            fs_err::write(folder.path().join(SETTINGS_FILE), text).unwrap();
            Settings::load(folder.path()).map_err(|problems| problems.to_string())
        };
        let settings = load("{url: \"http://127.0.0.1:5000/api/v1/lineage\"}").unwrap();
        assert_eq!(settings.lineage.unwrap().namespace, "svod");
        assert!(load("{file: lineage.ndjson, namespace: region}").is_ok());
        let both = load("{file: a, url: \"http://a\"}").unwrap_err();
        assert!(both.contains("svod.yaml:3:10: `lineage`: expected exactly one of `file` and `url`"), "{both}");
        let wrong = load("{url: \"ftp://a\"}").unwrap_err();
        assert!(wrong.contains("svod.yaml:3:16: `url`: `ftp://a` is not an HTTP address"), "{wrong}");
    }
}
