use std::path::Path;

use thiserror::Error;

use super::canvas::PngError;
use super::figures::figures;
use super::html::{Page, html};
use domino::core::files::{WriteError, create_folder, write_bytes};

/// Why a report cannot be written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A figure cannot be rasterised.
    #[error("{figure}: {source}")]
    Png {
        /// Name of the figure.
        figure: &'static str,
        /// Why not.
        source: PngError,
    },
    /// The report cannot be expressed in JSON.
    #[error("report.json: {0}")]
    Json(#[from] serde_json::Error),
}

/// Writes `figures/*.svg`, `figures/*.png`, `report.html` and, last, `report.json` into a folder.
///
/// Each file is either absent or whole, and the same for the same input; a folder with a
/// `report.json` has all the others. A number that JSON lacks, such as NaN, becomes `null`.
///
/// # Errors
/// [`ReportError`] naming the file or figure.
pub fn write_report(folder: &Path, page: &Page<'_>) -> Result<(), ReportError> {
    create_folder(&folder.join("figures"))?;
    for figure in figures(page.report, page.curves) {
        let path = |kind: &str| folder.join("figures").join(format!("{}.{kind}", figure.name));
        write_bytes(&path("svg"), figure.canvas.to_svg().as_bytes())?;
        let png = figure
            .canvas
            .to_png()
            .map_err(|source| ReportError::Png { figure: figure.name, source })?;
        write_bytes(&path("png"), &png)?;
    }
    write_bytes(&folder.join("report.html"), html(page).as_bytes())?;
    let json = serde_json::to_string_pretty(page.report)? + "\n";
    Ok(write_bytes(&folder.join("report.json"), json.as_bytes())?)
}
