//! Whole figures against reference pictures, and what must hold for every figure.
//!
//! `BLESS=1 cargo test --test it pictures::` writes the references anew; look at them before committing. A picture that
//! differs is written to `target/pictures/`.

use std::path::Path;

use glam::DVec3;
use image::{RgbImage, imageops};
use petct::{
    geometry::VolumeGeometry,
    render::{
        CompareColumn, FigureText, Outline, PictureInput, Region, RegionKind, Window,
        compare_figure, reference_views, score_figure,
    },
    volume::{Mask, Volume},
};

const LIVER: DVec3 = DVec3::new(-70.0, -20.0, -60.0);
const LESION: DVec3 = DVec3::new(45.0, -30.0, 150.0);

pub(crate) fn volume_of<T: Clone>(
    spacing: [f64; 3],
    outside: T,
    value: impl Fn(DVec3) -> T,
) -> Volume<T> {
    let steps = [spacing[0] * DVec3::Z, spacing[1] * DVec3::Y, spacing[2] * DVec3::X];
    let size = [800.0, 320.0, 480.0];
    let shape = std::array::from_fn(|axis| (size[axis] / spacing[axis]) as usize);
    let origin = DVec3::new(-240.0, -160.0, -400.0);
    let geometry = VolumeGeometry::new(shape, origin, steps).unwrap();
    let mut volume = Volume::filled(geometry, outside);
    for offset in 0..volume.geometry().len() {
        let place = volume.geometry().centre_of(volume.voxel_of(offset));
        volume.values_mut()[offset] = value(place);
    }
    volume
}

/// 1 inside an ellipsoid, 0 outside, soft over its outer tenth.
fn ellipsoid(place: DVec3, centre: DVec3, radii: DVec3) -> f64 {
    let r = ((place - centre) / radii).length();
    ((1.05 - r) * 10.0).clamp(0.0, 1.0)
}

/// A patient of ellipsoids: body, brain, liver, bladder and one lesion.
fn suv(lesion: f64) -> impl Fn(DVec3) -> f32 {
    move |p| {
        let organs = [
            (DVec3::new(0.0, 0.0, -60.0), DVec3::new(180.0, 110.0, 320.0), 0.8),
            (DVec3::new(0.0, 0.0, 320.0), DVec3::new(75.0, 95.0, 75.0), 6.0),
            (LIVER, DVec3::new(75.0, 60.0, 70.0), 1.4),
            (DVec3::new(0.0, -20.0, -320.0), DVec3::new(35.0, 30.0, 25.0), 40.0),
            (LESION, DVec3::new(24.0, 20.0, 30.0), lesion),
        ];
        organs.iter().map(|(c, r, v)| v * ellipsoid(p, *c, *r)).sum::<f64>() as f32
    }
}

pub(crate) fn hounsfield(p: DVec3) -> i16 {
    let body = ellipsoid(p, DVec3::new(0.0, 0.0, -60.0), DVec3::new(180.0, 110.0, 320.0));
    let spine = ellipsoid(p, DVec3::new(0.0, 60.0, -60.0), DVec3::new(22.0, 22.0, 300.0));
    let lung = ellipsoid(p, DVec3::new(-80.0, 0.0, 110.0), DVec3::new(60.0, 70.0, 100.0));
    (-1000.0 + 1040.0 * body + 400.0 * spine - 850.0 * lung) as i16
}

pub(crate) fn ball(like: &Volume<f32>, centre: DVec3, radius: f64) -> Mask {
    let mut mask = Volume::filled(like.geometry().clone(), false);
    for offset in 0..mask.geometry().len() {
        let place = mask.geometry().centre_of(mask.voxel_of(offset));
        mask.values_mut()[offset] = (place - centre).length() <= radius;
    }
    mask
}

struct Scan {
    suv: Volume<f32>,
    ct: Volume<i16>,
    lesion: Mask,
    liver: Mask,
}

impl Scan {
    fn new(lesion: f64) -> Self {
        let suv = volume_of([6.0, 8.0, 8.0], 0.0, suv(lesion));
        let (lesion, liver) = (ball(&suv, LESION, 24.0), ball(&suv, LIVER, 15.0));
        Self { ct: volume_of([6.0, 4.0, 4.0], -1000, hounsfield), suv, lesion, liver }
    }

    fn input(&self) -> PictureInput<'_> {
        let outline = |mask, label: &str, kind| Outline {
            region: Region::Mask(mask),
            label: label.to_owned(),
            kind,
        };
        PictureInput {
            suv: &self.suv,
            ct: Some(&self.ct),
            outlines: vec![
                outline(&self.lesion, "1", RegionKind::Lesion),
                outline(&self.liver, "L", RegionKind::Reference),
            ],
            focus_mm: Some(LESION),
        }
    }
}

fn text(title: &str, caption: &str) -> FigureText {
    FigureText { title: title.to_owned(), captions: vec![caption.to_owned()] }
}

/// Compares with `tests/reference/NAME.png`, both at half size: on average at most half a grey level apart (rounding),
/// and fewer than one value in a thousand by more than 24 (a line moved by a fraction of a pixel).
pub(crate) fn check(name: &str, picture: &RgbImage) {
    let half = |n: u32| n.div_ceil(2);
    let size = (half(picture.width()), half(picture.height()));
    let found = imageops::resize(picture, size.0, size.1, imageops::FilterType::Triangle);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("tests/reference/{name}.png"));
    if std::env::var_os("BLESS").is_some() {
        found.save(&path).unwrap();
    }
    let expected = image::open(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; BLESS=1 writes it", path.display()))
        .to_rgb8();
    let differences: Vec<u8> =
        found.iter().zip(expected.iter()).map(|(a, b)| a.abs_diff(*b)).collect();
    let mean = differences.iter().map(|d| f64::from(*d)).sum::<f64>() / differences.len() as f64;
    let far = differences.iter().filter(|d| **d > 24).count();
    if found.dimensions() != expected.dimensions() || mean > 0.5 || far * 1000 > differences.len() {
        let folder = root.join("target/pictures");
        std::fs::create_dir_all(&folder).unwrap();
        let actual = folder.join(format!("{name}.png"));
        found.save(&actual).unwrap();
        panic!(
            "{name} differs: {:?} against {:?}, mean {mean:.3}, {far} far; see {}",
            found.dimensions(),
            expected.dimensions(),
            actual.display()
        );
    }
}

#[test]
fn the_figure_of_one_scan() {
    let scan = Scan::new(9.0);
    let text =
        text("Phantom  Deauville 5", "Lesion 1: SUVmax 9.8. Liver SUVmean 2.2 (3 cm sphere).");
    check("score", &score_figure(&scan.input(), &text, Window::PET));
}

#[test]
fn the_figure_of_a_series() {
    let (first, second) = (Scan::new(9.0), Scan::new(2.0));
    let bare = PictureInput { ct: None, outlines: Vec::new(), ..second.input() };
    let column = |input, time: &str, score: &str, response: &str| CompareColumn {
        input,
        captions: vec![time.to_owned(), score.to_owned(), response.to_owned()],
        section_captions: vec!["site of lesion 1".to_owned()],
    };
    let columns = [
        column(first.input(), "T0", "Deauville 5", "baseline"),
        column(second.input(), "T1", "Deauville 4", "PMR"),
        column(bare, "T2, PET only", "Deauville 4", "PMR"),
    ];
    let text = text("Phantom, three scans", "T0 to T1: SUVmax -70 %.");
    check("compare", &compare_figure(&columns, &text, Window::PET));
}

#[test]
fn a_reference_region_in_three_planes() {
    let scan = Scan::new(9.0);
    let text = text("Liver reference", "SUVmean 2.2, 14.1 mL");
    check("reference", &reference_views(&scan.input(), LIVER, &text, Window::PET));
}

/// Without uptake only what is printed can depend on the window.
#[test]
fn the_window_is_printed_on_the_picture() {
    let suv = volume_of([20.0; 3], 0.0, |_| 0.0);
    let input = PictureInput { suv: &suv, ct: None, outlines: Vec::new(), focus_mm: None };
    let picture = |high| score_figure(&input, &FigureText::default(), Window { low: 0.0, high });
    let (seven, ten, again) = (picture(7.0), picture(10.0), picture(7.0));
    assert_eq!(seven, again);
    assert_ne!(seven, ten);
}

#[test]
fn threads_do_not_change_a_picture() {
    let scan = Scan::new(9.0);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| score_figure(&scan.input(), &FigureText::default(), Window::PET))
    };
    assert_eq!(with(1), with(3));
}

/// Volumes of one voxel, of nothing but NaN, huge, tiny, oblique or flat; regions without voxels; no scan at all.
#[test]
fn odd_volumes_give_pictures_of_bounded_size() {
    let turned = [DVec3::new(0.3, 0.1, 4.0), DVec3::new(0.0, 3.0, 1.0), DVec3::new(5.0, 2.0, 0.5)];
    let straight = |z, y, x| [z * DVec3::Z, y * DVec3::Y, x * DVec3::X];
    for (shape, steps) in [
        ([1, 1, 1], straight(3.0, 4.0, 4.0)),
        ([1, 1, 1], straight(1e6, 1e6, 1e6)),
        ([2, 2, 2], straight(1e-5, 1e-5, 1e-5)),
        ([1, 64, 64], straight(3.0, 4.0, 4.0)),
        ([300, 1, 1], straight(100.0, 0.01, 0.01)),
        ([1, 300, 1], straight(0.01, 100.0, 0.01)),
        ([9, 12, 15], turned),
    ] {
        let geometry = VolumeGeometry::new(shape, DVec3::new(1e3, -1e3, 0.0), steps).unwrap();
        for value in [0.0, 5.0, -1.0, f32::NAN, f32::INFINITY] {
            let suv = Volume::filled(geometry.clone(), value);
            let ct = Volume::filled(geometry.clone(), 40_i16);
            let empty = Volume::filled(geometry.clone(), false);
            let full = Volume::filled(geometry.clone(), true);
            let outlines = [&empty, &full]
                .map(|mask| Outline {
                    region: Region::Mask(mask),
                    label: "a long label".to_owned(),
                    kind: RegionKind::Uncertain,
                })
                .to_vec();
            let input = PictureInput { suv: &suv, ct: Some(&ct), outlines, focus_mm: None };
            let far = DVec3::splat(1e9);
            let column = CompareColumn {
                input: PictureInput { focus_mm: Some(far), ..input.clone() },
                captions: vec!["Łódź ≥ 4".to_owned()],
                section_captions: Vec::new(),
            };
            let text = text("a title", "a caption");
            for picture in [
                score_figure(&input, &text, Window { low: 0.0, high: 0.0 }),
                compare_figure(&[column.clone(), column], &text, Window::PET),
                reference_views(&input, far, &text, Window::PET),
            ] {
                assert!(picture.width() < 3000 && picture.height() < 3000, "{shape:?}");
            }
        }
    }
    let picture = compare_figure(&[], &FigureText::default(), Window::PET);
    assert!(picture.width() < 3000 && picture.height() < 3000);
}
