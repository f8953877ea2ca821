//! Stops with one sentence where the front-end assets, which the binary embeds, have not been built.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=dashboards/web/dist");
    if !Path::new("dashboards/web/dist/fonts.css").exists() {
        println!("cargo::error=run `make web` (needs Node.js)");
    }
}
