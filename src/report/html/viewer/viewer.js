// The viewer: scans with linked crosshairs, windows, outlines, and what stands under the crosshair in words.

const LAYERS = { pet: "PET", ct: "CT", fused: "fusion" };

class Viewer {
  constructor(root, scans) {
    this.root = root;
    this.scans = scans;
    this.hasCt = scans.some((scan) => scan.ct !== null);
    this.picture = this.hasCt ? (scans.length === 1 && window.innerWidth > 700 ? "all" : "fused") : "pet";
    this.petWindow = PET_WINDOWS["SUV 0 to 7"];
    this.ctWindow = CT_WINDOWS["soft tissue"];
    this.zoom = 1;
    this.turned = 0;
    this.outlined = { lesion: true, uncertain: true, physiologic: false, reference: true };
    this.active = scans[0];
    this.colours = new Map();
    this.controls();
    for (const scan of scans) this.addScan(scan);
    this.rebuild();
    this.start();
    new ResizeObserver(() => this.changed()).observe(root);
  }

  // Begins at the hottest lesion, else at the hottest uncertain region, else at the liver, else in the middle.
  start() {
    const order = ["lesion", "uncertain", "reference"];
    for (const [n, scan] of this.scans.entries()) {
      const first = order.map((of) => scan.regions.find((region) => region.class === of)).find(Boolean);
      const linked = n > 0 && scan.link.matrix !== null && this.scans[0].link.matrix !== null;
      if (linked && first === undefined) continue;
      if (!linked || n === 0) this.show(scan, first === undefined ? scan.pet.middle() : first.place_mm, false);
    }
  }

  controls() {
    const bar = element("div", "v-controls");
    if (this.hasCt) {
      const pictures = { fused: "fusion", pet: "PET", ct: "CT", all: "all three" };
      bar.append(choice("Picture", pictures, this.picture, (to) => {
        this.picture = to;
        this.rebuild();
      }));
    }
    const names = (windows) => Object.fromEntries(Object.keys(windows).map((name) => [name, name]));
    bar.append(choice("PET window", names(PET_WINDOWS), "SUV 0 to 7", (to) => {
      this.petWindow = PET_WINDOWS[to];
      this.recolour();
    }));
    if (this.hasCt) {
      bar.append(choice("CT window", names(CT_WINDOWS), "soft tissue", (to) => {
        this.ctWindow = CT_WINDOWS[to];
        this.recolour();
      }));
    }
    bar.append(choice("Zoom", { 1: "whole", 2: "2 times", 4: "4 times" }, "1", (to) => {
      this.zoom = Number(to);
      this.changed();
    }));
    const turning = element("button", "", "Turn the projection");
    turning.type = "button";
    turning.setAttribute("aria-pressed", "false");
    turning.addEventListener("click", () => this.spin(turning));
    bar.append(turning);
    const outlines = element("fieldset", "v-outlines");
    outlines.append(element("legend", "", "Outlines"));
    const words = { lesion: "lesions", uncertain: "uncertain", physiologic: "physiologic", reference: "references" };
    for (const [of, word] of Object.entries(words)) {
      const box = element("input");
      box.type = "checkbox";
      box.checked = this.outlined[of];
      box.addEventListener("change", () => {
        this.outlined[of] = box.checked;
        this.changed();
      });
      const label = element("label", `v-key v-${of}`);
      label.append(box, ` ${word}`);
      outlines.append(label);
    }
    bar.append(outlines);
    this.root.append(bar);
  }

  addScan(scan) {
    const part = element("div", "v-scan");
    const head = element("div", "v-head");
    if (this.scans.length > 1) head.append(element("h3", "", scan.name));
    scan.list = choice("Go to", {}, "", (to) => {
      const region = scan.regions.find((region) => region.id === to);
      if (region !== undefined) this.show(scan, region.place_mm);
    });
    head.append(scan.list);
    this.fillList(scan);
    scan.box = element("div", "v-panels");
    scan.reading = element("output", "v-reading");
    scan.reading.setAttribute("aria-live", "polite");
    scan.pointer = element("p", "v-pointer");
    part.append(head, scan.box, scan.reading, scan.pointer);
    for (const note of [scan.pet.note && `PET: ${scan.pet.note}`, scan.ct && scan.ct.note && `CT: ${scan.ct.note}`, scan.link.note]) {
      if (note) part.append(element("p", "muted v-note", note));
    }
    this.root.append(part);
  }

  fillList(scan) {
    const select = scan.list.querySelector("select");
    const first = element("option", "", "a region");
    first.value = "";
    const others = scan.regions.map((region) => {
      const option = element("option", "", regionName(region));
      option.value = region.id;
      return option;
    });
    select.replaceChildren(first, ...others);
  }

  rebuild() {
    const layers = this.picture === "all" ? ["pet", "ct", "fused"] : [this.picture];
    this.panels = [];
    for (const scan of this.scans) {
      const usable = layers.filter((layer) => layer === "pet" || scan.ct !== null);
      const sections = (usable.length > 0 ? usable : ["pet"]).flatMap((layer) =>
        Object.keys(PLANES).map((name) => new Section(this, scan, name, layer)));
      const own = [...sections, new Turning(this, scan)];
      scan.box.classList.toggle("v-all", sections.length > 3);
      scan.box.replaceChildren(...own.map((panel) => panel.canvas));
      this.panels.push(...own);
    }
    this.changed();
  }

  // The colours of a volume in the window of now; made once.
  coloursOf(key, volume, window, colour) {
    if (!this.colours.has(key)) this.colours.set(key, coloursFor(volume, window, colour));
    return this.colours.get(key);
  }

  petColours(scan, hot) {
    const n = this.scans.indexOf(scan);
    return this.coloursOf(`pet ${n} ${hot}`, scan.pet, this.petWindow, hot ? hotColour : inverseGreyColour);
  }

  ctColours(scan) {
    return this.coloursOf(`ct ${this.scans.indexOf(scan)}`, scan.ct, this.ctWindow, greyColour);
  }

  recolour() {
    this.colours.clear();
    this.changed();
  }

  // The largest extent of all scans, so that they stand at one scale.
  largest(across, down) {
    const most = (axis) => Math.max(...this.scans.map((scan) => scan.pet.reach(axis)[1]));
    return [most(across), most(down)];
  }

  largestTurning() {
    const widths = this.scans.map((scan) => scan.projections.seen);
    return [Math.max(...widths), this.largest(0, 0)[0]];
  }

  // Puts the crosshair of a scan at a place, and those of the linked scans at the same anatomy.
  show(scan, place, chosen = true) {
    scan.place = place;
    if (chosen) this.chosen(scan);
    const from = scan.link.matrix;
    if (from !== null) {
      const first = carriedBack(from, place);
      for (const other of this.scans) {
        if (other !== scan && other.link.matrix !== null) other.place = carried(other.link.matrix, first);
      }
    }
    this.changed();
  }

  chosen(scan) {
    this.active = scan;
    if (this.onChosen) this.onChosen();
  }

  pointed(scan, place) {
    scan.pointer.textContent = place === null ? "" : `Under the pointer: ${this.reading(scan, place)}`;
  }

  reading(scan, place) {
    const suv = suvText(scan.pet, place);
    const ct = hounsfieldText(scan.ct, place);
    const words = [suv === null ? "outside the PET" : `SUV ${suv}`];
    if (scan.pet.note && suv !== null) words[0] += ` (${scan.pet.note})`;
    if (ct !== null) words.push(`${ct} HU`);
    words.push(...regionsAt(scan, place).map(regionName));
    return words.join(", ");
  }

  turn(by) {
    this.turned = (((this.turned + by) % TURNS) + TURNS) % TURNS;
    this.changed();
  }

  spin(button) {
    const running = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!running));
    clearInterval(this.spinning);
    if (!running) this.spinning = setInterval(() => this.turn(1), 120);
  }

  // Draws once before the next frame, however much has changed.
  changed() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      for (const panel of this.panels) panel.draw();
      for (const scan of this.scans) {
        const at = scan.place.map((mm) => mm.toFixed(1)).join(", ");
        const words = `Crosshair at ${at} mm: ${this.reading(scan, scan.place)}`;
        if (scan.reading.textContent !== words) scan.reading.textContent = words;
      }
    });
  }

  // Other regions in the place of those of a scan.
  setRegions(scan, heads, numbers) {
    Object.assign(scan, regionsOf(heads, numbers, scan.pet));
    this.fillList(scan);
    this.changed();
  }
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// A select with its label.
function choice(name, options, value, change) {
  const label = element("label", "v-choice", `${name} `);
  const select = element("select");
  for (const [of, word] of Object.entries(options)) {
    const option = element("option", "", word);
    option.value = of;
    select.append(option);
  }
  select.value = value;
  select.addEventListener("change", () => change(select.value));
  label.append(select);
  return label;
}

async function scanOf(head, n) {
  const volume = async (name, of) => new Volume(of, unpacked(await bytesOf(`viewer-${name}-${n}`), of.shape));
  const pet = await volume("pet", head.pet);
  const ct = head.ct === null ? null : await volume("ct", head.ct);
  const numbers = numbersOf(await bytesOf(`viewer-runs-${n}`));
  const regions = regionsOf(head.regions, numbers, pet);
  return { name: head.name, pet, ct, link: head.link, place: pet.middle(), projections: new Projections(pet), ...regions };
}

// Rows of tables that name a place: a click or Enter shows it.
function armRows(viewer) {
  for (const row of document.querySelectorAll("tr[data-place]")) {
    row.tabIndex = 0;
    row.title = "Show in the viewer (click or Enter)";
  }
  if (viewer.armed) return;
  viewer.armed = true;
  const show = (event) => {
    const row = event.target.closest("tr[data-place]");
    if (row === null || (event.type === "keydown" && (event.key !== "Enter" || event.target !== row))) return;
    const scan = viewer.scans[Number(row.dataset.scan)];
    if (scan === undefined) return;
    viewer.show(scan, row.dataset.place.split(" ").map(Number));
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    viewer.root.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
  };
  document.addEventListener("click", show);
  document.addEventListener("keydown", show);
}

async function start() {
  const root = document.getElementById("viewer-pictures");
  const note = document.getElementById("viewer-note");
  if (root === null) return;
  if (typeof DecompressionStream === "undefined") {
    note.textContent = "This browser is too old for the viewer: the pictures and tables of this page hold the rest.";
    return;
  }
  note.textContent = "The viewer is being prepared.";
  const heads = JSON.parse(document.getElementById("viewer-head").textContent);
  const scans = [];
  for (const [n, head] of heads.entries()) scans.push(await scanOf(head, n));
  note.remove();
  const viewer = new Viewer(root, scans);
  armRows(viewer);
  root.dataset.ready = "yes";
  if (typeof startReview === "function") startReview(viewer);
}
