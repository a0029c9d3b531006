/// From white to dark blue.
function colourOf(weight) {
  const mix = (light, dark) => Math.round(light + (dark - light) * Math.min(Math.max(weight, 0), 1));
  return `rgb(${mix(255, 8)},${mix(255, 48)},${mix(255, 107)})`;
}

/// In that colour, with light letters where these are easier to read.
function paint(element, weight) {
  element.style.background = colourOf(weight);
  element.classList.toggle("dark", weight > 0.45);
}

function make(tag, content, className) {
  const element = document.createElement(tag);
  element.textContent = content;
  if (className) element.className = className;
  return element;
}

/// A line of words. ask(i) is called when word i is pointed at or has the focus, and leave() when it no longer is.
function wordsOf(words, kind, ask, leave) {
  const line = make("p", "", "words");
  line.dir = "auto";
  line.setAttribute("aria-label", kind);
  const buttons = words.map((word, i) => {
    const button = make("button", word, "word");
    button.type = "button";
    button.append(make("span", "", "share"));
    for (const event of ["mouseenter", "focus"]) button.addEventListener(event, () => ask(i));
    for (const event of ["mouseleave", "blur"]) button.addEventListener(event, leave);
    line.append(button, " ");
    return button;
  });
  return [line, buttons];
}

/// All weights at once: a column for each source word, a row for each target word.
function tableOf(map) {
  const table = make("table", "", "weights");
  const head = table.insertRow();
  head.append(make("th", ""), ...map.source.map(word => make("th", word)));
  map.target.forEach((word, t) => {
    const row = table.insertRow();
    row.append(make("th", word));
    map.weights[t].forEach((weight, s) => {
      const cell = row.insertCell();
      cell.title = `${word} from ${map.source[s]}: ${weight.toFixed(3)}`;
      paint(cell, weight);
    });
  });
  return table;
}

/// The source and the translation of a map, where a word that is asked shows its share of the others.
function linesOf(map) {
  const show = (asked, others, weights) => {
    clear();
    asked.classList.add("asked");
    others.forEach((button, i) => {
      paint(button, weights[i]);
      button.classList.toggle("told", weights[i] >= 0.01);
      button.lastChild.textContent = weights[i].toFixed(2);
    });
  };
  const clear = () => [...sources, ...targets].forEach(button => {
    button.style.background = "";
    button.classList.remove("asked", "told", "dark");
  });
  const [sourceLine, sources] = wordsOf(map.source, "source",
    s => show(sources[s], targets, map.weights.map(row => row[s])), () => clear());
  const [targetLine, targets] = wordsOf(map.target, "translation",
    t => show(targets[t], sources, map.weights[t]), () => clear());
  return [sourceLine, targetLine];
}

