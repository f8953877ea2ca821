//! SVG to PNG with the embedded fonts and no others, so that every machine draws the same pixels.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::ChartError;
use super::font::fonts;

/// The image, `scale` pixels per unit of the SVG.
pub(super) fn render(svg: &str, scale: f32) -> Result<Vec<u8>, ChartError> {
    let wrong = |message: String| ChartError::Render { message };
    let options = Options { fontdb: fonts()?.database(), font_family: "Golos Text".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| wrong(error.to_string()))?;
    let size = tree.size().to_int_size().scale_by(scale).ok_or_else(|| wrong(format!("no size at scale {scale}")))?;
    let mut pixels = Pixmap::new(size.width(), size.height())
        .ok_or_else(|| wrong(format!("{} × {} pixels are too many", size.width(), size.height())))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| wrong(error.to_string()))
}
