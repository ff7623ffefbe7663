// Regions on the lattice of the PET: lesions in one map, references in another, since these may lie inside an organ's uptake.

function regionsOf(heads, numbers, pet) {
  const labels = new Uint16Array(pet.values.length);
  const references = new Uint16Array(pet.values.length);
  let next = 0;
  const regions = heads.map((head, n) => {
    const map = head.class === "reference" ? references : labels;
    const low = [...pet.shape];
    const high = [-1, -1, -1];
    const spans = [];
    let end = 0;
    for (let run = 0; run < head.runs; run++) {
      const start = end + numbers[next++];
      end = start + numbers[next++];
      map.fill(n + 1, start, end);
      spans.push([start, end]);
      for (const offset of [start, end - 1]) widen(low, high, offset, pet);
      // A run that goes over the end of a row touches both sides.
      if (Math.floor(start / pet.shape[2]) !== Math.floor((end - 1) / pet.shape[2])) {
        low[2] = 0;
        high[2] = pet.shape[2] - 1;
      }
    }
    return { ...head, number: n + 1, map, spans, low, high };
  });
  return { regions, labels, references };
}

function widen(low, high, offset, pet) {
  const columns = pet.shape[2];
  const voxel = [
    Math.floor(offset / pet.strides[0]),
    Math.floor(offset / columns) % pet.shape[1],
    offset % columns,
  ];
  for (let axis = 0; axis < 3; axis++) {
    low[axis] = Math.min(low[axis], voxel[axis]);
    high[axis] = Math.max(high[axis], voxel[axis]);
  }
}

// The regions that hold a place, references last.
function regionsAt(scan, place) {
  const voxel = scan.pet.voxelAt(place);
  if (voxel === null) return [];
  const offset = scan.pet.offset(voxel);
  const numbers = [scan.labels[offset], scan.references[offset]];
  return numbers.filter((number) => number > 0).map((number) => scan.regions[number - 1]);
}

function regionName(region) {
  if (region.class === "reference") return `${region.site} reference`;
  const kind = region.class === "lesion" ? "lesion" : `${region.class} region`;
  return `${kind} ${region.id} (${region.site})`;
}
