//! The side of `petct` in the comparison with its peers: one step at a time, as `peers.py` asks for it.
//!
//! `cargo bench --bench peers -- PAIR` holds the two scans of `petct phantom pair` in memory and answers each line on
//! standard input, the name of a step, with its seconds and a figure of its result that the peers must share. See
//! `benches/peers/README.md`.

use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;

use glam::DAffine3;
use petct::alignment::{self, align};
use petct::dicom::{Series, load_ct, load_pet, scan, select};
use petct::render::turning_mip;
use petct::resample::{gaussian_smooth, resample, sigma_of_fwhm};
use petct::segmentation::{Region, components};
use petct::statistics::{maximum, peak_global, statistics};
use petct::suv::{Overrides, SuvKind, plan};
use petct::volume::Volume;
use rayon::prelude::*;

/// Below most tissue, and above all but hot spots and organs.
const LOW: f32 = 0.5;
const HIGH: f32 = 4.0;

struct Study {
    pet: Series,
    ct: Series,
}

fn open(folder: &Path) -> Study {
    let studies = scan(folder).expect("a study").output;
    let found = select(&studies, None).expect("it has a PET");
    Study { pet: found.pet.clone(), ct: found.ct.expect("it has a CT").clone() }
}

/// The series of a folder that holds one, as the peers are given it.
fn only_series(folder: &Path) -> Series {
    let mut studies = scan(folder).expect("a study").output;
    studies.pop().and_then(|mut study| study.series.pop()).expect("a series")
}

fn suv(pet: &Series) -> Volume<f32> {
    let acquisition = pet.acquisition.as_ref().expect("a PET");
    let plan = plan(acquisition, SuvKind::BodyWeight, &Overrides::default()).expect("SUV").output;
    load_pet(pet, &plan.factors).expect("it loads")
}

fn hounsfield(ct: &Series) -> Volume<i16> {
    load_ct(ct).expect("it loads")
}

fn main() {
    // `cargo bench` without a folder has nothing to compare.
    let Some(folder) = std::env::args().skip(1).find(|a| !a.starts_with("--")) else { return };
    let folder = Path::new(&folder);
    let (first, second) = (folder.join("t0"), folder.join("t1"));
    let study = open(&first);
    let (pet, ct) = (suv(&study.pet), hounsfield(&study.ct));
    let later = open(&second);
    let (pet_later, ct_later) = (suv(&later.pet), hounsfield(&later.ct));
    let low = components(&pet, LOW);
    let high = components(&pet, HIGH);
    let whole = Region::from_offsets(pet.geometry().shape(), 0..pet.values().len());
    let sigma = [sigma_of_fwhm(6.0); 3];
    let ends = |values: &[f32]| f64::from(values.iter().copied().fold(f32::MIN, f32::max));
    let step = |name: &str| -> Option<f64> {
        Some(match name {
            "headers" => scan(&first).expect("a study").output.len() as f64,
            "pet" => ends(&suv(&only_series(&first.join("pet"))).values()[..1]),
            "ct" => f64::from(hounsfield(&only_series(&first.join("ct"))).values()[0]),
            "maximum" => f64::from(maximum(&pet).0),
            "components" => components(&pet, LOW).len() as f64,
            "statistics" => {
                let each = low.par_iter().filter_map(|region| statistics(&pet, region));
                each.collect::<Vec<_>>().iter().map(|s| s.mean).sum()
            }
            "peaks" => {
                let each = high.par_iter().filter_map(|region| peak_global(&pet, region));
                each.collect::<Vec<_>>().iter().map(|p| p.mean).fold(0.0, f64::max)
            }
            "peak of the volume" => peak_global(&pet, &whole).expect("voxels").mean,
            "smoothing" => f64::from(gaussian_smooth(&pet, sigma).values()[0]),
            "resampling" => {
                f64::from(resample(&ct, pet.geometry(), DAffine3::IDENTITY, -1024.0).values()[0])
            }
            "mip" => ends(&turning_mip(&pet, 36)[7].values),
            "registration" => {
                fn side<'a>(pet: &'a Volume<f32>, ct: &'a Volume<i16>) -> alignment::Scan<'a> {
                    alignment::Scan { pet, ct: Some(ct), frame_of_reference_uid: None }
                }
                let found = align(&side(&pet, &ct), &side(&pet_later, &ct_later));
                found.follow_up_from_baseline.translation.length()
            }
            _ => return None,
        })
    };
    let mut answers = io::stdout().lock();
    let mut say = |text: String| {
        writeln!(answers, "{text}").and_then(|()| answers.flush()).expect("someone listens");
    };
    say(format!("ready {}", rayon::current_num_threads()));
    for line in io::stdin().lock().lines() {
        let name = line.expect("text");
        let started = Instant::now();
        let result = black_box(step(&name));
        let seconds = started.elapsed().as_secs_f64();
        say(result.map_or_else(|| "unknown".into(), |value| format!("{seconds:.6} {value}")));
    }
}
