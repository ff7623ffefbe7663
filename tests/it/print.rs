//! The figure for print: where everything stands, true shapes, and the picture itself.

use glam::DVec3;
use petct::geometry::VolumeGeometry;
use petct::render::{
    CompareColumn, Outline, PictureInput, PrintSize, Region, RegionKind, Sheet, Window,
    print_figure,
};
use petct::volume::{Mask, Volume};

use crate::pictures::{ball, check, hounsfield, volume_of};

/// On the patient's left, before the middle.
const LESION: DVec3 = DVec3::new(60.0, -25.0, 100.0);
const RADIUS: f64 = 30.0;

/// A body as `hounsfield` has it, with one round lesion of even uptake.
struct Scan {
    suv: Volume<f32>,
    ct: Volume<i16>,
    lesion: Mask,
}

impl Scan {
    fn new(spacing: [f64; 3], lesion: f32, shift: DVec3) -> Self {
        let place = LESION + shift;
        let body = DVec3::new(0.0, 0.0, -60.0) + shift;
        let suv = volume_of(spacing, 0.0, |p| {
            let inside = ((p - body) / DVec3::new(180.0, 110.0, 320.0)).length() <= 1.0;
            if (p - place).length() <= RADIUS { lesion } else { f32::from(u8::from(inside)) }
        });
        let ct = volume_of([6.0, 4.0, 4.0], -1000, |p| hounsfield(p - shift));
        let lesion = ball(&suv, place, RADIUS);
        Self { suv, ct, lesion }
    }

    fn column(&self, ct: bool, shift: DVec3, words: [&str; 3]) -> CompareColumn<'_> {
        let outline = Outline {
            region: Region::Mask(&self.lesion),
            label: String::new(),
            kind: RegionKind::Lesion,
        };
        CompareColumn {
            input: PictureInput {
                suv: &self.suv,
                ct: ct.then_some(&self.ct),
                outlines: vec![outline],
                focus_mm: Some(LESION + shift),
            },
            captions: words[..2].iter().map(ToString::to_string).collect(),
            section_captions: vec![words[2].to_owned()],
        }
    }
}

const SIZE: PrintSize = PrintSize { width_mm: 180.0, dpi: 150.0 };
const SHIFT: DVec3 = DVec3::new(-20.0, 8.0, 35.0);

/// Three scans, the second moved, the third without CT.
fn figure() -> Sheet {
    let spacing = [6.0, 8.0, 8.0];
    let (first, second, third) = (
        Scan::new(spacing, 9.0, DVec3::ZERO),
        Scan::new(spacing, 4.0, SHIFT),
        Scan::new(spacing, 1.0, DVec3::ZERO),
    );
    let columns = [
        first.column(true, DVec3::ZERO, ["Baseline", "Deauville 5", "Left lung, SUVmax 9.0"]),
        second.column(true, SHIFT, ["Follow-up 1", "Deauville 4, PMR", "Same place, SUVmax 4.0"]),
        third.column(false, DVec3::ZERO, ["Follow-up 2", "Deauville 1, CMR", "Same place"]),
    ];
    let notes = ["a–c: projections. d–f: sections. Research use only.".to_owned()];
    print_figure(&columns, &notes, SIZE, Window::PET)
}

/// The attribute of an element as a number.
fn number(element: &str, name: &str) -> f64 {
    let rest = element.split_once(&format!(" {name}=\"")).unwrap().1;
    rest.split_once('"').unwrap().0.trim_end_matches("mm").parse().unwrap()
}

/// Elements of a kind, without the ground under letters.
fn elements<'a>(svg: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("<{kind} ");
    let found = svg.match_indices(&start).map(|(at, _)| &svg[at..]);
    let ends = if kind == "text" { "</text>" } else { ">" };
    let found = found.map(|rest| &rest[..rest.find(ends).unwrap() + ends.len()]);
    found.filter(|element| !element.contains("aria-hidden")).collect()
}

/// Left, top, width, height of the pictures: projection and section of each column; bars left out.
fn panels(svg: &str) -> Vec<[f64; 4]> {
    let area = |e: &str| ["x", "y", "width", "height"].map(|name| number(e, name));
    elements(svg, "image").into_iter().map(area).filter(|[.., width, _]| *width > 60.0).collect()
}

/// Left, top, right, bottom of a path.
fn bounds(path: &str) -> [f64; 4] {
    let steps = path.split_once(" d=\"").unwrap().1.split_once('"').unwrap().0;
    let numbers: Vec<f64> = steps
        .split(['M', 'L', ' '])
        .filter(|n| !n.is_empty())
        .map(|n| n.parse().unwrap())
        .collect();
    let over = |axis: usize, pick: fn(f64, f64) -> f64| {
        numbers.iter().skip(axis).step_by(2).copied().reduce(pick).unwrap()
    };
    [over(0, f64::min), over(1, f64::min), over(0, f64::max), over(1, f64::max)]
}

fn paths<'a>(svg: &'a str, colour: &str) -> Vec<&'a str> {
    let colour = format!("stroke=\"{colour}\"");
    elements(svg, "path").into_iter().filter(|path| path.contains(&colour)).collect()
}

#[test]
fn the_figure_looks_as_it_did() {
    check("print", &figure().image());
}

#[test]
fn the_sheet_has_the_width_that_was_asked_for() {
    let sheet = figure();
    let [width, height] = sheet.size();
    assert_eq!(width, 1063); // 180 mm at 150 dpi
    let svg = sheet.svg("A title", "Captions <1>");
    let root = elements(&svg, "svg")[0];
    assert!((number(root, "width") - 180.0).abs() < 0.1, "{root}");
    assert!(root.contains(&format!("viewBox=\"0 0 {width} {height}\"")), "{root}");
    assert!(svg.contains("<title>A title</title>") && svg.contains("<desc>Captions &lt;1&gt;"));
    // A figure of less resolution is the same figure.
    assert_eq!(sheet.image().dimensions(), (width as u32, height as u32));
}

#[test]
fn rows_are_aligned_and_lettered() {
    let svg = figure().svg("", "");
    let panels = panels(&svg);
    assert_eq!(panels.len(), 6);
    for row in 0..2 {
        let of_row: Vec<_> = (0..3).map(|n| panels[2 * n + row]).collect();
        assert!(of_row.iter().all(|p| p[1..] == of_row[0][1..]), "one height and size: {of_row:?}");
        assert!(of_row[0][0] < of_row[1][0] && of_row[1][0] < of_row[2][0]);
    }
    let texts = elements(&svg, "text");
    for (n, letter) in ["a", "b", "c", "d", "e", "f"].iter().enumerate() {
        let text = texts.iter().find(|t| t.ends_with(&format!(">{letter}</text>"))).unwrap();
        let [x, y, width, height] = panels[2 * (n % 3) + n / 3];
        let (u, v) = (number(text, "x") - x, number(text, "y") - y);
        assert!(u > 0.0 && u < 0.1 * width && v > 0.0 && v < 0.2 * height, "{letter}: {u}, {v}");
    }
    // Right of the patient on the left of every picture.
    let sides = |name: &str| -> Vec<f64> {
        let side = |t: &&&str| t.ends_with(&format!(">{name}</text>"));
        texts.iter().filter(side).map(|t| number(t, "x")).collect()
    };
    let (right, left) = (sides("R"), sides("L"));
    assert_eq!((right.len(), left.len()), (6, 6));
    for (i, [x, _, width, _]) in panels.iter().enumerate() {
        assert!(right[i] - x < 0.1 * width && x + width - left[i] < 0.1 * width, "panel {i}");
    }
}

/// Outlines of the lesion in the pictures of the first scan, and the scale of each row in pixels a millimetre.
fn outlines_and_scales(svg: &str) -> [([f64; 4], f64); 2] {
    let outlines =
        [("#d53000", 0), ("#00e6ff", 0)].map(|(colour, n)| bounds(paths(svg, colour)[n]));
    let texts: Vec<&str> =
        elements(svg, "text").into_iter().filter(|t| t.ends_with(" cm</text>")).collect();
    let scale = |text: &str| {
        let words = text.trim_end_matches("</text>").rsplit_once('>').unwrap().1;
        let mm = 10.0 * words.trim_end_matches(" cm").parse::<f64>().unwrap();
        // The bar stands under its words, from the same place on.
        let (x, y) = (number(text, "x"), number(text, "y"));
        let bar =
            elements(svg, "path").into_iter().map(bounds).find(|[left, top, right, bottom]| {
                (left - x).abs() < 1.0
                    && (bottom - top) < 1.0
                    && *top > y
                    && top - y < 20.0
                    && right - left > 20.0
            });
        let [left, _, right, _] = bar.unwrap();
        (right - left) / mm
    };
    [(outlines[0], scale(texts[0])), (outlines[1], scale(texts[1]))]
}

/// A sphere is outlined as a circle of its size, where it lies, for voxels of any shape.
#[test]
fn outlines_lie_on_the_lesion_and_shapes_are_true() {
    for spacing in [[2.0, 4.07, 4.07], [5.0, 2.0, 2.0], [4.0, 4.0, 4.0]] {
        let scan = Scan::new(spacing, 9.0, DVec3::ZERO);
        let column = scan.column(true, DVec3::ZERO, ["a", "b", "c"]);
        let size = PrintSize { width_mm: 80.0, dpi: 300.0 };
        let sheet = print_figure(&[column], &[], size, Window::PET);
        let svg = sheet.svg("", "");
        let panels = panels(&svg);
        let largest = spacing.iter().copied().fold(0.0, f64::max);
        for (row, (outline, pixels)) in outlines_and_scales(&svg).into_iter().enumerate() {
            let [left, top, right, bottom] = outline;
            for length in [(right - left) / pixels, (bottom - top) / pixels] {
                assert!(
                    (length - 2.0 * RADIUS).abs() <= largest + 0.5,
                    "{spacing:?} row {row}: {length}"
                );
            }
            // The patient's left is on the right.
            let [x, _, width, _] = panels[row];
            assert!(0.5 * (left + right) > x + 0.5 * width, "{spacing:?} row {row}");
        }
        // What is hot in the section is inside the outline: white by the palette at SUV 9.
        let image = sheet.image();
        let [left, top, right, bottom] = outlines_and_scales(&svg)[1].0;
        let white = |x: f64, y: f64| image.get_pixel(x as u32, y as u32).0.iter().all(|c| *c > 200);
        let (u, v) = (0.5 * (left + right), 0.5 * (top + bottom));
        assert!(white(u, v) && white(0.3 * u + 0.7 * left, v) && white(u, 0.3 * v + 0.7 * top));
        assert!(!white(left - 12.0, v) && !white(u, bottom + 12.0), "{spacing:?}");
    }
}

/// The place stands at one point of all sections, and at one height of all projections, wherever the patient lay.
#[test]
fn the_same_place_stands_at_the_same_point() {
    let svg = figure().svg("", "");
    let panels = panels(&svg);
    let middle =
        |[left, top, right, bottom]: [f64; 4]| [0.5 * (left + right), 0.5 * (top + bottom)];
    let projections: Vec<_> = paths(&svg, "#d53000").into_iter().map(bounds).map(middle).collect();
    let sections: Vec<_> = paths(&svg, "#00e6ff").into_iter().map(bounds).map(middle).collect();
    assert!((projections[0][1] - projections[1][1]).abs() < 6.0, "{projections:?}");
    let inside =
        |n: usize| [sections[n][0] - panels[2 * n + 1][0], sections[n][1] - panels[2 * n + 1][1]];
    let (first, second) = (inside(0), inside(1));
    assert!(
        (first[0] - second[0]).abs() < 6.0 && (first[1] - second[1]).abs() < 6.0,
        "{first:?} {second:?}"
    );
}

#[test]
fn a_figure_does_not_depend_on_threads_and_grows_with_its_resolution() {
    let scan = Scan::new([8.0; 3], 9.0, DVec3::ZERO);
    let draw = |dpi| {
        let column = scan.column(true, DVec3::ZERO, ["a", "b", "c"]);
        print_figure(&[column], &[], PrintSize { width_mm: 71.0, dpi }, Window::PET)
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| draw(150.0).image())
    };
    assert_eq!(with(1), with(3));
    let (coarse, fine) = (draw(150.0).size_mm(), draw(600.0).size_mm());
    assert!((0..2).all(|axis| (coarse[axis] - fine[axis]).abs() < 1.0), "{coarse:?} {fine:?}");
}

/// Volumes of one voxel, of nothing but NaN, places far outside, no scan at all.
#[test]
fn odd_volumes_give_sheets_of_bounded_size() {
    let straight = |z, y, x| [z * DVec3::Z, y * DVec3::Y, x * DVec3::X];
    for (shape, steps) in [
        ([1, 1, 1], straight(3.0, 4.0, 4.0)),
        ([1, 1, 1], straight(1e6, 1e6, 1e6)),
        ([2, 2, 2], straight(1e-5, 1e-5, 1e-5)),
        ([300, 1, 1], straight(100.0, 0.01, 0.01)),
        ([1, 300, 1], straight(0.01, 100.0, 0.01)),
    ] {
        let geometry = VolumeGeometry::new(shape, DVec3::new(1e3, -1e3, 0.0), steps).unwrap();
        for value in [0.0, 5.0, f32::NAN, f32::INFINITY] {
            let suv = Volume::filled(geometry.clone(), value);
            for focus_mm in [None, Some(DVec3::splat(1e9)), Some(DVec3::splat(-1e9))] {
                let input = PictureInput { suv: &suv, ct: None, outlines: Vec::new(), focus_mm };
                let column = CompareColumn {
                    input,
                    captions: vec!["Łódź ≥ 4".to_owned()],
                    section_captions: Vec::new(),
                };
                let size = PrintSize { width_mm: 90.0, dpi: 72.0 };
                let sheet = print_figure(&[column.clone(), column], &[], size, Window::PET);
                assert!(sheet.size().iter().all(|n| *n < 1200), "{shape:?} {:?}", sheet.size());
                assert!(sheet.svg("", "").ends_with("</svg>\n"));
            }
        }
    }
    let size = PrintSize { width_mm: 90.0, dpi: 72.0 };
    assert!(print_figure(&[], &[], size, Window::PET).size()[1] < 1000);
}
