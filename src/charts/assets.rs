//! The front-end assets in the binary: what `make web` put into `dashboards/web/dist`.

use rust_embed::Embed;

/// Fonts, styles and scripts by their path below `/assets/`.
#[derive(Debug, Clone, Copy, Embed)]
#[folder = "dashboards/web/dist"]
pub struct WebAssets;
