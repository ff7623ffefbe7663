//! `petct figure`.

use std::path::Path;
use std::process::ExitCode;

use petct::assessment::SeriesScan;
use petct::deauville::Scored;
use petct::diagnostic::Warning;
use petct::report::compare::alignment_warning;
use petct::report::figure::FigureDocument;
use petct::report::pictures::{PrintOptions, Target, for_print, target_of, usual_target};

use crate::args::{FigureOptions, FigureTarget};
use crate::compare::{in_order_of_time, pairs_of, read_scans, series_of, with_pets};
use crate::console::{Console, check_apart};
use crate::decisions::{GivenLinks, given_decisions};
use crate::failure::Failure;
use crate::folder::write_file;
use crate::open::Ct;

/// Title of the SVG, for those who cannot see the figure.
const TITLE: &str = "FDG PET/CT: projections and axial sections";

pub(crate) fn run(options: &FigureOptions, console: &Console) -> Result<ExitCode, Failure> {
    let series_options = &options.series;
    let paths: Vec<&Path> = series_options.scans.iter().map(|(s, _)| s.path.as_path()).collect();
    check_apart(&options.output, &paths)?;
    let given = given_decisions(&series_options.scans)?;
    let links = GivenLinks::read(series_options.links.as_deref())?;
    let mut waiting = read_scans(series_options, &given, (Ct::Load, links.is_some()), console)?;
    in_order_of_time(&mut waiting, &paths)?;
    let (scans, aligned) = with_pets(waiting, console)?;
    let mut series = series_of(&scans)?;
    let criteria = &series_options.criteria;
    let pairs = pairs_of(&mut series, &scans, (&aligned, links.as_ref()), criteria, console)?;
    let target = match options.target {
        Some(chosen) => Some(target(&series, chosen)?),
        None => usual_target(&series, &pairs),
    };
    let print = PrintOptions {
        size: options.size,
        suv_max: options.suv_max,
        outlined: options.outlined,
        dates: options.dates,
    };
    let figure = console.busy("drawing", || for_print(&series, &pairs, target, &print));
    let mut warnings = figure.warnings.clone();
    for (n, read) in scans.iter().enumerate() {
        let of_scan = read.scan.about.warnings.iter().chain(&read.assessed.assessment.warnings);
        let named = |w: &Warning| Warning::new(w.code, format!("scan {n}: {}", w.message));
        warnings.extend(of_scan.map(named));
    }
    warnings.extend(pairs.iter().filter_map(alignment_warning));
    console.check(&warnings)?;
    let sheet = &figure.sheet;
    let is_svg = options.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg"));
    let bytes = console.busy("writing", || {
        if is_svg {
            let captions: Vec<String> = figure.captions.iter().map(|c| c.join("; ")).collect();
            return Ok(sheet.svg(TITLE, &captions.join(". ")).into_bytes());
        }
        png(&options.output, sheet)
    })?;
    write_file(&options.output, &bytes)?;
    let file = options.output.display().to_string();
    let document = FigureDocument::new(file, &figure, target, options.suv_max, warnings);
    let scored = series.iter().all(|s| matches!(s.assessment.deauville.score, Scored::Score(_)));
    console.show(&document, u8::from(!scored))
}

/// What the command line names, if it is there.
fn target(series: &[SeriesScan<'_>], chosen: FigureTarget) -> Result<Target, Failure> {
    match chosen {
        FigureTarget::Place(place_mm) => Ok(Target { scan: 0, place_mm, lesion: None }),
        FigureTarget::Lesion { scan, id } => target_of(series, scan, id).ok_or_else(|| {
            let ids = series.get(scan).map(|scan| {
                let ids = scan.assessment.lesions.iter().map(|l| l.id.to_string());
                ids.collect::<Vec<_>>().join(", ")
            });
            let (message, remedy) = match ids {
                Some(ids) if !ids.is_empty() => {
                    (format!("scan {scan} has no region {id}"), format!("choose one of {ids}"))
                }
                Some(_) => (format!("scan {scan} has no region"), "give a place with --at".into()),
                None => (
                    format!("there is no scan {scan}"),
                    format!("count scans from 0 to {}", series.len() - 1),
                ),
            };
            Failure::new("no_such_region", &message, &remedy)
        }),
    }
}

/// A sheet as PNG that knows its resolution.
fn png(file: &Path, sheet: &petct::render::Sheet) -> Result<Vec<u8>, Failure> {
    let failed = |e: png::EncodingError| {
        let message = format!("{} cannot be written: {e}", file.display());
        Failure::new("cannot_write", &message, "choose another file with -o")
    };
    let image = sheet.image();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let a_metre = (sheet.dpi() / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: a_metre,
        yppu: a_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(image.as_raw()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}
