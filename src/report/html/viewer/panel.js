// One picture of one scan: a canvas that is a slider for screen readers and for the keyboard.

class Panel {
  constructor(viewer, scan, label, letters) {
    this.viewer = viewer;
    this.scan = scan;
    this.letters = letters;
    this.label = `${label}, ${scan.name}`;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "v-panel";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "slider");
    this.canvas.setAttribute("aria-label", this.label);
    this.scratch = { pet: document.createElement("canvas"), ct: document.createElement("canvas") };
    this.listen();
  }

  listen() {
    const { canvas, viewer } = this;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      const dots = canvas.width / box.width;
      return this.placeOf((event.clientX - box.left) * dots, (event.clientY - box.top) * dots);
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const place = this.picked(at(event));
      if (place !== null) viewer.show(this.scan, place);
    });
    canvas.addEventListener("pointermove", (event) => {
      const place = at(event);
      viewer.pointed(this.scan, this.under(place));
      if (event.buttons === 1 && event.pointerType !== "touch") {
        const picked = this.picked(place);
        if (picked !== null) viewer.show(this.scan, picked);
      }
    });
    canvas.addEventListener("pointerleave", () => viewer.pointed(this.scan, null));
    canvas.addEventListener("focus", () => viewer.chosen(this.scan));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas || event.ctrlKey) return;
      event.preventDefault();
      this.step(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    if (event.shiftKey && event.key in moves) this.move(...moves[event.key]);
    else if (event.key in steps) this.step(steps[event.key]);
    else if (event.key === "Home") this.step(-Infinity);
    else if (event.key === "End") this.step(Infinity);
    else return;
    event.preventDefault();
  }

  // The canvas as large as it is on the screen; false where it is not to be seen.
  fitted() {
    const dots = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(this.canvas.clientWidth * dots);
    const height = Math.round(this.canvas.clientHeight * dots);
    if (width < 2 || height < 2) return false;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.dots = dots;
    return true;
  }

  // Where the picture lies on the canvas: pixels a millimetre, and its left and top edge.
  framed(width, height, largest, focus) {
    const { canvas } = this;
    const zoom = this.viewer.zoom;
    const scale = zoom * Math.min(canvas.width / largest[0], canvas.height / largest[1]);
    const edge = (room, length, focused) => {
      if (zoom === 1 || length <= room) return (room - length) / 2;
      return Math.min(0, Math.max(room - length, room / 2 - focused));
    };
    const left = edge(canvas.width, width * scale, focus[0] * scale);
    const top = edge(canvas.height, height * scale, focus[1] * scale);
    return { scale, left, top };
  }

  cross(x, y, dark) {
    const context = this.canvas.getContext("2d");
    const gap = 7 * this.dots;
    const { width, height } = this.canvas;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [[0, y, x - gap, y], [x + gap, y, width, y], [x, 0, x, y - gap], [x, y + gap, x, height]]) {
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.lineWidth = this.dots;
    context.strokeStyle = dark ? "rgba(255,235,59,0.75)" : "rgba(20,60,200,0.55)";
    context.stroke();
  }

  // The regions whose outlines are drawn: lesions last, so that nothing lies on them and their numbers.
  outlined() {
    const shown = this.scan.regions.filter((region) => this.viewer.outlined[region.class]);
    return shown.sort((a, b) => (a.class === "lesion") - (b.class === "lesion"));
  }

  // The edges of a region, with its number at the right end of the uppermost one.
  drawOutline(region, lines, x, y, dark) {
    const context = this.canvas.getContext("2d");
    const path = new Path2D();
    for (const [x0, y0, x1, y1] of lines) {
      path.moveTo(x(x0), y(y0));
      path.lineTo(x(x1), y(y1));
    }
    const top = lines.reduce((least, line) => Math.min(least, line[1]), Infinity);
    const right = lines.reduce((most, line) => (line[3] === top ? Math.max(most, line[2]) : most), -Infinity);
    const colour = OUTLINES[region.class][dark ? "dark" : "light"];
    context.lineCap = "square";
    context.lineWidth = 3 * this.dots;
    context.strokeStyle = dark ? "rgba(0,0,0,0.55)" : "rgba(255,255,255,0.55)";
    context.stroke(path);
    context.lineWidth = 1.4 * this.dots;
    context.strokeStyle = colour;
    context.stroke(path);
    context.font = `600 ${11 * this.dots}px system-ui, sans-serif`;
    context.textAlign = "left";
    context.textBaseline = "bottom";
    haloText(context, region.id, x(right) + 2 * this.dots, y(top), colour, dark);
  }

  drawLetters(dark) {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const pad = 4 * this.dots;
    const colour = dark ? "#ffffff" : "#1a1c22";
    context.font = `600 ${12 * this.dots}px system-ui, sans-serif`;
    const put = (text, x, y, align, base) => {
      context.textAlign = align;
      context.textBaseline = base;
      haloText(context, text, x, y, colour, dark);
    };
    const [left, right, top, bottom] = this.letters;
    put(left, pad, height / 2, "left", "middle");
    put(right, width - pad, height / 2, "right", "middle");
    put(top, width / 2, pad, "center", "top");
    put(bottom, width / 2, height - pad, "center", "bottom");
  }
}

// A section of PET, CT, or both.
class Section extends Panel {
  constructor(viewer, scan, name, layer) {
    const plane = PLANES[name];
    super(viewer, scan, `${plane.name} ${LAYERS[layer]}`, plane.letters);
    this.plane = plane;
    this.layer = layer === "fused" && scan.ct === null ? "pet" : layer;
    this.dark = this.layer !== "pet";
    this.canvas.classList.toggle("v-dark", this.dark);
  }

  // The volume whose slices are stepped through.
  stepped() {
    return this.layer === "ct" ? this.scan.ct : this.scan.pet;
  }

  step(slices) {
    const [volume, axis] = [this.stepped(), this.plane.through];
    const now = volume.nearest(axis, this.scan.place);
    const next = Math.min(Math.max(now + slices, 0), volume.shape[axis] - 1);
    const place = [...this.scan.place];
    place[coordinate(axis)] = volume.centre(axis, next);
    this.viewer.show(this.scan, place);
  }

  // Moves the crosshair in the picture by voxels of the PET.
  move(right, down) {
    const { pet } = this.scan;
    const { across, down: below, turned } = this.plane;
    const place = [...this.scan.place];
    for (const [axis, by] of [[across, right], [below, turned ? -down : down]]) {
      const at = Math.min(Math.max(pet.nearest(axis, place) + by, 0), pet.shape[axis] - 1);
      if (by !== 0) place[coordinate(axis)] = pet.centre(axis, at);
    }
    this.viewer.show(this.scan, place);
  }

  frame() {
    const { across, down, turned } = this.plane;
    const [left, width] = this.scan.pet.reach(across);
    const [low, height] = this.scan.pet.reach(down);
    const focus = [
      this.scan.place[coordinate(across)] - left,
      turned ? low + height - this.scan.place[coordinate(down)] : this.scan.place[coordinate(down)] - low,
    ];
    const frame = this.framed(width, height, this.viewer.largest(across, down), focus);
    const x = (mm) => frame.left + (mm - left) * frame.scale;
    const y = (mm) => frame.top + (turned ? low + height - mm : mm - low) * frame.scale;
    const place = (px, py) => {
      const found = [...this.scan.place];
      found[coordinate(across)] = left + (px - frame.left) / frame.scale;
      const below = (py - frame.top) / frame.scale;
      found[coordinate(down)] = turned ? low + height - below : low + below;
      return found;
    };
    return { scale: frame.scale, x, y, place };
  }

  placeOf(px, py) {
    return this.frame().place(px, py);
  }

  // The crosshair stands on centres of voxels: what it reads is a voxel's value.
  picked(place) {
    const voxel = this.scan.pet.voxelAt(place);
    if (voxel === null) return null;
    const picked = [2, 1, 0].map((axis) => this.scan.pet.centre(axis, voxel[axis]));
    const kept = coordinate(this.plane.through);
    picked[kept] = this.scan.place[kept];
    return picked;
  }

  under(place) {
    return this.scan.pet.voxelAt(place) === null ? null : place;
  }

  draw() {
    if (!this.fitted()) return;
    const { canvas, scan, plane } = this;
    const context = canvas.getContext("2d");
    context.fillStyle = this.dark ? "#000000" : "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const frame = this.frame();
    if (this.layer !== "pet") this.lay("ct", scan.ct, this.viewer.ctColours(scan), frame);
    if (this.layer !== "ct") {
      this.lay("pet", scan.pet, this.viewer.petColours(scan, this.layer === "fused"), frame);
    }
    this.drawOutlines(frame);
    const at = scan.place;
    this.cross(frame.x(at[coordinate(plane.across)]), frame.y(at[coordinate(plane.down)]), this.dark);
    this.drawLetters(this.dark);
    this.tell();
  }

  lay(name, volume, colours, frame) {
    const { across, down, through, turned } = this.plane;
    const at = Math.floor(volume.along(through, this.scan.place) + 0.5);
    if (at < 0 || at >= volume.shape[through]) return;
    const scratch = this.scratch[name];
    if (scratch.at !== at || scratch.colours !== colours) {
      paintedSlice(scratch, volume, this.plane, at, colours);
      scratch.at = at;
      scratch.colours = colours;
    }
    const [left, width] = volume.reach(across);
    const [low, height] = volume.reach(down);
    const context = this.canvas.getContext("2d");
    context.imageSmoothingEnabled = true;
    const top = frame.y(turned ? low + height : low);
    context.drawImage(scratch, frame.x(left), top, width * frame.scale, height * frame.scale);
  }

  drawOutlines(frame) {
    const { scan, plane } = this;
    const at = Math.floor(scan.pet.along(plane.through, scan.place) + 0.5);
    const [left] = scan.pet.reach(plane.across);
    const [low, height] = scan.pet.reach(plane.down);
    const x = (n) => frame.x(left + n * scan.pet.spacing[plane.across]);
    const first = frame.y(plane.turned ? low + height : low);
    const y = (n) => first + n * scan.pet.spacing[plane.down] * frame.scale;
    for (const region of this.outlined()) {
      const lines = edges(region, scan.pet, plane, at);
      if (lines.length === 0) continue;
      this.drawOutline(region, lines, x, y, this.dark);
    }
  }

  tell() {
    const [volume, axis] = [this.stepped(), this.plane.through];
    const at = volume.nearest(axis, this.scan.place);
    this.canvas.setAttribute("aria-valuemin", "1");
    this.canvas.setAttribute("aria-valuemax", String(volume.shape[axis]));
    this.canvas.setAttribute("aria-valuenow", String(at + 1));
    const words = `slice ${at + 1} of ${volume.shape[axis]}; ${this.viewer.reading(this.scan, this.scan.place)}`;
    this.canvas.setAttribute("aria-valuetext", words);
  }
}

// The projection that turns.
class Turning extends Panel {
  constructor(viewer, scan) {
    super(viewer, scan, "Maximum intensity projection", ["R", "L", "H", "F"]);
    this.canvas.classList.add("v-mip");
    this.canvas.setAttribute("aria-valuemin", "0");
    this.canvas.setAttribute("aria-valuemax", "350");
  }

  step(turns) {
    this.viewer.turn(Number.isFinite(turns) ? Math.sign(turns) : -this.viewer.turned);
  }

  move(right, down) {
    if (right !== 0) this.step(right);
    const { pet } = this.scan;
    const at = Math.min(Math.max(pet.nearest(0, this.scan.place) - down, 0), pet.shape[0] - 1);
    const place = [...this.scan.place];
    place[2] = pet.centre(0, at);
    if (down !== 0) this.viewer.show(this.scan, place);
  }

  frame() {
    const { pet, projections } = this.scan;
    const width = projections.bins * projections.bin;
    const [low, height] = pet.reach(0);
    const across = projections.across(this.viewer.turned, this.scan.place) + width / 2;
    const focus = [across, low + height - this.scan.place[2]];
    return { ...this.framed(width, height, this.viewer.largestTurning(), focus), width, low, height };
  }

  placeOf(px, py) {
    const frame = this.frame();
    const { pet, projections } = this.scan;
    const bin = Math.floor((px - frame.left) / frame.scale / projections.bin);
    const z = frame.low + frame.height - (py - frame.top) / frame.scale;
    const slice = Math.floor((z - pet.origin[2]) / pet.spacing[0] + 0.5);
    const inside = bin >= 0 && bin < projections.bins && slice >= 0 && slice < pet.shape[0];
    return inside ? projections.hottest(this.viewer.turned, slice, bin) : null;
  }

  picked(place) {
    return place;
  }

  under(place) {
    return place;
  }

  // The outline of a region from the angle of now; looked for once.
  linesOf(region) {
    const { turned: turn } = this.viewer;
    const { regions, projections } = this.scan;
    if (this.seen?.turn !== turn || this.seen.regions !== regions) this.seen = { turn, regions, lines: new Map() };
    const { lines } = this.seen;
    if (!lines.has(region)) lines.set(region, projections.outline(turn, region));
    return lines.get(region);
  }

  draw() {
    if (!this.fitted()) return;
    const { canvas, scan, viewer } = this;
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const frame = this.frame();
    const colours = viewer.petColours(scan, false);
    const scratch = this.scratch.pet;
    if (scratch.at !== viewer.turned || scratch.colours !== colours) {
      paintedProjection(scratch, scan.projections, viewer.turned, colours);
      scratch.at = viewer.turned;
      scratch.colours = colours;
    }
    context.imageSmoothingEnabled = true;
    context.drawImage(scratch, frame.left, frame.top, frame.width * frame.scale, frame.height * frame.scale);
    const onCanvas = (place) => [
      frame.left + (scan.projections.across(viewer.turned, place) + frame.width / 2) * frame.scale,
      frame.top + (frame.low + frame.height - place[2]) * frame.scale,
    ];
    const x = (n) => frame.left + n * scan.projections.bin * frame.scale;
    const y = (n) => frame.top + n * scan.pet.spacing[0] * frame.scale;
    for (const region of this.outlined()) {
      const lines = this.linesOf(region);
      if (lines.length > 0) this.drawOutline(region, lines, x, y, false);
    }
    this.cross(...onCanvas(scan.place), false);
    this.letters = turnedLetters(viewer.turned);
    this.drawLetters(false);
    const degrees = (360 / TURNS) * viewer.turned;
    canvas.setAttribute("aria-valuenow", String(degrees));
    canvas.setAttribute("aria-valuetext", `turned by ${degrees} degrees`);
  }
}
