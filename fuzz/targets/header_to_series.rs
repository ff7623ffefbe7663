//! Files to series, choice, SUV plan and voxels: whatever the bytes are, an answer or an error.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use petct::dicom::{Series, load_ct, load_pet, scan, select};
use petct::suv::{Overrides, SuvKind, plan};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// In a pool of one thread files are read in two halves, and neighbours share what they say of their series; a pool of
/// four cuts up to eight files into single ones, which share nothing. What is found must be the same.
static POOLS: LazyLock<[ThreadPool; 2]> = LazyLock::new(|| {
    [1, 4].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads can be started")
    })
});

fuzz_target!(
    init: petct_fuzz::quiet_contained_panics(),
    |bytes: &[u8]| {
        let folder = petct_fuzz::several_files(bytes);
        let [shared, alone] = [0, 1].map(|pool| POOLS[pool].install(|| scan(&folder)));
        assert_eq!(format!("{shared:?}"), format!("{alone:?}"), "facts were shared wrongly");
        let Ok(found) = shared else { return };
        let studies = found.output;
        let _ = select(&studies, None);
        for series in studies.iter().flat_map(|study| &study.series) {
            let _ = select(&studies, Some(&series.series_instance_uid));
            if series.is_pet() { pet(series) } else { ct(series) }
        }
    }
);

fn pet(series: &Series) {
    let Some(acquisition) = &series.acquisition else { return };
    let edited = Overrides {
        weight_kg: Some(70.0),
        height_m: Some(1.75),
        dose_mbq: Some(300.0),
        injected_at: "09:00:00".parse().ok(),
    };
    for kind in SuvKind::ALL {
        for overrides in [&Overrides::default(), &edited] {
            let Ok(plan) = plan(acquisition, kind, overrides) else { continue };
            let factors = &plan.output.factors;
            assert_eq!(factors.len(), acquisition.slices.len());
            assert!(factors.iter().all(|f| f.is_finite() && *f > 0.0), "{factors:?}");
        }
    }
    if let Ok(volume) = load_pet(series, &vec![1.0; series.slices]) {
        assert_eq!(volume.geometry().shape()[0], series.slices);
    }
}

fn ct(series: &Series) {
    if let Ok(volume) = load_ct(series) {
        assert_eq!(Some(volume.geometry()), series.geometry.as_ref().ok());
    }
}
