// Draws a tape in the page, box by box: only what is open is laid out. The data are in the element #data:
//   boxes:    {title, parent, repeated, nodes, bytes, forward, backward}
//   vertices: {kind, name, label, detail, box, family, bytes, forward, backward, finite}
//   arrows:   [from, to, carried, saved, label, sideways, backward]
//   families: {label, fill}    shades: {from, fill, text}    timed: whether somebody measured
// Times are seconds. Parents come before their boxes, and vertices are in the order of the tape.
'use strict';

const began = performance.now();
const data = JSON.parse(document.getElementById('data').textContent);
const {boxes, vertices, arrows} = data;
const element = id => document.getElementById(id);
const svgName = 'http://www.w3.org/2000/svg';

// ---- what stands where -------------------------------------------------------------------------------------------

// An item is a vertex v >= 0 or a box, as -1 - b. Children of box b are at b + 1, those outside of all at 0.
const boxItem = b => -1 - b;
const parentOf = item => item >= 0 ? vertices[item].box : boxes[-1 - item].parent;
const children = Array.from({length: boxes.length + 1}, () => []);
{
  const met = new Set();
  vertices.forEach((vertex, v) => {
    for (let b = vertex.box; b >= 0 && !met.has(b); b = boxes[b].parent) {
      met.add(b);
      children[boxes[b].parent + 1].push(boxItem(b));
    }
    children[vertex.box + 1].push(v);
  });
}
// A gradient comes before the rule that it is of: it stands above, as its tensor does.
const isGradient = item => item >= 0 && vertices[item].kind === 'gradient';
for (const list of children) list.sort((a, b) => isGradient(b) - isGradient(a));
const inputs = vertices.map(() => []), outputs = vertices.map(() => []);
arrows.forEach((arrow, a) => { outputs[arrow[0]].push(a); inputs[arrow[1]].push(a); });
const isBad = boxes.map(() => false);
for (const vertex of vertices)
  if (!vertex.finite) for (let b = vertex.box; b >= 0; b = boxes[b].parent) isBad[b] = true;

const open = boxes.map(() => false);
// The boxes around each box, from the outermost, and itself.
const paths = [];
boxes.forEach((box, b) => paths.push(box.parent < 0 ? [b] : [...paths[box.parent], b]));
const ancestors = item => { const b = parentOf(item); return b < 0 ? [] : paths[b]; };
// What shows a vertex: itself, or the outermost closed box around it.
const closedAround = b => b < 0 ? -1 : paths[b].find(outer => !open[outer]) ?? -1;
function shownAs(v) {
  const b = closedAround(vertices[v].box);
  return b < 0 ? v : boxItem(b);
}
function visibleCount() {
  let count = 0;
  const waiting = [0];
  while (waiting.length) for (const item of children[waiting.pop()]) {
    count++;
    if (item < 0 && open[-1 - item]) waiting.push(-item);
  }
  return count;
}
// Opens boxes from the outermost on, level by level, while no more than `most` vertices and boxes are shown.
function openUpTo(most) {
  let level = children[0].filter(item => item < 0), count = visibleCount();
  while (level.length) {
    const shut = level.filter(item => !open[-1 - item]);
    const more = shut.reduce((sum, item) => sum + children[-item].length, 0);
    if (count + more > most) break;
    count += more;
    for (const item of shut) open[-1 - item] = true;
    level = level.flatMap(item => children[-item].filter(inner => inner < 0));
  }
  return count;
}

// ---- layout ------------------------------------------------------------------------------------------------------

const gapX = 14, gapY = 30, padding = 12, titleHeight = 20, lineHeight = 14, characterWidth = 6.7;

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/;
const columns = text => [...text].reduce((sum, c) => sum + (wide.test(c) ? 1.9 : 1), 0);
const cut = text => text.length > 44 ? text.slice(0, 43) + '…' : text;
const seconds = s => (1e3 * s).toFixed(3) + ' ms';
const bytes = b => b < 1e3 ? b + ' bytes' : b < 1e6 ? (b / 1e3).toFixed(1) + ' kB' : (b / 1e6).toFixed(1) + ' MB';
function totals(of) {
  const parts = [];
  if (of.nodes > 0) parts.push(of.nodes + (of.nodes === 1 ? ' node' : ' nodes'));
  if (of.bytes > 0) parts.push('keeps ' + bytes(of.bytes));
  if (of.forward > 0) parts.push(seconds(of.forward));
  if (of.backward > 0) parts.push('backward ' + seconds(of.backward));
  return parts;
}
function linesOf(item) {
  if (item >= 0) return vertices[item].label.split('\n').map(cut);
  return ['+ ' + cut(boxes[-1 - item].title), ...totals(boxes[-1 - item])];
}

// Arrows between what is shown, each under the box that both ends are in: `links` by container, of its children.
function liftArrows() {
  const shown = new Map(), links = new Map();
  const closed = boxes.map((box, b) => closedAround(b));
  const shownOf = v => { const b = vertices[v].box; return b < 0 || closed[b] < 0 ? v : boxItem(closed[b]); };
  const count = vertices.length + boxes.length;
  arrows.forEach((arrow, a) => {
    const from = shownOf(arrow[0]), to = shownOf(arrow[1]);
    if (from === to) return;
    const key = (from + boxes.length) * count + to + boxes.length;
    const known = shown.get(key);
    if (known) {
      known.carried = known.carried && arrow[2];
      known.saved = known.saved || arrow[3];
      known.all.push(a);
      return;
    }
    shown.set(key, {from, to, carried: arrow[2], saved: arrow[3], backward: arrow[6], all: [a]});
    if (arrow[5]) return;
    const up = ancestors(from), down = ancestors(to);
    let common = 0;
    while (common < up.length && common < down.length && up[common] === down[common]) common++;
    const container = common === 0 ? 0 : up[common - 1] + 1;
    const child = (path, item) => common < path.length ? boxItem(path[common]) : item;
    if (!links.has(container)) links.set(container, []);
    const ends = [child(up, from), child(down, to)];
    links.get(container).push(arrow[6] ? ends.reverse() : ends);  // a rule stands at the height of its op
  });
  return {shown: [...shown.values()], links};
}

// Lays the children of a container out in layers, and what is open in them before. Sizes and places are in `at`, places
// from the container's corner.
function layOut(container, links, at) {
  const items = children[container], number = new Map(items.map((item, i) => [item, i]));
  for (const item of items) {
    if (item < 0 && open[-1 - item]) {
      const inside = layOut(-item, links, at);
      const title = columns('− ' + boxes[-1 - item].title) * characterWidth + 2 * padding;
      at.set(item, {w: Math.max(inside.w + 2 * padding, title), h: inside.h + 2 * padding + titleHeight, inside: true});
    } else {
      const lines = linesOf(item);
      at.set(item, {lines, w: Math.max(...lines.map(columns)) * characterWidth + 14, h: lines.length * lineHeight + 8});
    }
  }
  const before = items.map(() => []), after = items.map(() => []);
  for (const [from, to] of links.get(container) || []) {
    const a = number.get(from), b = number.get(to);
    if (a < b) { before[b].push(a); after[a].push(b); }
  }
  const layer = items.map(() => 0);
  items.forEach((item, i) => { for (const j of before[i]) layer[i] = Math.max(layer[i], layer[j] + 1); });
  for (let i = items.length - 1; i >= 0; i--)  // what has no input stands beside its users
    if (!before[i].length && after[i].length) layer[i] = Math.min(...after[i].map(j => layer[j])) - 1;
  const loose = items.map((item, i) => i).filter(i => !before[i].length && !after[i].length);
  const perRow = Math.ceil(Math.sqrt(loose.length));
  const deepest = Math.max(-1, ...items.map((item, i) => before[i].length || after[i].length ? layer[i] : -1));
  loose.forEach((i, k) => { layer[i] = deepest + 1 + Math.floor(k / perRow); });

  const rows = [];
  layer.forEach((l, i) => { (rows[l] = rows[l] || []).push(i); });
  const center = items.map(() => 0);
  const mean = list => list.reduce((sum, j) => sum + center[j], 0) / list.length;
  const place = (row, neighbours) => {
    const wanted = row.map(i => neighbours[i].length ? mean(neighbours[i]) : center[i]);
    const order = row.map((i, k) => k).sort((a, b) => wanted[a] - wanted[b] || row[a] - row[b]);
    let right = -Infinity, drift = 0;
    for (const k of order) {
      const w = at.get(items[row[k]]).w;
      const left = Math.max(wanted[k] - w / 2, right + gapX);
      center[row[k]] = left + w / 2;
      right = left + w;
      drift += center[row[k]] - wanted[k];
    }
    row.forEach(i => { center[i] -= drift / row.length; });  // what had to give way gives way to both sides
    row.sort((a, b) => center[a] - center[b]);
  };
  const dense = rows.filter(Boolean);
  for (let sweep = 0; sweep < 3; sweep++) {
    dense.forEach(row => place(row, before));
    [...dense].reverse().forEach(row => place(row, after));
  }
  // What would be a strip continues in another column, as text does.
  const heights = dense.map(row => Math.max(...row.map(i => at.get(items[i]).h)));
  const widthOf = row => Math.max(...row.map(i => center[i] + at.get(items[i]).w / 2)) -
    Math.min(...row.map(i => center[i] - at.get(items[i]).w / 2));
  const tall = heights.reduce((sum, h) => sum + h + gapY, 0), broad = Math.max(1, ...dense.map(widthOf));
  const count = tall > 3 * broad && dense.length > 5 ? Math.round(Math.sqrt(1.5 * tall / broad)) : 1;
  let x = 0, bottom = 0;
  for (let begin = 0, k = 0; begin < dense.length; k++) {
    let end = begin, height = 0, left = Infinity, right = -Infinity;
    while (end < dense.length && (end === begin || k === count - 1 || height + heights[end] <= tall / count * 1.05)) {
      for (const i of dense[end]) {
        left = Math.min(left, center[i] - at.get(items[i]).w / 2);
        right = Math.max(right, center[i] + at.get(items[i]).w / 2);
      }
      height += heights[end++] + gapY;
    }
    let top = 0;
    for (; begin < end; top += heights[begin++] + gapY) for (const i of dense[begin]) {
      const size = at.get(items[i]);
      size.x = x + center[i] - size.w / 2 - left;
      size.y = top + (heights[begin] - size.h) / 2;
    }
    x += right - left + 3 * gapX;
    bottom = Math.max(bottom, top - gapY);
  }
  return {w: Math.max(0, x - 3 * gapX), h: bottom};
}

function toAbsolute(container, x, y, at) {
  for (const item of children[container]) {
    const size = at.get(item);
    size.x += x;
    size.y += y;
    if (size.inside) toAbsolute(-item, size.x + padding, size.y + padding + titleHeight, at);
  }
}

// ---- drawing -----------------------------------------------------------------------------------------------------

let at = new Map(), shownArrows = [], chosen = null, size = {w: 0, h: 0};

function make(name, attributes, around, text) {
  const made = document.createElementNS(svgName, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  if (around) around.appendChild(made);
  return made;
}

const colorMode = () => element('color').value;
const amountOf = thing => colorMode() === 'time' ? thing.forward + thing.backward : thing.bytes;
let most = 0;
function paintOf(thing) {
  if (colorMode() === 'op')
    return thing.family >= 0 ? {fill: data.families[thing.family].fill, text: '#1b2430'} : {fill: '#fff', text: '#1b2430'};
  const part = most > 0 ? amountOf(thing) / most : 0;
  return data.shades.filter(shade => part >= shade.from).pop();
}
const outsideFill = {parameter: '#fff8dc', input: '#dcf2dc', constant: '#fff', gradient: '#fbe3d3'};

function drawItem(item, view) {
  const {x, y, w, h, lines, inside} = at.get(item);
  const isBox = item < 0, thing = isBox ? boxes[-1 - item] : vertices[item];
  const bad = isBox ? isBad[-1 - item] : !thing.finite;
  const kind = isBox ? 'box' + (inside ? '' : ' closed') + (thing.repeated ? ' repeated' : '') : 'vertex ' + thing.kind;
  const group = make('g', {class: kind + (bad ? ' bad' : '') + (thing.marked ? ' marked' : ''), ['data-' + (isBox ? 'box' : 'vertex')]: isBox ? -1 - item : item}, view);
  const isRound = !isBox && (thing.kind === 'input' || thing.kind === 'constant');
  const rect = make('rect', {x, y, width: w, height: h, rx: isRound ? h / 2 : isBox ? 5 : 2}, group);
  make('title', {}, group, isBox ? [thing.title, ...totals(thing)].join('\n') : thing.detail);
  let ink = '#1b2430';
  if (isBox ? !inside && colorMode() !== 'op' : !bad) {
    const paint = !isBox && outsideFill[thing.kind] ? {fill: outsideFill[thing.kind], text: ink} : paintOf(thing);
    rect.style.fill = paint.fill;
    ink = paint.text;
  }
  if (inside) {
    make('rect', {x, y, width: w, height: titleHeight, class: 'handle', rx: 5}, group);
    make('text', {x: x + 6, y: y + 14, class: 'title'}, group, '− ' + thing.title);
  } else {
    lines.forEach((line, i) => make('text', {
      x: x + w / 2, y: y + 4 + 11 + i * lineHeight, 'text-anchor': 'middle', fill: bad && !isBox ? '#fff' : ink,
      class: i === 0 ? 'title' : ''}, group, line));
  }
}

function drawArrow(arrow, view) {
  const from = at.get(arrow.from), to = at.get(arrow.to);
  const up = arrow.backward;
  const x1 = from.x + from.w / 2, y1 = from.y + (up ? 0 : from.h), x2 = to.x + to.w / 2, y2 = to.y + (up ? to.h : 0);
  const bend = (up ? -1 : 1) * Math.max(12, Math.min(60, Math.abs(y2 - y1) / 2));
  arrow.path = make('path', {
    d: `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`,
    class: 'arrow' + (arrow.saved ? ' saved' : '') + (arrow.carried ? ' carried' : '') +
      (arrow.backward ? ' backward' : '')}, view);
  const label = arrow.all.map(a => arrows[a][4]).find(text => text);
  make('title', {}, arrow.path, (label ? label + '; ' : '') + vertices[arrows[arrow.all[0]][0]].name + ' → ' +
    vertices[arrows[arrow.all[0]][1]].name + (arrow.saved ? ', kept for backward' : ''));
}

function draw() {
  const {shown, links} = liftArrows();
  at = new Map();
  size = layOut(0, links, at);
  toAbsolute(0, 0, 0, at);
  most = Math.max(0, ...vertices.map(amountOf));
  const view = element('view');
  view.replaceChildren();
  // An open box lies under what is in it, and arrows lie over boxes.
  const waiting = [0], leaves = [];
  while (waiting.length) for (const item of children[waiting.pop()]) {
    if (!at.get(item).inside) { leaves.push(item); continue; }
    drawItem(item, view);
    waiting.push(-item);
  }
  shownArrows = shown;
  for (const arrow of shown) drawArrow(arrow, view);
  for (const item of leaves) drawItem(item, view);
  highlight();
}

// ---- moving ------------------------------------------------------------------------------------------------------

const camera = {x: 0, y: 0, k: 1};
function look() {
  element('view').setAttribute('transform', `translate(${camera.x} ${camera.y}) scale(${camera.k})`);
}
function fit() {
  const area = element('graph').getBoundingClientRect();
  camera.k = Math.min(1.2, (area.width - 20) / Math.max(size.w, 1), (area.height - 20) / Math.max(size.h, 1));
  camera.k = Math.max(camera.k, 0.3);  // smaller nobody reads; the top of a long graph is where it begins
  camera.x = (area.width - size.w * camera.k) / 2;
  camera.y = size.h * camera.k > area.height ? 10 : (area.height - size.h * camera.k) / 2;
  look();
}
function zoom(factor, x, y) {
  const k = Math.min(4, Math.max(0.02, camera.k * factor));
  camera.x = x - (x - camera.x) * k / camera.k;
  camera.y = y - (y - camera.y) * k / camera.k;
  camera.k = k;
  look();
}
function center(item) {
  const area = element('graph').getBoundingClientRect(), {x, y, w, h} = at.get(item);
  camera.k = Math.max(camera.k, 0.8);
  camera.x = area.width / 2 - (x + w / 2) * camera.k;
  camera.y = area.height / 2 - (y + h / 2) * camera.k;
  look();
}
let drag = null, moved = false;
element('graph').addEventListener('pointerdown', event => { drag = {x: event.clientX, y: event.clientY}; moved = false; });
window.addEventListener('pointermove', event => {
  if (!drag) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (!moved && Math.hypot(dx, dy) < 4) return;
  moved = true;
  camera.x += dx;
  camera.y += dy;
  drag = {x: event.clientX, y: event.clientY};
  look();
});
window.addEventListener('pointerup', () => { drag = null; });
element('graph').addEventListener('wheel', event => {
  event.preventDefault();
  const area = element('graph').getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / 400), event.clientX - area.left, event.clientY - area.top);
}, {passive: false});

// ---- choosing ----------------------------------------------------------------------------------------------------

// The vertices that one leads to, or that lead to it; with "follow to the ends" all of them.
function follow(v, arrowsOf, end) {
  const found = new Set(), waiting = [v];
  while (waiting.length) {
    const now = waiting.pop();
    for (const a of arrowsOf[now]) {
      const other = arrows[a][end];
      if (other === v || found.has(other)) continue;
      found.add(other);
      if (element('whole').checked) waiting.push(other);
    }
  }
  return found;
}

function highlight() {
  const into = new Set(), out = new Set();
  if (chosen !== null) {
    follow(chosen, inputs, 0).forEach(v => into.add(v));
    follow(chosen, outputs, 1).forEach(v => out.add(v));
  }
  const shownInto = new Set([...into].map(shownAs)), shownOut = new Set([...out].map(shownAs));
  const self = chosen === null ? null : shownAs(chosen);
  for (const group of element('view').querySelectorAll('.vertex, .box.closed')) {
    const item = group.dataset.vertex !== undefined ? +group.dataset.vertex : boxItem(+group.dataset.box);
    group.classList.toggle('chosen', item === self);
    group.classList.toggle('into', item !== self && shownInto.has(item));
    group.classList.toggle('out', item !== self && shownOut.has(item));
    group.classList.toggle('dim', self !== null && item !== self && !shownInto.has(item) && !shownOut.has(item));
  }
  const isIn = (set, v) => v === chosen || set.has(v);
  for (const arrow of shownArrows) {
    const leadsIn = self !== null && arrow.all.some(a => into.has(arrows[a][0]) && isIn(into, arrows[a][1]));
    const leadsOut = self !== null && arrow.all.some(a => out.has(arrows[a][1]) && isIn(out, arrows[a][0]));
    arrow.path.classList.toggle('into', leadsIn);
    arrow.path.classList.toggle('out', leadsOut);
    arrow.path.classList.toggle('dim', self !== null && !leadsIn && !leadsOut);
  }
}

function listOf(title, found) {
  const list = document.createElement('ul'), heading = document.createElement('h2');
  heading.textContent = `${title} (${found.length})`;
  for (const v of found.slice(0, 100)) {
    const entry = document.createElement('li'), link = document.createElement('button');
    const path = ancestors(v).map(b => boxes[b].title).pop();
    link.textContent = vertices[v].label.split('\n').slice(0, 2).join(' ') + (path ? ' · ' + path : '');
    link.dataset.goto = v;
    link.onclick = () => choose(v, true);
    entry.appendChild(link);
    list.appendChild(entry);
  }
  return [heading, list];
}

function choose(v, goes) {
  chosen = v;
  const panel = element('chosen');
  panel.replaceChildren();
  if (v !== null) {
    const detail = document.createElement('pre');
    detail.textContent = vertices[v].detail;
    const heading = document.createElement('h2');
    heading.textContent = vertices[v].name;
    panel.append(heading, detail, ...listOf('Inputs', inputs[v].map(a => arrows[a][0])),
      ...listOf('Outputs', outputs[v].map(a => arrows[a][1])));
    const hidden = ancestors(v).filter(b => !open[b]);
    if (goes && hidden.length) {
      hidden.forEach(b => { open[b] = true; });
      draw();
    }
    if (goes) center(v);
  }
  highlight();
}

function toggle(b) {
  const was = at.get(boxItem(b)), x = was.x * camera.k + camera.x, y = was.y * camera.k + camera.y;
  open[b] = !open[b];
  draw();
  const now = at.get(boxItem(b));  // its corner stays where the pointer is
  camera.x = x - now.x * camera.k;
  camera.y = y - now.y * camera.k;
  look();
}

element('graph').addEventListener('click', event => {
  if (moved) return;
  const vertex = event.target.closest('.vertex'), box = event.target.closest('.box');
  if (vertex) choose(+vertex.dataset.vertex, false);
  else if (box && (box.classList.contains('closed') || event.target.classList.contains('handle'))) toggle(+box.dataset.box);
  else choose(null, false);
});

// ---- searching ---------------------------------------------------------------------------------------------------

let matches = [], match = -1;
function search(text) {
  const wanted = text.trim().toLowerCase();
  matches = [];
  match = -1;
  if (wanted) vertices.forEach((vertex, v) => {
    const path = ancestors(v).map(b => boxes[b].title).join(' ');
    if ((vertex.name + '\n' + vertex.label + '\n' + vertex.detail + '\n' + path).toLowerCase().includes(wanted)) matches.push(v);
  });
  element('found').replaceChildren(...(wanted ? listOf('Found', matches) : []));
}
element('search').addEventListener('input', event => search(event.target.value));
element('search').addEventListener('keydown', event => {
  if (event.key === 'Enter' && matches.length) choose(matches[match = (match + 1) % matches.length], true);
});
window.addEventListener('keydown', event => {
  if (event.key === 'Escape') choose(null, false);
  if (event.key === '/' && event.target.tagName !== 'INPUT') { event.preventDefault(); element('search').focus(); }
});

// ---- the rest of the page ----------------------------------------------------------------------------------------

function drawLegend() {
  const entries = colorMode() === 'op' ? data.families.map(family => [family.fill, family.label])
    : data.shades.map(shade => [shade.fill, shade.from === 0 ? 'less' :
        'from ' + (colorMode() === 'time' ? seconds(shade.from * most) : bytes(Math.round(shade.from * most)))]);
  entries.push([outsideFill.parameter, 'parameter'], [outsideFill.input, 'input, watched']);
  element('legend').replaceChildren(...entries.map(([fill, text]) => {
    const entry = document.createElement('li'), swatch = document.createElement('span');
    swatch.className = 'swatch';
    swatch.style.background = fill;
    entry.append(swatch, text);
    return entry;
  }), ...['dashed arrow: kept for backward', 'bold arrow: to a later step', 'red: has a NaN or an infinity',
    'blue: inputs of what is chosen, brown: outputs'].map(text => {
    const entry = document.createElement('li');
    entry.textContent = text;
    return entry;
  }));
}

const mostOpen = 3000;
element('open').onclick = () => {
  const count = openUpTo(mostOpen);
  element('said').textContent = open.every(Boolean) ? '' :
    `${count} are shown; the next level, which would make it more than ${mostOpen}, stays closed.`;
  draw();
  fit();
};
element('close').onclick = () => { open.fill(false); element('said').textContent = ''; draw(); fit(); };
element('fit').onclick = fit;
element('color').onchange = () => { draw(); drawLegend(); };
element('whole').onchange = highlight;
if (!data.timed) element('color').querySelector('[value=time]').disabled = true;

document.title = data.title || 'Graph';
element('title').textContent = data.title || 'Graph';
element('totals').textContent = totals(data.totals).join(', ') || 'an empty tape';
element('color').value = data.color;
openUpTo(100);
draw();
drawLegend();
fit();
document.documentElement.dataset.ready = Math.round(performance.now() - began);
