//! `svod.yaml`: what holds for the whole project.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::declarations::{Problems, Source, Spanned};
use crate::domain::language::Text;

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
        problems.into_result(Self { title: raw.title, time_zone, bind, pseudonym_key_file: raw.pseudonym_key_file })
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
}
