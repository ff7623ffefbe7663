// Volumes with their places. Axes of arrays are 0 slice (z), 1 row (y), 2 column (x); places are x, y, z in millimetres, LPS.

const coordinate = (axis) => 2 - axis;

class Volume {
  constructor(head, values) {
    this.shape = head.shape;
    this.spacing = head.spacing_mm;
    this.origin = head.origin_mm;
    this.step = head.step;
    this.lowest = head.lowest;
    this.note = head.note;
    this.values = values;
    this.strides = [head.shape[1] * head.shape[2], head.shape[2], 1];
  }

  // Position along an axis, from 0 at the centre of the first voxel; not whole.
  along(axis, place) {
    const n = coordinate(axis);
    return (place[n] - this.origin[n]) / this.spacing[axis];
  }

  // The voxel whose cell holds a place, as slice, row, column; null outside.
  voxelAt(place) {
    const voxel = [0, 1, 2].map((axis) => Math.floor(this.along(axis, place) + 0.5));
    return voxel.every((at, axis) => at >= 0 && at < this.shape[axis]) ? voxel : null;
  }

  // The nearest slice along an axis, within the volume.
  nearest(axis, place) {
    const at = Math.floor(this.along(axis, place) + 0.5);
    return Math.min(Math.max(at, 0), this.shape[axis] - 1);
  }

  centre(axis, at) {
    return this.origin[coordinate(axis)] + at * this.spacing[axis];
  }

  offset(voxel) {
    return voxel[0] * this.strides[0] + voxel[1] * this.strides[1] + voxel[2];
  }

  numberAt(place) {
    const voxel = this.voxelAt(place);
    return voxel === null ? null : this.values[this.offset(voxel)];
  }

  // Where the volume begins along an axis, and its length, with the outer halves of its voxels.
  reach(axis) {
    const low = this.origin[coordinate(axis)] - this.spacing[axis] / 2;
    return [low, this.shape[axis] * this.spacing[axis]];
  }

  middle() {
    return [2, 1, 0].map((axis) => this.centre(axis, (this.shape[axis] - 1) / 2));
  }
}

// Two decimals as the scan has them: steps of 0.005 are halves of a hundredth, rounded as the value itself would be.
function suvText(pet, place) {
  const number = pet.numberAt(place);
  if (number === null) return null;
  if (pet.step !== 0.005) return (pet.lowest + number * pet.step).toFixed(2);
  const hundredths = Math.floor((number + 1) / 2);
  return Math.floor(hundredths / 100) + "." + String(hundredths % 100).padStart(2, "0");
}

function hounsfieldText(ct, place) {
  const number = ct === null ? null : ct.numberAt(place);
  return number === null ? null : String(ct.lowest + number * ct.step);
}

// A place of the first scan in another one, and back.
function carried(matrix, place) {
  return matrix.map(([a, b, c, shift]) => a * place[0] + b * place[1] + c * place[2] + shift);
}

function carriedBack(matrix, place) {
  const [[a, b, c, i], [d, e, f, j], [g, h, k, l]] = matrix;
  const [x, y, z] = [place[0] - i, place[1] - j, place[2] - l];
  const whole = a * (e * k - f * h) - b * (d * k - f * g) + c * (d * h - e * g);
  return [
    ((e * k - f * h) * x + (c * h - b * k) * y + (b * f - c * e) * z) / whole,
    ((f * g - d * k) * x + (a * k - c * g) * y + (c * d - a * f) * z) / whole,
    ((d * h - e * g) * x + (b * g - a * h) * y + (a * e - b * d) * z) / whole,
  ];
}
