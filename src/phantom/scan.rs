//! From a plan to the volumes of a scan.

use std::collections::BTreeMap;

use glam::{DAffine3, DVec3};
use rayon::prelude::*;

use super::anatomy::{self, Arms, Build};
use super::lesion::{Extent, Imprint, LesionPlan, amplitude};
use super::map::TissueMap;
use super::paint::{Easel, Part};
use super::planted::Planted;
use super::shape::{Shape, turn};
use super::tissue::{Tissue, Uptake};
use super::truth::{BodyTruth, LesionTruth, PoseTruth, Region, ScanTruth};
use super::{Case, Visit, physics, planted, random};
use crate::geometry::VolumeGeometry;
use crate::volume::Volume;

/// A simulated scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Phantom {
    /// Activity at the start of the scan, Bq/mL.
    pub pet: Volume<f32>,
    /// CT numbers, HU.
    pub ct: Volume<i16>,
    /// What is true of it.
    pub truth: ScanTruth,
}

/// Simulates one scan of a case.
pub fn generate(case: &Case, visit: &Visit) -> Phantom {
    let scan = Scan::new(visit);
    let body = anatomy::body(&visit.build);
    let ct = scan.ct();
    let (suv, mut lesions) = scan.suv(&body);
    lesions.extend(visit.planted.iter().map(|plan| scan.planted_truth(plan, &suv)));
    let per_bqml = visit.build.weight_kg * 1000.0 / visit.protocol.dose_at_start_bq();
    let truth = scan.truth(case, &suv, lesions, per_bqml);
    let pet = suv.map(|&v| (f64::from(v) / per_bqml) as f32);
    Phantom { pet, ct, truth }
}

pub(super) struct Scan<'a> {
    visit: &'a Visit,
    pub(super) scan_from_body: DAffine3,
}

impl<'a> Scan<'a> {
    pub(super) fn new(visit: &'a Visit) -> Self {
        let [x, y, z] = visit.pose.turn_degrees;
        let matrix = turn(x, y, z) * visit.build.stretch();
        Self { visit, scan_from_body: DAffine3::from_mat3_translation(matrix, visit.pose.shift_mm) }
    }

    /// The lattice of the PET.
    pub(super) fn pet_lattice(&self) -> VolumeGeometry {
        let scanner = &self.visit.scanner;
        self.lattice(scanner.pet_voxel_mm, scanner.pet_matrix)
    }

    /// A lattice of square voxels around the axis of the gantry that covers the scanned range of the body.
    fn lattice(&self, (pixel, slice): (f64, f64), matrix: usize) -> VolumeGeometry {
        let scanner = &self.visit.scanner;
        let long = self.visit.build.scale().z;
        // The couch stops at whole centimetres.
        let place = |z: f64| ((z * long + self.visit.pose.shift_mm.z) / 10.0).floor() * 10.0;
        let (bottom, top) = (place(scanner.range_mm.0), place(scanner.range_mm.1));
        let slices = ((top - bottom) / slice) as usize + 1;
        let corner = -0.5 * (matrix - 1) as f64 * pixel;
        let steps = [DVec3::Z * slice, DVec3::Y * pixel, DVec3::X * pixel];
        VolumeGeometry::new([slices, matrix, matrix], DVec3::new(corner, corner, bottom), steps)
            .expect("positive spacing and at least one slice")
    }

    fn ct(&self) -> Volume<i16> {
        let visit = self.visit;
        // The CT shows another moment of the breath.
        let down = -visit.breathing_mm;
        let habitus = visit.build.habitus.breathing(down);
        let body = anatomy::body(&Build { habitus, ..visit.build });
        let occasional = anatomy::occasional(&visit.build, &visit.uptake);
        let scale = visit.build.scale();
        let planted = visit.planted.iter().flat_map(|p| p.parts(scale, down));
        let lesions: Vec<Part> =
            visit.lesions.iter().flat_map(LesionPlan::parts).chain(planted).collect();
        let scanner = &visit.scanner;
        let geometry = self.lattice(scanner.ct_voxel_mm, scanner.ct_matrix);
        let mut canvas = vec![Tissue::Air.hounsfield() as f32; geometry.len()];
        let hounsfield = |part: &Part, _: DVec3| part.tissue.hounsfield_in(&visit.ct_look);
        Easel::new(&geometry, DAffine3::IDENTITY).paint(&mut canvas, &self.table(), hounsfield);
        let easel = Easel::new(&geometry, self.scan_from_body);
        easel.paint(&mut canvas, &body, hounsfield);
        easel.paint(&mut canvas, &occasional, hounsfield);
        easel.paint(&mut canvas, &lesions, hounsfield);
        let seed = random::bits(self.visit.seed, 1);
        let noisy = canvas.par_iter().enumerate().map(|(n, &hu)| {
            let noise = if hu > -980.0 {
                scanner.ct_noise_hu * random::normal(seed, n as u64)
            } else {
                0.0
            };
            (f64::from(hu) + noise).round().clamp(-1000.0, 3000.0) as i16
        });
        let voxels = noisy.collect();
        Volume::from_vec(geometry, voxels)
    }

    /// The couch under the back, level however the person lies.
    fn table(&self) -> Vec<Part> {
        let y = self.visit.pose.shift_mm.y + 132.0 * self.visit.build.scale().y;
        let z = self.visit.pose.shift_mm.z;
        [(Tissue::Table, 0.0), (Tissue::TableCore, 4.0)]
            .map(|(tissue, thinner)| Part {
                tissue,
                shape: Shape::block([0.0, y, z], [205.0 - thinner, 15.0 - thinner, 4000.0], 0.7),
            })
            .to_vec()
    }

    /// The image in SUV and the lesions as they are in it.
    fn suv(&self, body: &[Part]) -> (Volume<f32>, Vec<LesionTruth>) {
        let scanner = &self.visit.scanner;
        let geometry = self.pet_lattice();
        let (shape, spacing) = (geometry.shape(), geometry.spacing_mm());
        let easel = Easel::new(&geometry, self.scan_from_body);
        let mut inside = vec![0.0f32; geometry.len()];
        let skin = body.iter().filter(|p| p.tissue == Tissue::Skin).cloned().collect::<Vec<_>>();
        easel.paint(&mut inside, &skin, |_, _| 1.0);
        let attenuation = physics::attenuation(&inside, shape, spacing);
        let seed = random::bits(self.visit.seed, 2);
        let noise = match self.visit.protocol.noise_grain_mm {
            None => physics::unit_noise(shape, seed),
            Some(grain) => physics::grainy_noise(shape, spacing, grain, seed),
        };
        let mut activity = vec![0.0f32; geometry.len()];
        let person = self.visit.build.person;
        let uptake = |part: &Part, place| uptake_at(part.tissue, place, &self.visit.uptake, person);
        easel.paint(&mut activity, body, uptake);
        let occasional = anatomy::occasional(&self.visit.build, &self.visit.uptake);
        easel.paint(&mut activity, &occasional, uptake);
        for plan in &self.visit.planted {
            let parts = plan.parts(self.visit.build.scale(), 0.0);
            easel.paint(&mut activity, &parts, |_, _| plan.suv);
        }
        physics::blur(&mut activity, shape, spacing, scanner.point_spread_mm);

        let show = |n: usize, activity: f32| {
            physics::counted(
                f64::from(activity),
                attenuation[n],
                noise[n],
                self.visit.protocol.noise_at_one,
            )
        };
        let imprints: Vec<Imprint> = (self.visit.lesions.iter())
            .map(|plan| {
                Imprint::new(plan, body, &geometry, self.scan_from_body, scanner.point_spread_mm)
            })
            .collect();
        let given = self.add_lesions(&imprints, &mut activity, show);
        let lesions = self.lesion_truth(&imprints, &given, &activity, &geometry, show);
        let image = activity.iter().enumerate().map(|(n, &a)| show(n, a) as f32).collect();
        (Volume::from_vec(geometry, image), lesions)
    }

    /// Gives each lesion the activity that shows its SUVmax; twice, because neighbours add to each other.
    fn add_lesions(
        &self,
        imprints: &[Imprint],
        activity: &mut [f32],
        show: impl Fn(usize, f32) -> f64,
    ) -> Vec<f32> {
        let mut given = vec![0.0f32; imprints.len()];
        for _ in 0..3 {
            for ((plan, imprint), given) in self.visit.lesions.iter().zip(imprints).zip(&mut given)
            {
                imprint.voxels.iter().for_each(|&(n, w)| activity[n] -= *given * w);
                *given = amplitude(plan.suv_max, |a| {
                    let hot = |n: usize, _| foreign(activity[n], plan);
                    imprint.greatest(hot, |n, w| show(n, activity[n] + a as f32 * w)).0
                }) as f32;
                imprint.voxels.iter().for_each(|&(n, w)| activity[n] += *given * w);
            }
        }
        given
    }

    fn lesion_truth(
        &self,
        imprints: &[Imprint],
        given: &[f32],
        activity: &[f32],
        geometry: &VolumeGeometry,
        show: impl Fn(usize, f32) -> f64,
    ) -> Vec<LesionTruth> {
        let place = |index| geometry.patient_from_index().transform_point3(index);
        let [_, rows, columns] = geometry.shape();
        let truth = |((plan, imprint), given): ((&LesionPlan, &Imprint), &f32)| {
            let hot = |n: usize, w: f32| foreign(activity[n] - given * w, plan);
            let (suv_max, n) = imprint.greatest(hot, |n, _| show(n, activity[n]));
            LesionTruth {
                name: plan.name.clone(),
                site: plan.site.clone(),
                diffuse: matches!(plan.extent, Extent::Diffuse(_)),
                centre_mm: rounded(place(imprint.centre)),
                volume_ml: round(imprint.volume_ml, 100.0),
                suv_max: round(suv_max, 1000.0),
                suv_max_mm: rounded(geometry.centre_of([
                    n / (rows * columns),
                    n / columns % rows,
                    n % columns,
                ])),
                contrast: None,
            }
        };
        self.visit.lesions.iter().zip(imprints).zip(given).map(truth).collect()
    }

    fn planted_truth(&self, plan: &Planted, suv: &Volume<f32>) -> LesionTruth {
        let geometry = suv.geometry();
        let scale = self.visit.build.scale();
        let parts = plan.parts(scale, 0.0);
        let there = |p: DVec3| self.scan_from_body.transform_point3(p);
        let solid = planted::solid(&parts);
        let body_from_scan = self.scan_from_body.inverse();
        let inside = |mm: DVec3| {
            let p = body_from_scan.transform_point3(mm);
            parts.iter().any(|part| part.shape.distance(p) < 0.0)
        };
        let near = planted::voxels_near(
            geometry,
            there(solid.centre),
            solid.reach_mm * scale.max_element(),
        );
        let hottest = near
            .into_iter()
            .filter(|&voxel| inside(geometry.centre_of(voxel)))
            .chain(geometry.voxel_at(there(solid.centre)))
            .max_by(|&a, &b| suv[a].total_cmp(&suv[b]));
        LesionTruth {
            name: plan.name.clone(),
            site: plan.site.clone(),
            diffuse: false,
            centre_mm: rounded(there(solid.centre)),
            volume_ml: round(solid.volume_mm3 * scale.element_product() / 1000.0, 100.0),
            suv_max: hottest.map_or(0.0, |voxel| round(f64::from(suv[voxel]), 1000.0)),
            suv_max_mm: hottest.map_or([0.0; 3], |voxel| rounded(geometry.centre_of(voxel))),
            contrast: Some(round(plan.contrast, 1000.0)),
        }
    }

    /// The score as planned; a seeded body's follows from its hottest lesion's uptake over the liver's (3x convention).
    fn deauville(&self, lesions: &[LesionTruth]) -> u8 {
        let hottest = lesions.iter().filter_map(|l| l.contrast).fold(0.0, f64::max);
        if hottest > 3.0 {
            5
        } else if hottest > 1.0 {
            4
        } else {
            self.visit.deauville
        }
    }

    fn body_truth(&self, geometry: &VolumeGeometry) -> Option<BodyTruth> {
        let drawn = self.visit.drawn.as_ref()?;
        let build = &self.visit.build;
        let map = TissueMap::new(self.visit);
        let last = geometry.shape()[0] - 1;
        let z = |slice: usize| geometry.centre_of([slice, 0, 0]).z;
        let organs = map.organs(geometry);
        Some(BodyTruth {
            build: drawn.0.name().into(),
            seed: drawn.1,
            arms: match build.arms {
                Arms::Up => "up",
                Arms::Down => "down",
            },
            range_mm: [z(0), z(last)],
            breathing_mm: round(self.visit.breathing_mm, 10.0),
            situs_inversus: build.habitus.inverted,
            organs_ml: organs.iter().map(|(name, o)| (name.clone(), round(o.0, 10.0))).collect(),
            organ_centroids_mm: organs.into_iter().map(|(name, o)| (name, rounded(o.1))).collect(),
        })
    }

    fn truth(
        &self,
        case: &Case,
        suv: &Volume<f32>,
        lesions: Vec<LesionTruth>,
        per_bqml: f64,
    ) -> ScanTruth {
        let there = |[x, y, z]: [f64; 3]| self.scan_from_body.transform_point3(DVec3::new(x, y, z));
        let regions = [
            ("liver", anatomy::LIVER, 15.0),
            ("blood pool", anatomy::BLOOD, 6.0),
            ("spleen", anatomy::SPLEEN, 10.0),
        ];
        let uptake = &self.visit.uptake;
        let painted = [
            ("liver", Tissue::Liver),
            ("blood pool", Tissue::Blood),
            ("spleen", Tissue::Spleen),
            ("marrow", Tissue::Marrow),
            ("muscle", Tissue::Muscle),
            ("lung", Tissue::Lung),
            ("fat", Tissue::Fat),
            ("brain", Tissue::GreyMatter),
            ("myocardium", Tissue::Myocardium),
            ("renal cortex", Tissue::RenalCortex),
            ("renal pelvis", Tissue::RenalPelvis),
            ("bladder", Tissue::Bladder),
            ("bowel", Tissue::BowelWall),
            ("stomach", Tissue::StomachWall),
        ];
        let [x, y, z] = self.visit.pose.turn_degrees;
        let rotation = turn(x, y, z).transpose().to_cols_array_2d();
        let protocol = &self.visit.protocol;
        ScanTruth {
            case: case.name.clone(),
            scan: self.visit.name.clone(),
            deauville: self.deauville(&lesions),
            pose: PoseTruth {
                rotation: rotation.map(|row| row.map(|v| round(v, 1e9))),
                translation_mm: self.visit.pose.shift_mm.to_array(),
                scale: self.visit.build.scale().to_array().map(|v| round(v, 1e9)),
            },
            uptake_secs: (protocol.started_at - protocol.injected_at).as_seconds_f64(),
            suv_per_bqml: per_bqml,
            painted_suv: painted.map(|(name, t)| (name.to_owned(), t.suv(uptake))).into(),
            measured: regions
                .map(|(name, centre, radius)| {
                    (name.to_owned(), measure(suv, there(centre), radius))
                })
                .into(),
            organs_mm: anatomy::LANDMARKS
                .map(|(name, centre)| (name.to_owned(), rounded(there(centre))))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            aorta_mm: anatomy::AORTA.map(|[x, y, z, _]| rounded(there([x, y, z]))).to_vec(),
            lesions,
            body: self.body_truth(suv.geometry()),
        }
    }
}

/// Whether a voxel without the lesion is so hot that it would be taken for something else.
fn foreign(activity_without: f32, plan: &LesionPlan) -> bool {
    f64::from(activity_without) > 0.4 * plan.suv_max
}

/// Uptake of a tissue at a place, uneven where the tissue is.
fn uptake_at(tissue: Tissue, place: DVec3, uptake: &Uptake, person: u64) -> f64 {
    let mean = tissue.suv(uptake);
    match tissue.patches() {
        Some(patches) => {
            let seed = random::bits(person, tissue as u64);
            let uneven = random::smooth(seed, (place / patches.size_mm).to_array());
            let amplitude = match tissue {
                Tissue::Myocardium => uptake.myocardium_patches,
                _ => patches.amplitude,
            };
            mean * (1.0 + amplitude * uneven)
        }
        None => mean,
    }
}

/// Statistics of the voxels whose centres lie in a sphere.
fn measure(suv: &Volume<f32>, centre: DVec3, radius_mm: f64) -> Region {
    let geometry = suv.geometry();
    let values: Vec<f64> = (0..geometry.len())
        .filter(|&n| geometry.centre_of(suv.voxel_of(n)).distance(centre) <= radius_mm)
        .map(|n| f64::from(suv.values()[n]))
        .collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
    Region {
        centre_mm: rounded(centre),
        radius_mm,
        suv_mean: round(mean, 1000.0),
        suv_max: round(values.iter().copied().fold(0.0, f64::max), 1000.0),
        suv_sd: round(variance.sqrt(), 1000.0),
    }
}

fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

fn rounded(place: DVec3) -> [f64; 3] {
    place.to_array().map(|v| round(v, 100.0))
}

#[cfg(test)]
mod tests {
    use super::super::{Scanner, body, case};
    use super::*;

    #[test]
    fn the_image_does_not_depend_on_the_number_of_threads() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| body(&Scanner::coarse()))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn another_scanner_sees_the_same_body() {
        let coarse = body(&Scanner::coarse());
        let short = Scanner { range_mm: (0.0, 400.0), ..Scanner::coarse() };
        let part = body(&short);
        assert_eq!(coarse.truth.organs_mm, part.truth.organs_mm);
        assert!(part.pet.geometry().shape()[0] < coarse.pet.geometry().shape()[0]);
        let liver = DVec3::from_array(part.truth.organs_mm["liver"]);
        for scan in [&coarse, &part] {
            let voxel = scan.ct.geometry().voxel_at(liver).unwrap();
            assert!((20..100).contains(&scan.ct[voxel]), "{} HU in the liver", scan.ct[voxel]);
        }
    }

    #[test]
    fn activity_is_the_suv_times_dose_over_weight() {
        let plan = case("patient-1").unwrap();
        let visit = &plan.visits[2];
        let visit = Visit { scanner: Scanner::coarse(), ..visit.clone() };
        let scan = generate(&plan, &visit);
        // 243.9 MBq decayed over 3540 s of a half-life of 6586.2 s, 60.5 kg.
        let per_bqml = 60_500.0 / (243.9e6 * (-3540.0_f64 / 6586.2).exp2());
        assert!((scan.truth.suv_per_bqml / per_bqml - 1.0).abs() < 1e-12);
        let mean: f64 = scan.pet.values().iter().map(|&v| f64::from(v)).sum::<f64>();
        let activity = mean * scan.pet.geometry().voxel_ml();
        // What is in the field is a good part of what was injected, never more than was left.
        let share = activity * per_bqml / 60_500.0;
        assert!((0.4..1.1).contains(&share), "{share}");
    }
}
