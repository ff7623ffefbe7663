"""The whole pair by the fastest peer of each step: both scans read, lesions found and measured, the CTs aligned.

What no peer has (organs, scores, responses) is left out, to the peers' advantage.
"""

import sys
from pathlib import Path

import cc3d
import numpy as np
import peers
import pydicom


def scan(study):
    head = pydicom.dcmread(study.pet_files[0], stop_before_pixels=True)
    pet = peers.volume_dicomsdl(study.pet_files, peers.suv_factor(head), np.float32)
    ct = peers.volume_dicomsdl(study.ct_files, 1.0, np.int16)
    return pet, ct


def main():
    studies = [peers.Study(Path(sys.argv[1]) / name) for name in ("t0", "t1")]
    memory = peers.Memory.__new__(peers.Memory)
    _, peak_kernel = peers.numba_kernels()
    memory.geometry = {
        name: memory.place(names)
        for name, names in (
            ("pet", studies[0].pet_files),
            ("ct", studies[0].ct_files),
            ("ct_later", studies[1].ct_files),
        )
    }
    memory.reduced = []
    for study, name in zip(studies, ("ct", "ct_later")):
        pet, ct = scan(study)
        labels = cc3d.connected_components(pet >= 4.0, connectivity=26)
        at = np.argwhere(labels)
        label = labels[tuple(at.T)]
        order = np.argsort(label, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(label)[1:])])
        sphere = peers.sphere_offsets(memory.place(study.pet_files)[1])
        peak_kernel(pet, at[order].astype(np.int64), starts, sphere)
        memory.reduced.append(memory.at_4_mm(ct, name))
    peers.register_elastix(memory)


if __name__ == "__main__":
    main()
