//! Spheres of known size in constructed scans, measured on the canvas: as wide as high whatever the voxels, patient's right at
//! the left.

use glam::DVec3;
use serde_json::Value;
use tempfile::TempDir;

use super::{check_quiet, opened};
use crate::browser::chromium::Page;
use crate::cli::arg;
use crate::samples::{Run, regions};
use crate::synthetic::Synthetic;

/// Radius of the large sphere, millimetres, round the middle of the scan.
const RADIUS: f64 = 40.0;
/// The small one lies to the right of the patient.
const SMALL: DVec3 = DVec3::new(-80.0, 0.0, 0.0);
const SMALL_RADIUS: f64 = 14.0;
/// Stored value of SUV 1: 70 kg, and 370 million becquerels that decayed for an hour.
const SUV: f64 = 3620.0;

/// What is stored at a place: spheres of SUV 8 in a body of SUV 1.
fn stored(place: DVec3) -> i32 {
    let inside = |centre: DVec3, radius: f64| place.distance(centre) <= radius;
    let body = (place * DVec3::new(1.0 / 125.0, 1.0 / 105.0, 0.0)).length() < 1.0;
    let hot = inside(DVec3::ZERO, RADIUS) || inside(SMALL, SMALL_RADIUS);
    let suv = if hot { 8.0 } else { f64::from(u8::from(body)) };
    (suv * SUV) as i32
}

fn origin(shape: [usize; 3], [ds, dr, dc]: [f64; 3]) -> DVec3 {
    let first = |n: usize, step: f64| -0.5 * (n - 1) as f64 * step;
    DVec3::new(first(shape[2], dc), first(shape[1], dr), first(shape[0], ds))
}

/// A scan with voxels of `SLICE` x `PIXEL` x `PIXEL` hundredths of a millimetre, 300 mm wide and high.
fn scan<const SLICE: usize, const PIXEL: usize>() -> Synthetic {
    fn lattice<const SLICE: usize, const PIXEL: usize>() -> ([usize; 3], [f64; 3]) {
        let shape = [30_000 / SLICE, 30_000 / PIXEL, 30_000 / PIXEL];
        (shape, [SLICE as f64 / 100.0, PIXEL as f64 / 100.0, PIXEL as f64 / 100.0])
    }
    let (shape, spacing_mm) = lattice::<SLICE, PIXEL>();
    Synthetic {
        shape,
        spacing_mm,
        origin_mm: origin(shape, spacing_mm),
        slope: |_| 1.0,
        stored: |[s, r, c]| {
            let (shape, [ds, dr, dc]) = lattice::<SLICE, PIXEL>();
            stored(
                origin(shape, [ds, dr, dc])
                    + DVec3::new(c as f64 * dc, r as f64 * dr, s as f64 * ds),
            )
        },
        ..Synthetic::pet()
    }
}

/// What a canvas shows in black: the longest runs of pixels from left to right and from top to bottom as start and length, the
/// runs in the row of the first, and the size of the canvas.
const BLACK: &str = "((canvas) => {
  const { width, height } = canvas;
  const data = pixelsOf(canvas);
  const black = (x, y) => data[4 * (y * width + x)] < 90;
  const runs = (length, is) => {
    const found = [];
    for (let n = 0; n < length; n++) {
      if (!is(n)) continue;
      if (n > 0 && is(n - 1)) found[found.length - 1][1] += 1; else found.push([n, 1]);
    }
    return found;
  };
  const longest = (lines) => lines.flat().reduce((best, run) => (run[1] > best[1] ? run : best), [0, 0]);
  const rows = [...Array(height).keys()].map((y) => runs(width, (x) => black(x, y)));
  const columns = [...Array(width).keys()].map((x) => runs(height, (y) => black(x, y)));
  const across = longest(rows);
  // Letters and the crosshair are no spheres.
  const beside = rows.find((row) => row.includes(across)).filter(([start, length]) => length > 6);
  return { across, down: longest(columns), beside, size: [width, height] };
})";

/// Where a canvas shows the colour of an outline: lowest and highest x and y, or nothing.
const COLOURED: &str = "((canvas, [red, green, blue]) => {
  const { width, height } = canvas;
  const data = pixelsOf(canvas);
  let box = null;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const at = 4 * (y * width + x);
    if (Math.hypot(data[at] - red, data[at + 1] - green, data[at + 2] - blue) > 60) continue;
    box = box ?? [x, y, x, y];
    box = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)];
  }
  return box;
})";

/// The pixels of a canvas, read from a copy that is made for being read.
const PIXELS: &str = "window.pixelsOf = (canvas) => {
  const copy = document.createElement('canvas');
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext('2d', { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return context.getImageData(0, 0, copy.width, copy.height).data;
}";

/// Everything that is written on a canvas from now on, as label, text, and place as a share of width and height.
const LISTEN: &str = "(() => {
  const write = CanvasRenderingContext2D.prototype.fillText;
  window.written = [];
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const { canvas } = this;
    window.written.push([canvas.getAttribute('aria-label'), text, x / canvas.width, y / canvas.height]);
    return write.call(this, text, x, y);
  };
})()";

fn canvas(name: &str) -> String {
    format!("document.querySelector('canvas[aria-label^=\"{name}\"]')")
}

fn pair(value: &Value) -> [f64; 2] {
    [0, 1].map(|n| value[n].as_f64().unwrap())
}

fn outline(page: &mut Page, class: &str, shown: bool) {
    let check = format!("document.querySelector('.v-{class} input')");
    if page.value(&format!("{check}.checked")) != shown {
        page.click(&check, 0.5, 0.5);
    }
    page.drawn();
}

/// Opens the page of a scan, all outlines off.
fn shown(scan: &Synthetic) -> Option<(Page, TempDir, Run)> {
    let folder = TempDir::new().unwrap();
    scan.write(folder.path());
    let run = Run::new(&["score", arg(folder.path()), "--threads", "2"]);
    let (mut page, kept) = opened(&run)?;
    page.value(&format!("{PIXELS}; true"));
    for class in ["lesion", "uncertain", "physiologic", "reference"] {
        outline(&mut page, class, false);
    }
    // The crosshair in the middle of the large sphere.
    for name in ["Coronal", "Axial"] {
        page.click(&canvas(name), 0.5, 0.5);
        page.drawn();
    }
    Some((page, kept, run))
}

/// A sphere is as wide as high, by a voxel at most.
fn check_round(page: &mut Page, name: &str, coarsest_mm: f64) -> Value {
    let black = page.value(&format!("{BLACK}({})", canvas(name)));
    let ([_, width], [_, height]) = (pair(&black["across"]), pair(&black["down"]));
    let tolerance = coarsest_mm / (2.0 * RADIUS) * width.max(height) + 1.0;
    assert!(width > 40.0, "{name}: {black}");
    assert!(
        (width - height).abs() <= tolerance,
        "{name}: {width} x {height} pixels, {tolerance} allowed"
    );
    black
}

/// What lies to the right of the patient is seen on the left, or on the right from behind.
fn check_side(black: &Value, name: &str, left: bool) {
    let large = pair(&black["across"]);
    let beside: Vec<[f64; 2]> = black["beside"].as_array().unwrap().iter().map(pair).collect();
    let small: Vec<_> = beside.iter().filter(|[_, length]| *length < 0.7 * large[1]).collect();
    assert_eq!(small.len(), 1, "{name}: {beside:?}");
    assert_eq!(small[0][0] < large[0], left, "{name}: {beside:?}");
}

fn check_letters(page: &mut Page, name: &str, [left, right]: [&str; 2]) {
    page.value(&format!("{}.focus()", canvas("Maximum")));
    // There and back: drawn, and as before.
    page.press("ArrowRight", false);
    page.drawn();
    page.value("window.written.length = 0");
    page.press("ArrowLeft", false);
    page.drawn();
    let written = page.value("window.written");
    let at = |letter: &str, low: f64, high: f64| {
        written.as_array().unwrap().iter().any(|of| {
            of[0].as_str().unwrap().starts_with(name)
                && of[1] == letter
                && (low..high).contains(&of[2].as_f64().unwrap())
                && (0.4..0.6).contains(&of[3].as_f64().unwrap())
        })
    };
    assert!(at(left, 0.0, 0.1) && at(right, 0.9, 1.0), "{name}: {written}");
}

/// The outline of the sphere on the projection lies round what is black.
fn check_outline(page: &mut Page, run: &Run, black: &Value, coarsest_mm: f64) {
    let volume = |region: &Value| region["volume_ml"].as_f64().unwrap();
    let regions = regions(&run.document);
    let sphere = regions.iter().max_by(|a, b| volume(a).total_cmp(&volume(b))).unwrap();
    let class = sphere["class"].as_str().unwrap();
    let colour = match class {
        "lesion" => "[213, 48, 0]",
        "uncertain" => "[170, 60, 130]",
        _ => "[110, 110, 110]",
    };
    let coloured = format!("{COLOURED}({}, {colour})", canvas("Maximum"));
    let before = page.value(&coloured);
    outline(page, class, true);
    let found = page.value(&coloured);
    outline(page, class, false);
    assert_eq!(page.value(&coloured), before);
    let ([_, width], [top, height]) = (pair(&black["across"]), pair(&black["down"]));
    let voxel = coarsest_mm / (2.0 * RADIUS) * width.max(height) + 2.0;
    let bottom = found[3].as_f64().unwrap();
    assert!((bottom - (top + height)).abs() <= voxel, "{found} {black}");
    // The small sphere may be of the same class and lies farther left.
    let left = found[0].as_f64().unwrap();
    let edges: Vec<f64> =
        black["beside"].as_array().unwrap().iter().map(|run| pair(run)[0]).collect();
    assert!(edges.iter().any(|edge| (edge - left).abs() <= voxel), "{found} {black}");
}

fn check(scan: &Synthetic) {
    let Some((mut page, _folder, run)) = shown(scan) else { return };
    let coarsest = scan.spacing_mm.into_iter().fold(0.0, f64::max);
    for name in ["Axial PET", "Coronal PET", "Sagittal PET"] {
        let black = check_round(&mut page, name, coarsest);
        if name != "Sagittal PET" {
            check_side(&black, name, true);
        }
    }
    page.value(LISTEN);
    page.value(&format!("{}.focus()", canvas("Maximum")));
    for quarter in 0..4 {
        let black = check_round(&mut page, "Maximum", coarsest);
        check_outline(&mut page, &run, &black, coarsest);
        match quarter {
            0 => check_side(&black, "from the front", true),
            2 => check_side(&black, "from behind", false),
            _ => {}
        }
        let letters = [["R", "L"], ["A", "P"], ["L", "R"], ["P", "A"]][quarter];
        check_letters(&mut page, "Maximum", letters);
        for _ in 0..9 {
            page.press("ArrowRight", false);
        }
        page.drawn();
    }
    for (name, letters) in
        [("Axial PET", ["R", "L"]), ("Coronal PET", ["R", "L"]), ("Sagittal PET", ["A", "P"])]
    {
        check_letters(&mut page, name, letters);
    }
    check_quiet(&mut page);
}

#[test]
fn a_sphere_is_round_in_flat_voxels() {
    check(&scan::<200, 407>());
}

#[test]
fn a_sphere_is_round_in_long_voxels() {
    check(&scan::<500, 200>());
}
