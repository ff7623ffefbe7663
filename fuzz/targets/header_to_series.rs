//! Files to series, choice, SUV plan and voxels: whatever the bytes are, an answer or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use petct::dicom::{Series, load_ct, load_pet, scan, select};
use petct::suv::{Overrides, SuvKind, plan};

fuzz_target!(
    init: petct_fuzz::quiet_contained_panics(),
    |bytes: &[u8]| {
        let Ok(found) = scan(&petct_fuzz::several_files(bytes)) else { return };
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
