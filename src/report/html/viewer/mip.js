// Maximum intensity projections, turned about the long axis of the body: every voxel falls into a bin of each angle, so
// that no maximum is lost.

const TURNS = 36;
// SUV below which nothing of a patient is seen in the widest window.
const AIR = 0.3;

class Projections {
  constructor(pet) {
    this.pet = pet;
    this.bin = Math.max(pet.spacing[1], pet.spacing[2]);
    const [, width] = pet.reach(2);
    const [, depth] = pet.reach(1);
    this.bins = Math.ceil(Math.hypot(width, depth) / this.bin) + 1;
    this.done = new Map();
    this.seen = this.widthSeen();
  }

  // How wide the patient can look from any angle, millimetres: the corners of the box around are air.
  widthSeen() {
    const { pet } = this;
    const [, rows, columns] = pet.shape;
    const least = (AIR - pet.lowest) / pet.step;
    const column = new Uint16Array(rows * columns);
    for (let at = 0, i = 0; at < pet.values.length; at++, i = i + 1 === column.length ? 0 : i + 1) {
      if (pet.values[at] > column[i]) column[i] = pet.values[at];
    }
    let farthest = 0;
    for (let i = 0; i < column.length; i++) {
      if (column[i] < least) continue;
      const down = (Math.floor(i / columns) - (rows - 1) / 2) * pet.spacing[1];
      const right = ((i % columns) - (columns - 1) / 2) * pet.spacing[2];
      farthest = Math.max(farthest, Math.hypot(down, right));
    }
    return 2 * farthest + this.bin;
  }

  direction(turn) {
    const angle = (2 * Math.PI * turn) / TURNS;
    return [Math.cos(angle), Math.sin(angle)];
  }

  // Millimetres to the right of the middle of the picture.
  across(turn, place) {
    const [x, y] = this.direction(turn);
    const middle = this.pet.middle();
    return (place[0] - middle[0]) * x + (place[1] - middle[1]) * y;
  }

  binsOf(turn) {
    if (this.last?.turn !== turn) this.last = { turn, table: this.binned(turn) };
    return this.last.table;
  }

  binned(turn) {
    const { pet, bins, bin } = this;
    const table = new Uint16Array(pet.shape[1] * pet.shape[2]);
    const [x, y] = this.direction(turn);
    let at = 0;
    for (let r = 0; r < pet.shape[1]; r++) {
      const back = (r - (pet.shape[1] - 1) / 2) * pet.spacing[1] * y;
      for (let c = 0; c < pet.shape[2]; c++) {
        const right = (c - (pet.shape[2] - 1) / 2) * pet.spacing[2] * x;
        // Halves are rounded alike whatever the last digit says: else a bin stays empty beside one filled twice.
        table[at++] = Math.round((right + back) / bin + (bins - 1) / 2 + 1e-6);
      }
    }
    return table;
  }

  // Rows of bins, the head first.
  of(turn) {
    const known = this.done.get(turn);
    if (known !== undefined) return known;
    const { pet, bins } = this;
    const table = this.binsOf(turn);
    const picture = new Uint16Array(pet.shape[0] * bins);
    for (let s = 0; s < pet.shape[0]; s++) {
      const row = (pet.shape[0] - 1 - s) * bins;
      const first = s * pet.strides[0];
      for (let i = 0; i < table.length; i++) {
        const value = pet.values[first + i];
        const at = row + table[i];
        if (value > picture[at]) picture[at] = value;
      }
    }
    this.done.set(turn, picture);
    return picture;
  }

  // The outline of a region as it is seen from an angle, as x0, y0, x1, y1 in pixels of the projection.
  outline(turn, region) {
    const { pet, bins } = this;
    const table = this.binsOf(turn);
    const rows = region.high[0] - region.low[0] + 1;
    if (rows < 1) return [];
    const covered = new Uint8Array(rows * bins);
    let [left, right] = [bins, -1];
    for (const [start, end] of region.spans) {
      for (let offset = start; offset < end; offset++) {
        const bin = table[offset % pet.strides[0]];
        covered[(region.high[0] - Math.floor(offset / pet.strides[0])) * bins + bin] = 1;
        left = Math.min(left, bin);
        right = Math.max(right, bin);
      }
    }
    const is = (x, y) => x >= 0 && y >= 0 && x < bins && y < rows && covered[y * bins + x] === 1;
    const top = pet.shape[0] - 1 - region.high[0];
    return edgesOf(is, [left, right], [0, rows - 1]).map(([x0, y0, x1, y1]) => [x0, y0 + top, x1, y1 + top]);
  }

  // The place of the hottest voxel behind a point of a projection.
  hottest(turn, s, bin) {
    const { pet } = this;
    const table = this.binsOf(turn);
    const first = s * pet.strides[0];
    let best = -1;
    for (let i = 0; i < table.length; i++) {
      if (table[i] === bin && (best < 0 || pet.values[first + i] > pet.values[first + best])) best = i;
    }
    if (best < 0) return null;
    const [r, c] = [Math.floor(best / pet.shape[2]), best % pet.shape[2]];
    return [pet.centre(2, c), pet.centre(1, r), pet.centre(0, s)];
  }
}

function paintedProjection(canvas, projections, turn, colours) {
  const { bins, pet } = projections;
  canvas.width = bins;
  canvas.height = pet.shape[0];
  const context = canvas.getContext("2d");
  const image = context.createImageData(bins, pet.shape[0]);
  const pixels = new Uint32Array(image.data.buffer);
  const picture = projections.of(turn);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[picture[i]];
  context.putImageData(image, 0, 0);
  return canvas;
}

// Letters at the left and right edge of a turned projection: the nearer direction first.
function turnedLetters(turn) {
  const angle = (2 * Math.PI * turn) / TURNS;
  const word = (x, y) => {
    const letters = [[Math.abs(x), x > 0 ? "L" : "R"], [Math.abs(y), y > 0 ? "P" : "A"]];
    letters.sort((a, b) => b[0] - a[0]);
    return letters.filter(([share]) => share > 0.3).map(([, letter]) => letter).join("");
  };
  const [x, y] = [Math.cos(angle), Math.sin(angle)];
  return [word(-x, -y), word(x, y), "H", "F"];
}
