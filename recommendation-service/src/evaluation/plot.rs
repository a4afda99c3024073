//! The table as a picture: NDCG@10 of each contender as a bar, with its interval.

use plotters::{
    chart::ChartBuilder,
    drawing::{DrawingAreaErrorKind, IntoDrawingArea},
    element::{PathElement, Rectangle, Text},
    prelude::SVGBackend,
    style::{BLACK, Color, IntoFont, RGBColor, WHITE},
};

use super::report::Row;

const WIDTH: u32 = 960;
const ROW_HEIGHT: u32 = 28;
const MARGIN: u32 = 110;
const BAR: RGBColor = RGBColor(0x3b, 0x7d, 0xd8);
const LABEL_WIDTH: u32 = 240;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[error("the plot cannot be drawn: {0}")]
pub struct PlotError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for PlotError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

/// The picture as SVG.
///
/// # Errors
/// [`PlotError`].
pub fn svg(title: &str, rows: &[Row]) -> Result<String, PlotError> {
    let mut text = String::new();
    draw(title, rows, &mut text)?;
    Ok(text)
}

fn draw(title: &str, rows: &[Row], text: &mut String) -> Result<(), PlotError> {
    let count = u32::try_from(rows.len()).map_err(|_| PlotError("too many rows".into()))?;
    let area = SVGBackend::with_string(text, (WIDTH, MARGIN + ROW_HEIGHT * count)).into_drawing_area();
    area.fill(&WHITE)?;
    let highest = rows.iter().map(|row| row.ndcg_10.high).fold(0.0, f64::max).max(0.01) * 1.05;
    let rows_range = 0.0..rows.len().max(1) as f64;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(45)
        .y_label_area_size(LABEL_WIDTH)
        .build_cartesian_2d(0.0..highest, rows_range)?;
    chart.configure_mesh().disable_y_mesh().disable_y_axis().x_desc("NDCG@10, 95 % interval").draw()?;
    // The first row is on top.
    let middle = |index: usize| (rows.len() - index) as f64 - 0.5;
    let bars = rows.iter().enumerate().map(|(index, row)| {
        Rectangle::new([(0.0, middle(index) - 0.35), (row.ndcg_10.mean, middle(index) + 0.35)], BAR.mix(0.7).filled())
    });
    chart.draw_series(bars)?;
    let whiskers = rows.iter().enumerate().map(|(index, row)| {
        PathElement::new(vec![(row.ndcg_10.low, middle(index)), (row.ndcg_10.high, middle(index))], BLACK)
    });
    chart.draw_series(whiskers)?;
    for (index, row) in rows.iter().enumerate() {
        let (_, y) = chart.backend_coord(&(0.0, middle(index)));
        let label = format!("{} {:.4}", row.name, row.ndcg_10.mean);
        area.draw(&Text::new(label, (14, y - 6), ("sans-serif", 13).into_font()))?;
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::metrics::Estimate;

    #[test]
    fn each_contender_has_a_bar_and_its_name_is_escaped() {
        let estimate = Estimate { mean: 0.1, low: 0.08, high: 0.12 };
        let row = |name: &str| Row {
            name: name.to_owned(),
            ndcg_10: estimate,
            recall_20: estimate,
            ndcg_100: estimate,
            map_10: estimate,
            coverage: 0.5,
            novelty: estimate,
            diversity: estimate,
            overlap: 0.1,
            by_popularity: None,
            over_collaborative: estimate,
        };
        let svg = svg("Quality", &[row("all"), row("<peer> & co")]).expect("a picture");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
        assert!(svg.contains("all 0.1000") && svg.contains("&lt;peer&gt; &amp; co 0.1000"), "{svg}");
        assert_eq!(svg.matches("#3B7DD8").count(), 2, "{svg}");
    }
}
