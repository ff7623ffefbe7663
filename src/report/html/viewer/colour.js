// From numbers of a volume to colours, and the colours of outlines: those of the figures (render/colour.rs).

const PET_WINDOWS = { "SUV 0 to 5": [0, 5], "SUV 0 to 7": [0, 7], "SUV 0 to 10": [0, 10], "SUV 0 to 20": [0, 20] };
const CT_WINDOWS = { "soft tissue": [-160, 240], lung: [-1350, 150], bone: [-500, 1300] };

const OUTLINES = {
  lesion: { dark: "#00e6ff", light: "#d53000" },
  uncertain: { dark: "#f0a0cd", light: "#aa3c82" },
  physiologic: { dark: "#bebebe", light: "#6e6e6e" },
  reference: { dark: "#5aff96", light: "#0072b2" },
};

const byte = (share) => Math.round(255 * Math.min(Math.max(share, 0), 1));
const packed = (r, g, b, a) => ((a << 24) | (b << 16) | (g << 8) | r) >>> 0;

function greyColour(share) {
  const grey = byte(share);
  return packed(grey, grey, grey, 255);
}

function inverseGreyColour(share) {
  return greyColour(1 - share);
}

// Hot iron (DICOM PS3.6 B.1.1) over the CT: nothing at the foot of the window, up to 85 %.
function hotColour(share) {
  const within = Math.min(Math.max(share, 0), 1);
  const opacity = byte(Math.min(1.5 * within, 0.85));
  return packed(byte(2 * within), byte(2 * within - 1), byte(4 * within - 3), opacity);
}

// The colour of each number that a volume can hold.
function coloursFor(volume, [low, high], colour) {
  const table = new Uint32Array(65536);
  for (let number = 0; number < table.length; number++) {
    table[number] = colour((volume.lowest + number * volume.step - low) / (high - low));
  }
  return table;
}
