// Slices as small pictures, one pixel a voxel, and what is drawn over them.

// Array axes along the picture's right, down, and through it; the head is up. Letters: left, right, top, bottom.
const PLANES = {
  axial: { across: 2, down: 1, through: 0, turned: false, letters: ["R", "L", "A", "P"], name: "Axial" },
  coronal: { across: 2, down: 0, through: 1, turned: true, letters: ["R", "L", "H", "F"], name: "Coronal" },
  sagittal: { across: 1, down: 0, through: 2, turned: true, letters: ["A", "P", "H", "F"], name: "Sagittal" },
};

function paintedSlice(canvas, volume, plane, at, colours) {
  const width = volume.shape[plane.across];
  const height = volume.shape[plane.down];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const across = volume.strides[plane.across];
  const down = volume.strides[plane.down];
  const first = at * volume.strides[plane.through];
  let pixel = 0;
  for (let y = 0; y < height; y++) {
    let offset = first + (plane.turned ? height - 1 - y : y) * down;
    for (let x = 0; x < width; x++, offset += across) pixels[pixel++] = colours[volume.values[offset]];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// The edges of a region in a slice, between voxels, as x0, y0, x1, y1 in pixels of the slice.
function edges(region, pet, plane, at) {
  if (at < region.low[plane.through] || at > region.high[plane.through]) return [];
  const [width, height] = [pet.shape[plane.across], pet.shape[plane.down]];
  const [across, down] = [pet.strides[plane.across], pet.strides[plane.down]];
  const first = at * pet.strides[plane.through];
  const row = (y) => (plane.turned ? height - 1 - y : y);
  const is = (x, y) =>
    x >= 0 && y >= 0 && x < width && y < height && region.map[first + x * across + row(y) * down] === region.number;
  const ends = [region.low, region.high].map((corner) => row(corner[plane.down])).sort((a, b) => a - b);
  return edgesOf(is, [region.low[plane.across], region.high[plane.across]], ends);
}

// The edges of what lies inside, pixel by pixel, in a box.
function edgesOf(is, [left, right], [top, bottom]) {
  const found = [];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      if (!is(x, y)) continue;
      if (!is(x - 1, y)) found.push([x, y, x, y + 1]);
      if (!is(x + 1, y)) found.push([x + 1, y, x + 1, y + 1]);
      if (!is(x, y - 1)) found.push([x, y, x + 1, y]);
      if (!is(x, y + 1)) found.push([x, y + 1, x + 1, y + 1]);
    }
  }
  return found;
}

// Text that can be read on any ground.
function haloText(context, text, x, y, colour, dark) {
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = dark ? "rgba(0,0,0,0.8)" : "rgba(255,255,255,0.85)";
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}
