const report = JSON.parse(document.getElementById("data").textContent);
const element = id => document.getElementById(id);
const last = report.validations.length - 1;

/// What the reader chose stands behind the # of the address, so that it outlives a reload. Without a step the last
/// validation is shown, whichever that is by then.
const choice = new URLSearchParams(location.hash.slice(1));
function choose(name, value) {
  if (value === null) choice.delete(name);
  else choice.set(name, value);
  location.replace("#" + choice);
}
function chosenIndex() {
  const at = report.validations.findIndex(validation => String(validation.step) === choice.get("step"));
  return at < 0 ? last : at;
}
function chooseIndex(index) {
  choose("step", index === last ? null : report.validations[index].step);
  show();
}

document.title = report.title;
element("title").textContent = report.title;
element("state").textContent = report.state;
element("progress").max = report.steps;
element("progress").value = report.step;
for (const [name, value] of report.facts) {
  const row = element("facts").insertRow();
  row.append(make("th", name), make("td", value));
}

/// The weights as a small picture, a few pixels a cell.
function pictureOf(map) {
  const cell = 4, canvas = document.createElement("canvas");
  canvas.width = cell * Math.max(map.source.length, 1);
  canvas.height = cell * Math.max(map.target.length, 1);
  const pen = canvas.getContext("2d");
  map.weights.forEach((row, t) => row.forEach((weight, s) => {
    pen.fillStyle = colourOf(weight);
    pen.fillRect(cell * s, cell * t, cell, cell);
  }));
  return canvas;
}

/// A sentence: its source and reference, the chosen translation, and those of all validations.
const samples = (last < 0 ? [] : report.validations[last].samples).map((sample, number) => {
  const section = make("section", "", "sample");
  const heading = make("h3", sample.source), reference = make("p", sample.reference);
  heading.dir = reference.dir = "auto";
  reference.prepend(make("span", "reference ", "label"));
  const now = make("div", "", "map"), strip = make("div", "", "strip"), changes = make("table", "", "changes");
  report.validations.forEach((validation, index) => {
    const then = validation.samples[number];
    if (then.attention) {
      const button = make("button", validation.name);
      button.type = "button";
      button.title = then.translation;
      button.prepend(pictureOf(then.attention));
      button.addEventListener("click", () => chooseIndex(index));
      strip.append(button);
    }
    const row = changes.insertRow(), text = make("td", then.translation);
    text.dir = "auto";
    row.append(make("td", validation.name), text);
    const before = index > 0 && report.validations[index - 1].samples[number].translation;
    row.classList.toggle("same", before === then.translation);
    row.addEventListener("click", () => chooseIndex(index));
  });
  const details = document.createElement("details");
  details.append(make("summary", "its translations at all validations"), changes);
  details.open = choice.has("open" + number);
  details.addEventListener("toggle", () => choose("open" + number, details.open ? 1 : null));
  section.append(heading, reference, now, strip, details);
  element("samples").append(section);
  return {now, strip, changes};
});

function show() {
  if (last < 0) return;
  const index = chosenIndex(), validation = report.validations[index];
  element("translations").hidden = false;
  element("time").max = last;
  element("time").value = index;
  element("before").disabled = index === 0;
  element("after").disabled = index === last;
  element("chosen").textContent = validation.name;
  element("tables").checked = choice.get("tables") !== "0";
  samples.forEach((section, number) => {
    const sample = validation.samples[number], text = make("p", sample.translation);
    text.dir = "auto";
    section.now.replaceChildren(text);
    if (sample.attention) {
      section.now.append(...linesOf(sample.attention));
      if (element("tables").checked) section.now.append(tableOf(sample.attention));
    }
    [...section.strip.children].forEach((button, i) => button.setAttribute("aria-pressed", i === index));
    [...section.changes.rows].forEach((row, i) => row.classList.toggle("chosen", i === index));
  });
}
element("time").addEventListener("input", event => chooseIndex(Number(event.target.value)));
element("before").addEventListener("click", () => chooseIndex(chosenIndex() - 1));
element("after").addEventListener("click", () => chooseIndex(chosenIndex() + 1));
element("tables").addEventListener("change", event => {
  choose("tables", event.target.checked ? null : "0");
  show();
});
show();

report.texts.forEach((text, number) => {
  const details = document.createElement("details");
  details.append(make("summary", text.heading), make("pre", text.text));
  details.open = choice.has("text" + number);
  details.addEventListener("toggle", () => choose("text" + number, details.open ? 1 : null));
  element("texts").append(details);
});

/// "12 s", "3 min", "2 h"
function spoken(seconds) {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
const secondsToReload = 15, secondsToDoubt = 600;
function showAge() {
  const seconds = Math.max(Date.now() / 1000 - report.written, 0);
  const isDoubtful = report.running && seconds > secondsToDoubt;
  element("age").textContent = `written ${spoken(seconds)} ago` +
    (isDoubtful ? "; a training that runs writes more often: it may have been killed" : "");
  element("age").classList.toggle("warning", isDoubtful);
}
showAge();
setInterval(showAge, 1000);

/// A reader who is selecting text, or looks elsewhere, is not disturbed.
function reload() {
  if (!element("follow").checked || document.hidden || String(getSelection())) return;
  sessionStorage.setItem("place", JSON.stringify([scrollY, document.activeElement.id]));
  location.reload();
}
element("follow").checked = choice.get("follow") !== "0";
element("follow").addEventListener("change", event => choose("follow", event.target.checked ? null : "0"));
element("follows").hidden = !report.running;
if (report.running) setInterval(reload, 1000 * secondsToReload);
const place = sessionStorage.getItem("place");
sessionStorage.removeItem("place");
if (place) {
  const [scroll, focused] = JSON.parse(place);
  if (focused) element(focused)?.focus({preventScroll: true});
  scrollTo(0, scroll);
}
