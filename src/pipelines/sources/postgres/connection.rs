//! A connection to a database: its string, and how it is protected.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode as Negotiation};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{PostgresError, PostgresSource};
use crate::pipelines::source_declaration::SslMode;
use crate::pipelines::sources::trust::{Verification, client_config};

/// Connects. The connection is served by a task of its own until the client is dropped.
pub(super) async fn connect(source: &PostgresSource, project: &Path) -> Result<Client, PostgresError> {
    let text = source.connection.read(project)?;
    let (text, stated) = split_ssl_mode(text.trim())?;
    let mut config = Config::from_str(&text).map_err(|_| PostgresError::ConnectionString)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(PostgresError::ConnectionString);
    }
    if config.get_application_name().is_none() {
        config.application_name("svod");
    }
    config.connect_timeout(source.connect_timeout);
    // A server that is cut off is noticed within a minute or two, not after hours.
    config.keepalives_idle(Duration::from_secs(30)).keepalives_interval(Duration::from_secs(10));
    config.keepalives_retries(3).tcp_user_timeout(Duration::from_mins(1));
    let mode = source.ssl_mode.or(stated).unwrap_or(SslMode::VerifyFull);
    let all_local = config.get_hosts().iter().all(is_socket) && config.get_hostaddrs().is_empty();
    if mode == SslMode::Disable || all_local {
        config.ssl_mode(Negotiation::Disable);
        let (client, connection) = config.connect(NoTls).await.map_err(PostgresError::of_connect)?;
        tokio::spawn(connection);
        return Ok(client);
    }
    config.ssl_mode(if mode == SslMode::Prefer { Negotiation::Prefer } else { Negotiation::Require });
    let verification = match mode {
        SslMode::VerifyFull => Verification::Full,
        SslMode::VerifyCa => Verification::Authority,
        SslMode::Disable | SslMode::Prefer | SslMode::Require => Verification::Nothing,
    };
    let tls = MakeRustlsConnect::new(client_config(project, source.ca_file.as_deref(), verification)?);
    let (client, connection) = config.connect(tls).await.map_err(PostgresError::of_connect)?;
    tokio::spawn(connection);
    Ok(client)
}

#[cfg(unix)]
fn is_socket(host: &Host) -> bool {
    matches!(host, Host::Unix(_))
}

#[cfg(not(unix))]
fn is_socket(_host: &Host) -> bool {
    false
}

/// Takes `sslmode` out of a connection string, since the driver does not know all modes.
fn split_ssl_mode(text: &str) -> Result<(String, Option<SslMode>), PostgresError> {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let (head, settings, separator) = match text.split_once('?') {
        Some((head, settings)) if is_url => (format!("{head}?"), settings, '&'),
        _ if is_url => return Ok((text.to_owned(), None)),
        _ => (String::new(), text, ' '),
    };
    let mut mode = None;
    let mut kept = Vec::new();
    for setting in settings.split(separator) {
        match setting.trim().strip_prefix("sslmode=") {
            Some(name) => mode = Some(named(name.trim_matches('\'')).ok_or(PostgresError::SslMode)?),
            None => kept.push(setting),
        }
    }
    let kept = format!("{head}{}", kept.join(&separator.to_string()));
    Ok((kept.trim_end_matches('?').to_owned(), mode))
}

fn named(name: &str) -> Option<SslMode> {
    Some(match name {
        "disable" => SslMode::Disable,
        // libpq's `allow` begins without TLS; with TLS first it ends in the same place.
        "allow" | "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_taken_out_of_both_kinds_of_strings() {
        let cases = [
            (
                "postgres://u:p@h/d?sslmode=verify-full&connect_timeout=3",
                "postgres://u:p@h/d?connect_timeout=3",
                Some(SslMode::VerifyFull),
            ),
            ("postgresql://u@h/d?sslmode=disable", "postgresql://u@h/d", Some(SslMode::Disable)),
            ("postgres://u@h/d", "postgres://u@h/d", None),
            ("host=h sslmode='verify-ca' user=u", "host=h user=u", Some(SslMode::VerifyCa)),
            ("host=h password='a b?c' user=u", "host=h password='a b?c' user=u", None),
        ];
        for (text, rest, mode) in cases {
            assert_eq!(split_ssl_mode(text).unwrap(), (rest.to_owned(), mode), "{text}");
        }
        assert!(matches!(split_ssl_mode("host=h sslmode=strong"), Err(PostgresError::SslMode)));
    }
}
