"""The peers' side of the comparison: one step at a time, as `compare.py` asks for it.

    peers.py PAIR

holds the two scans of `petct phantom pair` in memory and answers each line on standard input, `peer step`, with its
seconds and a figure of its result. Each peer is used as its manual shows, with threads where it has them.
"""

import sys
import time
from pathlib import Path

import numpy as np


def files(folder):
    return sorted(str(f) for f in Path(folder).iterdir() if f.suffix == ".dcm")


# What the phantom's headers say; reading them once more is no part of a step.
SUV = {}


class Study:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.pet_files = files(self.folder / "pet")
        self.ct_files = files(self.folder / "ct")


def suv_factor(dataset):
    """SUV per Bq/ml: weight over the dose decayed to the start of the series."""
    import datetime as dt

    def moment(text):
        return dt.datetime.strptime(text.split(".")[0], "%H%M%S")

    item = dataset.RadiopharmaceuticalInformationSequence[0]
    seconds = (moment(dataset.SeriesTime) - moment(item.RadiopharmaceuticalStartTime)).total_seconds()
    dose = float(item.RadionuclideTotalDose) * 2 ** (-seconds / float(item.RadionuclideHalfLife))
    return float(dataset.PatientWeight) * 1000 / dose


# --- reading -----------------------------------------------------------------------------------------------------------


def headers_dicomsdl(study):
    import dicomsdl

    uids = set()
    for file in study.pet_files + study.ct_files:
        dataset = dicomsdl.open(file, load_until=0x7FE00000)
        uids.add(dataset.getDataElement("SeriesInstanceUID").value())
        dataset.getDataElement("ImagePositionPatient").value()
    return len(uids)


def headers_pydicom(study):
    import pydicom

    uids = set()
    for file in study.pet_files + study.ct_files:
        dataset = pydicom.dcmread(file, stop_before_pixels=True)
        uids.add(dataset.SeriesInstanceUID)
        dataset.ImagePositionPatient
    return len(uids)


def headers_simpleitk(study):
    import SimpleITK as sitk

    found = 0
    for folder in ("pet", "ct"):
        ids = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(study.folder / folder))
        for one in ids:
            sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(study.folder / folder), one)
            found += 1
    return found


def volume_dicomsdl(names, factor, kind):
    import dicomsdl

    slices = []
    for name in names:
        dataset = dicomsdl.open(name)
        z = dataset.getDataElement("ImagePositionPatient").value()[2]
        slices.append((z, dataset))
    slices.sort(key=lambda pair: pair[0])
    first = slices[0][1]
    rows, columns = first.Rows, first.Columns
    volume = np.empty((len(slices), rows, columns), kind)
    stored = np.empty((rows, columns), np.int16 if first.PixelRepresentation else np.uint16)
    for n, (_, dataset) in enumerate(slices):
        slope = dataset.getDataElement("RescaleSlope").value()
        intercept = dataset.getDataElement("RescaleIntercept").value()
        dataset.copyFrameData(0, stored)
        if kind == np.float32:
            np.multiply(stored, np.float32(slope * factor), out=volume[n])
        else:
            np.add(stored, np.int16(intercept), out=volume[n], casting="unsafe")
    return volume


def volume_pydicom(names, factor, kind):
    import pydicom

    slices = [pydicom.dcmread(name) for name in names]
    slices.sort(key=lambda d: float(d.ImagePositionPatient[2]))
    planes = [d.pixel_array * float(d.RescaleSlope) * factor + float(d.RescaleIntercept) for d in slices]
    return np.stack(planes).astype(kind)


def volume_simpleitk(folder, factor, kind):
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    volume = sitk.GetArrayFromImage(reader.Execute())
    return (volume * factor).astype(kind)


def volume_dcm2niix(folder):
    import subprocess
    import tempfile

    import dcm2niix

    with tempfile.TemporaryDirectory() as out:
        subprocess.run([dcm2niix.bin, "-z", "n", "-o", out, str(folder)], check=True, stdout=subprocess.DEVNULL)
        return len(list(Path(out).iterdir()))


# --- work in memory ----------------------------------------------------------------------------------------------------


def numba_kernels():
    import numba

    @numba.njit(parallel=True, fastmath=True)
    def maximum(values):
        blocks = 64
        best = np.zeros(blocks, np.float32)
        size = (values.size + blocks - 1) // blocks
        for b in numba.prange(blocks):
            top = np.float32(-1e30)
            for i in range(b * size, min(values.size, (b + 1) * size)):
                if values[i] > top:
                    top = values[i]
            best[b] = top
        return best.max()

    @numba.njit(parallel=True)
    def peaks(volume, centres, starts, sphere):
        out = np.zeros(len(starts) - 1)
        for lesion in numba.prange(len(starts) - 1):
            top = 0.0
            for i in range(starts[lesion], starts[lesion + 1]):
                s, r, c = centres[i]
                total, count = 0.0, 0
                for k in range(len(sphere)):
                    a, b, d = s + sphere[k, 0], r + sphere[k, 1], c + sphere[k, 2]
                    if 0 <= a < volume.shape[0] and 0 <= b < volume.shape[1] and 0 <= d < volume.shape[2]:
                        total += volume[a, b, d]
                        count += 1
                top = max(top, total / count)
            out[lesion] = top
        return out

    return maximum, peaks


def sphere_offsets(spacing):
    reach = [int(6.2035 / s) for s in spacing]
    grid = np.mgrid[tuple(slice(-n, n + 1) for n in reach)].reshape(3, -1).T
    return grid[((grid * spacing) ** 2).sum(1) <= 6.2035**2].astype(np.int64)


class Memory:
    """The volumes, regions and kernels that steps in memory start from."""

    def __init__(self, first, second):
        import cc3d
        import pydicom

        head = pydicom.dcmread(first.pet_files[0], stop_before_pixels=True)
        self.factor = suv_factor(head)
        later = pydicom.dcmread(second.pet_files[0], stop_before_pixels=True)
        self.pet = volume_dicomsdl(first.pet_files, self.factor, np.float32)
        self.ct = volume_dicomsdl(first.ct_files, 1.0, np.int16)
        self.pet_later = volume_dicomsdl(second.pet_files, suv_factor(later), np.float32)
        self.ct_later = volume_dicomsdl(second.ct_files, 1.0, np.int16)
        self.geometry = {name: self.place(names) for name, names in (("pet", first.pet_files), ("ct", first.ct_files), ("ct_later", second.ct_files))}
        self.spacing = self.geometry["pet"][1]
        self.low = cc3d.connected_components(self.pet >= 0.5, connectivity=26)
        self.inside = np.flatnonzero(self.low)
        self.labels = self.low.ravel()[self.inside]
        high = cc3d.connected_components(self.pet >= 4.0, connectivity=26)
        at = np.argwhere(high)
        label = high[tuple(at.T)]
        order = np.argsort(label, kind="stable")
        self.centres = at[order].astype(np.int64)
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(label)[1:])])
        self.high = high
        self.sphere = sphere_offsets(self.spacing)
        self.maximum, self.peaks = numba_kernels()
        self.maximum(self.pet.ravel())
        self.peaks(self.pet, self.centres[:1], np.array([0, 1]), self.sphere)
        self.reduced = [self.at_4_mm(self.ct, "ct"), self.at_4_mm(self.ct_later, "ct_later")]

    @staticmethod
    def place(names):
        import pydicom

        heads = [pydicom.dcmread(name, stop_before_pixels=True) for name in (names[0], names[-1])]
        z = sorted(float(h.ImagePositionPatient[2]) for h in heads)
        step = (z[1] - z[0]) / (len(names) - 1)
        origin = [float(v) for v in heads[0].ImagePositionPatient[:2]] + [z[0]]
        row, column = (float(v) for v in heads[0].PixelSpacing)
        return origin, np.array([step, row, column])

    def image(self, values, name):
        import SimpleITK as sitk

        origin, spacing = self.geometry[name]
        image = sitk.GetImageFromArray(values)
        image.SetOrigin(origin)
        image.SetSpacing([float(s) for s in spacing[::-1]])
        return image

    def at_4_mm(self, ct, name):
        import SimpleITK as sitk

        image = self.image(ct.astype(np.float32), name)
        factors = [max(1, round(4.0 / s)) for s in image.GetSpacing()]
        return sitk.BinShrink(image, factors)


def gaussian_opencv(m):
    import cv2

    sigma = 6.0 / 2.354820045 / m.spacing
    out = np.empty_like(m.pet)
    for s in range(len(m.pet)):
        cv2.GaussianBlur(m.pet[s], (0, 0), sigmaX=sigma[2], sigmaY=sigma[1], dst=out[s])
    flat = out.reshape(len(out), -1)
    return cv2.GaussianBlur(flat, (1, 2 * int(4 * sigma[0] + 0.5) + 1), sigmaX=1, sigmaY=sigma[0])


def peak_opencv(m):
    """The mean of the sphere on every voxel, as a sum of two-dimensional filters."""
    import cv2

    reach = np.abs(m.sphere).max(0)
    kernel = np.zeros(2 * reach + 1, np.float32)
    kernel[tuple((m.sphere + reach).T)] = 1.0 / len(m.sphere)
    top = 0.0
    filtered = {}
    for s in range(len(m.pet)):
        for k in range(len(kernel)):
            filtered.setdefault(s + reach[0] - k, []).append(cv2.filter2D(m.pet[s], -1, kernel[k], borderType=cv2.BORDER_CONSTANT))
        done = filtered.pop(s - reach[0], None)
        if done is not None:
            top = max(top, float(sum(done).max()))
    return top


def resample_opencv(m):
    """Slices of the CT lie on those of the PET (as the phantom has them): remapped in the plane."""
    import cv2

    (pet_at, pet_step), (ct_at, ct_step) = m.geometry["pet"], m.geometry["ct"]
    rows = ((pet_at[1] + np.arange(m.pet.shape[1]) * pet_step[1]) - ct_at[1]) / ct_step[1]
    columns = ((pet_at[0] + np.arange(m.pet.shape[2]) * pet_step[2]) - ct_at[0]) / ct_step[2]
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    x, y = cv2.convertMaps(x, y, cv2.CV_16SC2)
    out = np.empty(m.pet.shape, np.float32)
    where = ((pet_at[2] + np.arange(len(out)) * pet_step[0]) - ct_at[2]) / ct_step[0]
    for n, z in enumerate(where):
        low = int(np.clip(np.floor(z), 0, len(m.ct) - 2))
        part = np.float32(np.clip(z - low, 0, 1))
        here = cv2.remap(m.ct[low], x, y, cv2.INTER_LINEAR, borderValue=-1024)
        above = cv2.remap(m.ct[low + 1], x, y, cv2.INTER_LINEAR, borderValue=-1024)
        cv2.addWeighted(here, 1 - part, above, part, 0, dst=out[n], dtype=cv2.CV_32F)
    return out


def resample_simpleitk(m):
    import SimpleITK as sitk

    return sitk.Resample(m.image(m.ct, "ct"), m.image(m.pet, "pet"), sitk.Transform(), sitk.sitkLinear, -1024.0, sitk.sitkFloat32)


def mip_opencv(m):
    """Each slice is turned about its middle, and its columns' maxima are kept."""
    import cv2

    slices, rows, columns = m.pet.shape
    side = int(np.ceil(np.hypot(rows, columns)))
    out = np.empty((36, slices, side), np.float32)
    # All slices at once, as channels would have it, is no faster.
    for a in range(36):
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), 10.0 * a, 1)
        turn[:, 2] += (side / 2 - columns / 2, side / 2 - rows / 2)
        for s in range(slices):
            out[a, s] = cv2.warpAffine(m.pet[s], turn, (side, side)).max(0)
    return out


def register_elastix(m):
    import itk

    fixed, moving = (
        itk.image_view_from_array(np.ascontiguousarray(sitk_array(image))) for image in m.reduced
    )
    for image, source in ((fixed, m.reduced[0]), (moving, m.reduced[1])):
        image.SetOrigin(source.GetOrigin())
        image.SetSpacing(source.GetSpacing())
    parameters = itk.ParameterObject.New()
    rigid = itk.ParameterObject.GetDefaultParameterMap("rigid")
    rigid["AutomaticTransformInitialization"] = ["true"]
    rigid["AutomaticTransformInitializationMethod"] = ["CenterOfGravity"]
    parameters.AddParameterMap(rigid)
    _, result = itk.elastix_registration_method(fixed, moving, parameter_object=parameters, log_to_console=False)
    return np.array([float(v) for v in result.GetParameterMap(0)["TransformParameters"]])


def register_simpleitk(m):
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1, 1)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    start = sitk.CenteredTransformInitializer(*m.reduced, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS)
    method.SetInitialTransform(start, inPlace=False)
    method.SetInterpolator(sitk.sitkLinear)
    return np.array(method.Execute(*m.reduced).GetParameters())


def sitk_array(image):
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(image)


def statistics_sparse(m):
    values = m.pet.ravel()[m.inside].astype(np.float64)
    count = np.bincount(m.labels)
    total = np.bincount(m.labels, values)
    squares = np.bincount(m.labels, values * values)
    top = np.zeros(len(count), np.float32)
    np.maximum.at(top, m.labels, m.pet.ravel()[m.inside])
    mean = total[1:] / count[1:]
    return np.sum(mean), squares[-1], top[-1]


def steps(first, m):
    import cc3d
    import cv2
    import scipy.ndimage as nd

    return {
        ("dicomsdl", "headers"): lambda: headers_dicomsdl(first),
        ("pydicom", "headers"): lambda: headers_pydicom(first),
        ("SimpleITK", "headers"): lambda: headers_simpleitk(first),
        ("dicomsdl", "pet"): lambda: volume_dicomsdl(first.pet_files, m.factor, np.float32),
        ("pydicom", "pet"): lambda: volume_pydicom(first.pet_files, m.factor, np.float32),
        ("SimpleITK", "pet"): lambda: volume_simpleitk(first.folder / "pet", m.factor, np.float32),
        ("dcm2niix", "pet"): lambda: volume_dcm2niix(first.folder / "pet"),
        ("dicomsdl", "ct"): lambda: volume_dicomsdl(first.ct_files, 1.0, np.int16),
        ("pydicom", "ct"): lambda: volume_pydicom(first.ct_files, 1.0, np.int16),
        ("SimpleITK", "ct"): lambda: volume_simpleitk(first.folder / "ct", 1, np.int16),
        ("dcm2niix", "ct"): lambda: volume_dcm2niix(first.folder / "ct"),
        ("numba", "maximum"): lambda: m.maximum(m.pet.ravel()),
        ("NumPy", "maximum"): lambda: m.pet.max(),
        ("cc3d", "components"): lambda: cc3d.connected_components(m.pet >= 0.5, connectivity=26).max(),
        ("scipy", "components"): lambda: nd.label(m.pet >= 0.5, np.ones((3, 3, 3)))[1],
        ("NumPy", "statistics"): lambda: statistics_sparse(m)[0],
        ("cc3d", "statistics"): lambda: cc3d.statistics(m.low)["voxel_counts"][1],
        ("numba", "peaks"): lambda: m.peaks(m.pet, m.centres, m.starts, m.sphere).max(),
        ("OpenCV", "peak of the volume"): lambda: peak_opencv(m),
        ("OpenCV", "smoothing"): lambda: gaussian_opencv(m),
        ("scipy", "smoothing"): lambda: nd.gaussian_filter(m.pet, 6.0 / 2.354820045 / m.spacing),
        ("OpenCV", "resampling"): lambda: resample_opencv(m),
        ("SimpleITK", "resampling"): lambda: resample_simpleitk(m),
        ("OpenCV", "mip"): lambda: mip_opencv(m),
        ("elastix", "registration"): lambda: register_elastix(m),
        ("SimpleITK", "registration"): lambda: register_simpleitk(m),
    }


def figure(result):
    """One number of a result."""
    if isinstance(result, np.ndarray):
        return float(result.ravel()[0]) if result.size != 6 else "/".join(f"{v:.4f}" for v in result)
    return float(result) if np.isscalar(result) else 0.0


def main():
    first, second = (Study(Path(sys.argv[1]) / name) for name in ("t0", "t1"))
    table = steps(first, Memory(first, second))
    print("ready", ",".join(f"{peer}:{step}" for peer, step in table), flush=True)
    for line in sys.stdin:
        peer, step = line.strip().split(":")
        started = time.perf_counter()
        result = table[peer, step]()
        seconds = time.perf_counter() - started
        print(f"{seconds:.6f}", figure(result), flush=True)


if __name__ == "__main__":
    main()
