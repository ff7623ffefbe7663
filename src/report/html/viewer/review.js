// What a person decides in a review: each step goes to petct review, which answers with the page as it stands then.

function startReview(viewer) {
  const root = document.getElementById("review-controls");
  if (root === null) return;
  new Review(viewer, root);
}

class Review {
  constructor(viewer, root) {
    this.viewer = viewer;
    this.points = [];
    this.marked = [];
    this.of = viewer.active;
    const heading = element("h3", "", "Decide");
    const how = element("p", "muted", "About the region at the crosshair of the scan that was touched last: carried out at once, "
      + "written when you save.");
    this.where = element("p", "v-where");
    this.status = element("p", "v-status");
    this.status.setAttribute("role", "status");
    this.status.tabIndex = -1;
    root.append(
      this.row(heading, how),
      this.where,
      this.regionLine(),
      this.row(this.siteLine(), this.newLine()),
      this.referenceLine(),
      this.row(this.wholeLine(), this.status),
    );
    viewer.onChosen = () => this.look();
    const drawn = viewer.changed.bind(viewer);
    viewer.changed = () => {
      drawn();
      this.look();
    };
    window.addEventListener("beforeunload", (event) => {
      if (this.unsaved) event.preventDefault();
    });
    this.look();
  }

  // What stands beside each other where there is room.
  row(...parts) {
    const row = element("div", "v-row");
    row.append(...parts);
    return row;
  }

  line(name, ...parts) {
    const line = element("div", "v-edit");
    line.setAttribute("role", "group");
    line.setAttribute("aria-label", name);
    line.append(element("strong", "", name), ...parts);
    return line;
  }

  button(words, id, click) {
    const button = element("button", "", words);
    button.type = "button";
    button.id = `review-${id}`;
    button.addEventListener("click", click);
    return button;
  }

  regionLine() {
    const classes = { lesion: "lesion", uncertain: "uncertain", physiologic: "physiologic", removed: "remove" };
    this.classes = Object.entries(classes).map(([name, words]) =>
      this.button(words, name, () => this.change({ do: "class", region: Number(this.region.id), class: name })));
    this.point = this.button("Mark a point of the split", "point", () => {
      this.points.push(this.here());
      this.look();
    });
    this.split = this.button("Split", "split", () =>
      this.change({ do: "split", region: Number(this.region.id), points_mm: this.points }));
    this.mark = this.button("Mark for merging", "mark", () => {
      this.marked.push(Number(this.region.id));
      this.look();
    });
    this.merge = this.button("Merge", "merge", () => {
      const first = this.of.regions.find((region) => Number(region.id) === this.marked[0]);
      this.change({ do: "merge", regions: this.marked, class: first === undefined ? null : first.class });
    });
    this.forget = this.button("Forget the marks", "forget", () => {
      this.unmark();
      this.look();
    });
    return this.line("This region is", ...this.classes, this.point, this.split, this.mark, this.merge, this.forget);
  }

  // The sites stand in the page. A button, not the choice, makes the step: arrow keys go through a list one by one.
  siteLine() {
    this.site = document.getElementById("review-site");
    this.place = this.button("Set the site", "set-site", () => {
      const { id, class: kind } = this.region;
      this.change({ do: "class", region: Number(id), class: kind, site: this.site.value });
    });
    return this.line("It lies in", this.site, this.place);
  }

  newLine() {
    const edge = choice("edge", { "": "as in the scan", "41%": "41 % of its maximum", "50%": "50 % of its maximum", "2.5": "SUV 2.5" }, "", () => {});
    edge.querySelector("select").id = "review-edge";
    this.add = this.button("Add a lesion at the crosshair", "add", () => {
      const threshold = edge.querySelector("select").value;
      this.change({ do: "add", point_mm: this.here(), threshold: threshold === "" ? null : threshold });
    });
    return this.line("New region", this.add, edge);
  }

  referenceLine() {
    const parts = [];
    for (const [name, words, radius] of [["liver", "liver", 15], ["blood_pool", "blood pool", 8]]) {
      const step = (more) => this.change({ do: "reference", reference: name, ...more });
      parts.push(this.button(`Move the ${words} here`, `move-${name}`, () => step({ sphere_mm: [...this.here(), radius] })));
      parts.push(this.button(`Reject the ${words}`, `reject-${name}`, () => step({ accept: false })));
      parts.push(this.button(`${words} as proposed`, `proposed-${name}`, () => step({})));
    }
    return this.line("References", ...parts);
  }

  wholeLine() {
    const label = element("label", "", "Reader ");
    const name = element("input");
    name.type = "text";
    name.id = "review-reader";
    name.maxLength = 80;
    name.addEventListener("change", () => this.change({ do: "reader", name: name.value }));
    label.append(name);
    this.undo = this.button("Undo", "undo", () => this.send("undo", {}));
    this.save = this.button("Save", "save", () => this.send("save", {}));
    const end = this.button("End the review", "end", () => this.end());
    return this.line("All of it", label, this.undo, this.save, end);
  }

  // The crosshair, to a hundredth of a millimetre: as a person would write it.
  here() {
    return this.of.place.map((mm) => Math.round(100 * mm) / 100);
  }

  unmark() {
    this.points = [];
    this.marked = [];
  }

  // What stands at the crosshair, and which steps it allows.
  look() {
    if (this.of !== this.viewer.active) this.unmark();
    this.of = this.viewer.active;
    const here = regionsAt(this.of, this.of.place).filter((region) => region.class !== "reference");
    this.region = here[0];
    const name = this.region === undefined ? "no region" : regionName(this.region);
    const words = `At the crosshair of ${this.of.name}: ${name}.`;
    if (this.where.textContent !== words) this.where.textContent = words;
    const none = this.region === undefined || this.busy === true;
    for (const control of [...this.classes, this.point, this.mark, this.place]) control.disabled = none;
    if (this.region !== this.sited) {
      this.sited = this.region;
      this.site.value = this.region?.site ?? "";
    }
    this.split.disabled = none || this.points.length < 2;
    this.split.textContent = this.points.length > 1 ? `Split among ${this.points.length} points` : "Split";
    this.merge.disabled = this.busy === true || this.marked.length < 2;
    this.merge.textContent = this.marked.length > 0 ? `Merge ${this.marked.join(", ")}` : "Merge";
    this.forget.disabled = this.points.length + this.marked.length === 0;
    this.undo.disabled = this.busy === true || !this.canUndo;
    this.save.disabled = this.busy === true || !this.unsaved;
    this.add.disabled = this.busy === true;
  }

  change(change) {
    return this.send("change", { scan: this.viewer.scans.indexOf(this.of), change });
  }

  async send(name, what) {
    if (this.busy) return;
    // A button that is switched off loses the focus of the keyboard: it gets it back.
    const focused = document.activeElement;
    this.busy = true;
    this.status.textContent = name === "save" ? "Saving." : "Working.";
    this.look();
    try {
      const news = await this.asked(name, what);
      this.status.classList.toggle("fail", news.refused);
      if (!news.refused) await this.take(news);
      const headline = news.refused ? "" : ` ${document.querySelector("h1").textContent}`;
      this.status.textContent = news.message + headline;
    } catch (error) {
      this.status.textContent = `petct review does not answer: ${error.message}`;
      this.status.classList.add("fail");
    }
    this.busy = false;
    this.look();
    if (document.activeElement === document.body) (focused.disabled ? this.status : focused).focus();
  }

  async asked(name, what) {
    const answer = await fetch(name, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(what),
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  }

  async take(news) {
    this.unmark();
    this.unsaved = news.unsaved;
    this.canUndo = news.undo;
    const heads = JSON.parse(news.heads);
    for (const [n, scan] of this.viewer.scans.entries()) {
      this.viewer.setRegions(scan, heads[n].regions, numbersOf(await inflated(news.runs[n])));
    }
    this.replace(new DOMParser().parseFromString(news.page, "text/html"));
    armRows(this.viewer);
  }

  // Everything but the viewer and the list of contents.
  replace(fresh) {
    document.title = fresh.title;
    const header = fresh.querySelector("body > header");
    const contents = document.querySelector("nav.contents");
    header.querySelector("nav.contents").replaceWith(contents);
    document.querySelector("body > header").replaceWith(header);
    for (const section of fresh.querySelectorAll("main > section")) {
      const before = document.getElementById(section.id);
      if (before !== null) before.replaceWith(section);
    }
  }

  async end() {
    if (this.unsaved && !window.confirm("Something is not saved. End the review?")) return;
    this.unsaved = false;
    this.busy = true;
    this.look();
    const news = await this.asked("end", {}).catch(() => ({ message: "The review has ended." }));
    this.status.textContent = news.message;
  }
}
