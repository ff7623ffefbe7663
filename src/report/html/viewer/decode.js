// From the texts in the page to numbers: the way back of report/viewer/packed.rs.

async function bytesOf(name) {
  const text = document.getElementById(name).textContent;
  return inflated(text);
}

async function inflated(base64) {
  const packed = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Each number is what its neighbours predict (median edge detector) plus the folded difference.
function unpacked(bytes, [slices, rows, columns]) {
  const count = slices * rows * columns;
  const values = new Uint16Array(count);
  let at = 0;
  for (let s = 0; s < slices; s++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++, at++) {
        const folded = bytes[at] | (bytes[count + at] << 8);
        const difference = (folded >>> 1) ^ -(folded & 1);
        values[at] = predicted(values, at, r, c, columns) + difference;
      }
    }
  }
  return values;
}

function predicted(values, at, r, c, columns) {
  if (r === 0) return c === 0 ? 0 : values[at - 1];
  if (c === 0) return values[at - columns];
  const left = values[at - 1];
  const up = values[at - columns];
  const corner = values[at - columns - 1];
  const low = left < up ? left : up;
  const high = left < up ? up : left;
  if (corner >= high) return low;
  if (corner <= low) return high;
  return left + up - corner;
}

// Numbers of seven bits a byte, the eighth says that more follow.
function numbersOf(bytes) {
  const numbers = [];
  let number = 0;
  let factor = 1;
  for (const byte of bytes) {
    number += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) {
      numbers.push(number);
      number = 0;
      factor = 1;
    }
  }
  return numbers;
}
