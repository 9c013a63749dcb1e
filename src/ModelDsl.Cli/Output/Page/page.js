'use strict';
const plan = JSON.parse(document.getElementById('plan').textContent);
const $ = id => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';

const Colors = {
  F: ['#f0992e', '#f8cb86'], B: ['#2e8b57', '#83c79f'], Bi: ['#2a9d9a', '#8dd3cf'], W: ['#4a74d1', '#4a74d1'],
  memory: { weights: '#34507e', gradients: '#5d83bd', master_weights: '#8aa9d6', moments: '#b9cdea', activations: '#f0992e',
    deferred_weight_gradients: '#4a74d1', logits: '#b7658f', working_set: '#a9b3c1', exchange_buffers: '#7c8796' },
};
const Names = { F: 'forward', B: 'backward', Bi: 'backward, gradient of the inputs only', W: 'backward, gradient of the weights (put off until now)', FB: 'forward and backward side by side' };

function el(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

function seconds(value) {
  const a = Math.abs(value);
  if (a === 0) return '0 s';
  return a >= 10 ? value.toFixed(2) + ' s' : a >= 1 ? value.toFixed(3) + ' s' : a >= 1e-3 ? (value * 1e3).toFixed(1) + ' ms' : (value * 1e6).toFixed(1) + ' µs';
}
const clock = value => seconds(value).replace(/(\.\d*?)0+ /, '$1 ').replace('. ', ' ');
const gigabytes = bytes => (bytes / 1e9).toFixed(1) + ' GB';
const words = name => name.replace(/_/g, ' ');
const percent = share => (share * 100).toFixed(1) + ' %';

function legend(id, entries) {
  for (const [color, text] of entries) {
    const span = document.createElement('span');
    const swatch = document.createElement('i');
    swatch.style.background = color;
    span.append(swatch, text);
    $(id).appendChild(span);
  }
}

function table(id, head, rows, numeric, lastIsSum) {
  const cells = (tag, values) => {
    const row = document.createElement('tr');
    values.forEach((value, i) => {
      const cell = document.createElement(tag);
      cell.textContent = value;
      if (numeric.includes(i)) cell.className = 'n';
      row.appendChild(cell);
    });
    return row;
  };
  const [thead, tbody] = [document.createElement('thead'), document.createElement('tbody')];
  thead.appendChild(cells('th', head));
  rows.forEach((values, i) => {
    const row = tbody.appendChild(cells('td', values));
    if (lastIsSum && i === rows.length - 1) row.className = 'sum';
  });
  $(id).replaceChildren(thead, tbody);
  return tbody;
}

const tip = {
  show(event, text) {
    const box = $('tip');
    box.textContent = text;
    box.hidden = false;
    box.style.left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8) + 'px';
    box.style.top = Math.min(event.clientY + 16, innerHeight - box.offsetHeight - 8) + 'px';
  },
  hide() { $('tip').hidden = true; },
};

// Ticks at round numbers, about eight of them.
function ticks(from, to) {
  const rough = (to - from) / 8, power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].map(x => x * power).find(x => x >= rough);
  const result = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) result.push(t);
  return result;
}

function header() {
  $('title').textContent = plan.title;
  $('subtitle').textContent = plan.subtitle;
  for (const verdict of plan.verdicts) {
    const box = document.createElement('div');
    box.className = 'verdict ' + (verdict.good === true ? 'good' : verdict.good === false ? 'bad' : '');
    const [label, value, note] = [document.createElement('span'), document.createElement('b'), document.createElement('span')];
    label.textContent = verdict.label; value.textContent = verdict.value; note.textContent = verdict.note;
    box.append(label, value, note);
    $('verdicts').appendChild(box);
  }
}

const gantt = {
  left: 118, top: 24, row: 24, from: 0, to: plan.step.makespan, picked: null,

  start() {
    $('step-lead').textContent = plan.step.lead;
    $('step-explain').innerHTML = '';
    for (const line of plan.step.explain) $('step-explain').appendChild(Object.assign(document.createElement('p'), { textContent: line }));
    const two = plan.schedule.parts > 1;
    legend('gantt-legend', [
      [Colors.F[0], 'F forward'], [Colors.B[0], 'B backward'], [Colors.Bi[0], 'Bi its input half'], [Colors.W[0], 'W its weight half'],
      ['linear-gradient(' + Colors.F[0] + ' 50%,' + Colors.B[0] + ' 50%)', 'FB both side by side'], ['#eceff3', 'bubble'],
      ...(two ? [['linear-gradient(90deg,' + Colors.F[0] + ' 50%,' + Colors.F[1] + ' 50%)', 'dark: the rank\'s first stage, pale: its second']] : []),
    ]);
    const svg = $('gantt');
    svg.style.height = this.top + this.row * plan.ranks.length + 8 + 'px';
    svg.addEventListener('wheel', event => { event.preventDefault(); this.zoom(event.deltaY < 0 ? 0.8 : 1.25, this.timeAt(event)); }, { passive: false });
    let drag = null;
    svg.addEventListener('pointerdown', event => { drag = { x: event.clientX, from: this.from, to: this.to, moved: false }; });
    addEventListener('pointermove', event => {
      if (!drag) return;
      if (Math.abs(event.clientX - drag.x) > 3) { drag.moved = true; svg.classList.add('dragging'); }
      if (drag.moved) this.show(drag.from - (event.clientX - drag.x) / this.scale(), drag.to - (event.clientX - drag.x) / this.scale());
    });
    addEventListener('pointerup', event => {
      if (drag && !drag.moved && svg.contains(event.target)) this.pick(event.target.dataset ? event.target.dataset.op : undefined);
      drag = null;
      svg.classList.remove('dragging');
    });
    svg.addEventListener('pointermove', event => {
      const at = event.target.dataset && event.target.dataset.op;
      if (at && !(drag && drag.moved)) tip.show(event, this.describe(at)); else tip.hide();
    });
    svg.addEventListener('pointerleave', () => tip.hide());
    svg.addEventListener('keydown', event => {
      const step = (this.to - this.from) / 8, middle = (this.from + this.to) / 2;
      const actions = { '+': () => this.zoom(0.8, middle), '=': () => this.zoom(0.8, middle), '-': () => this.zoom(1.25, middle),
        ArrowLeft: () => this.show(this.from - step, this.to - step), ArrowRight: () => this.show(this.from + step, this.to + step), Escape: () => this.pick() };
      if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
    });
    document.querySelectorAll('[data-zoom]').forEach(button => button.addEventListener('click', () =>
      this.zoom(button.dataset.zoom === 'in' ? 0.5 : 2, (this.from + this.to) / 2)));
    document.querySelectorAll('[data-view]').forEach(button => button.addEventListener('click', () => {
      const all = plan.step.makespan, part = all / 8;
      const views = { whole: [0, all], start: [0, part], middle: [(all - part) / 2, (all + part) / 2], end: [all - part, all] };
      this.show(...views[button.dataset.view]);
    }));
    addEventListener('resize', () => this.draw());
    this.draw();
  },

  width() { return $('gantt').clientWidth - this.left - 8; },
  scale() { return this.width() / (this.to - this.from); },
  timeAt(event) { return this.from + (event.clientX - $('gantt').getBoundingClientRect().left - this.left) / this.scale(); },
  zoom(factor, at) { this.show(at - (at - this.from) * factor, at + (this.to - at) * factor); },

  show(from, to) {
    const all = plan.step.makespan, span = Math.min(all, Math.max(all / 5000, to - from));
    this.from = Math.min(Math.max(0, from), all - span);
    this.to = this.from + span;
    this.draw();
  },

  // One op is [kind, part, backward's part, micro-batch, backward's micro-batch, start, end].
  describe(at) {
    const [rank, index] = at.split('.').map(Number), op = plan.ranks[rank].ops[index];
    const stages = plan.ranks[rank].stages;
    const what = op[0] === 'FB'
      ? 'forward of micro-batch ' + op[3] + ' (stage ' + stages[op[1]] + ')\nbackward of micro-batch ' + op[4] + ' (stage ' + stages[op[2]] + ')'
      : 'micro-batch ' + op[3] + ', stage ' + stages[op[1]];
    return 'rank ' + rank + ': ' + Names[op[0]] + '\n' + what + '\n' + seconds(op[6] - op[5]) + ', from ' + seconds(op[5]) + ' to ' + seconds(op[6]);
  },

  // The pipe and micro-batch behind an op; a part's pipe says from which end its micro-batches come.
  keys(rank, op) {
    const pipes = plan.ranks[rank].pipes;
    return op[0] === 'FB' ? [pipes[op[1]] + '.' + op[3], pipes[op[2]] + '.' + op[4]] : [pipes[op[1]] + '.' + op[3]];
  },

  pick(at) {
    if (!at) this.picked = null;
    else {
      const [rank, index] = at.split('.').map(Number), key = this.keys(rank, plan.ranks[rank].ops[index])[0];
      this.picked = this.picked === key ? null : key;
    }
    $('gantt-hint').textContent = this.picked === null
      ? 'Wheel to zoom, drag to move, point at an op to read it, click it to follow its micro-batch through all ranks.'
      : 'Following micro-batch ' + this.picked.split('.')[1] + (plan.schedule.pipes > 1 ? ' of those that enter at the ' + (this.picked[0] === '0' ? 'first' : 'last') + ' rank' : '') + '. Click again, or beside an op, to let go.';
    this.draw();
  },

  draw() {
    const svg = $('gantt'), scale = this.scale();
    svg.replaceChildren();
    svg.dataset.from = this.from;
    svg.dataset.to = this.to;
    const clip = el(el(svg, 'defs', {}), 'clipPath', { id: 'clip' });
    el(clip, 'rect', { x: this.left, y: 0, width: Math.max(1, this.width()), height: 4000 });
    for (const t of ticks(this.from, this.to)) {
      const x = this.left + (t - this.from) * scale;
      el(svg, 'line', { x1: x, x2: x, y1: this.top - 4, y2: this.top + this.row * plan.ranks.length, stroke: '#e3e7ed' });
      el(svg, 'text', { x: x + 3, y: 14, class: 'soft' }, clock(t));
    }
    const field = el(svg, 'g', { 'clip-path': 'url(#clip)' });
    plan.ranks.forEach((rank, r) => {
      const y = this.top + r * this.row;
      el(svg, 'text', { x: 8, y: y + 15 }, 'rank ' + r);
      el(svg, 'text', { x: this.left - 6, y: y + 15, class: 'soft', 'text-anchor': 'end' }, 'st. ' + rank.stages.join(','));
      el(field, 'rect', { x: this.left + (0 - this.from) * scale, y: y + 2, width: plan.step.makespan * scale, height: this.row - 4, fill: '#eceff3' });
      let last = -1;
      rank.ops.forEach((op, index) => {
        if (op[6] < this.from || op[5] > this.to) return;
        const x = this.left + (op[5] - this.from) * scale, width = (op[6] - op[5]) * scale;
        // What is narrower than a pixel is drawn once per pixel.
        if (width < 0.7 && Math.floor(x) === last) return;
        last = Math.floor(x);
        const faded = this.picked !== null && !this.keys(r, op).includes(this.picked) ? 'faded' : this.picked !== null ? 'picked' : '';
        const box = (top, height, color) => el(field, 'rect', { x, y: y + top, width: Math.max(0.7, width - (width > 3 ? 0.6 : 0)), height, fill: color, class: faded, 'data-op': r + '.' + index });
        if (op[0] === 'FB') { box(2, this.row / 2 - 2, Colors.F[op[1]]); box(this.row / 2, this.row / 2 - 2, Colors.B[op[2]]); }
        else box(2, this.row - 4, Colors[op[0]][op[1] % 2]);
        if (width > 26) el(field, 'text', { x: x + width / 2, y: y + 16, 'text-anchor': 'middle', 'pointer-events': 'none', style: 'font-size:10.5px;fill:' + (op[0] === 'W' ? '#fff' : '#1d2430') },
          op[0] === 'FB' ? op[3] + '/' + op[4] : width > 44 ? op[0] + ' ' + op[3] : op[3]);
      });
    });
  },
};

function lanes() {
  const svg = $('lanes'), pair = plan.pair;
  $('overlap-lead').textContent = plan.overlapLead;
  if (!pair) { svg.remove(); return; }
  const [left, row] = [110, 46], height = 30 + 2 * (row + 8) + 14;
  svg.style.height = height + 'px';
  legend('lanes-legend', [[Colors.F[0], 'of the forward'], [Colors.B[0], 'of the backward'], [Colors.W[0], 'gradients of weights'], ['#eceff3', 'the lane waits']]);
  const draw = () => {
    svg.replaceChildren();
    const scale = (svg.clientWidth - left - 8) / pair.span;
    for (const t of ticks(0, pair.span)) {
      el(svg, 'line', { x1: left + t * scale, x2: left + t * scale, y1: 20, y2: height - 8, stroke: '#e3e7ed' });
      el(svg, 'text', { x: left + t * scale + 3, y: 14, class: 'soft' }, clock(t));
    }
    pair.lanes.forEach((name, lane) => {
      el(svg, 'text', { x: 6, y: 26 + lane * (row + 8) + row / 2 + 4 }, name);
      el(svg, 'rect', { x: left, y: 26 + lane * (row + 8), width: pair.span * scale, height: row, fill: '#eceff3' });
    });
    for (const [lane, name, layer, start, end, waited] of pair.segments) {
      const kind = name.slice(-1), width = (end - start) * scale, y = 26 + lane * (row + 8);
      const box = el(svg, 'rect', { x: left + start * scale, y, width: Math.max(1, width - 1), height: row, rx: 2, fill: Colors[kind === 'W' ? 'W' : kind][0] });
      const others = pair.segments.filter(other => other[0] !== lane && other[3] < end && other[4] > start).map(other => other[1]);
      box.addEventListener('pointermove', event => tip.show(event, name + ', layer ' + (layer + 1) + ' of the pair\n' + seconds(end - start) + ', from ' + seconds(start)
        + (waited > 1e-9 ? '\nthe lane waited ' + seconds(waited) + ' for it' : '') + '\nat the same time: ' + (others.join(', ') || 'nothing on the other lane')));
      box.addEventListener('pointerleave', () => tip.hide());
      if (width > 9 * name.length * 0.62) el(svg, 'text', { x: left + start * scale + width / 2, y: y + row / 2 + 4, 'text-anchor': 'middle', 'pointer-events': 'none', style: 'font-size:11px;fill:' + (kind === 'F' ? '#1d2430' : '#fff') }, name);
    }
  };
  addEventListener('resize', draw);
  draw();
}

function memory() {
  const { consumers, capacity, ranks, meaning } = plan.memory, svg = $('memory-chart'), select = $('memory-rank');
  const [left, top, height] = [64, 12, 300];
  $('memory-lead').textContent = plan.memoryLead;
  legend('memory-legend', consumers.map(name => [Colors.memory[name], words(name)]));
  for (const key of Object.keys(ranks)) select.appendChild(Object.assign(document.createElement('option'), { value: key, textContent: key + (Number(key) === plan.memory.fullest ? ' (fullest)' : '') }));
  select.value = plan.memory.fullest;
  svg.style.height = height + top + 26 + 'px';
  const draw = () => {
    svg.replaceChildren();
    const samples = ranks[select.value], most = Math.max(capacity, ...samples.map(sample => sample.slice(1).reduce((a, b) => a + b, 0))) * 1.04;
    const x = t => left + t / plan.step.makespan * (svg.clientWidth - left - 10), y = bytes => top + height * (1 - bytes / most);
    for (const value of ticks(0, most / 1e9)) {
      el(svg, 'line', { x1: left, x2: svg.clientWidth - 10, y1: y(value * 1e9), y2: y(value * 1e9), stroke: '#e9edf2' });
      el(svg, 'text', { x: left - 6, y: y(value * 1e9) + 4, 'text-anchor': 'end', class: 'soft' }, value + ' GB');
    }
    const base = samples.map(() => 0);
    consumers.forEach((name, c) => {
      let upper = '', lower = '';
      samples.forEach((sample, i) => {
        const end = i + 1 < samples.length ? samples[i + 1][0] : plan.step.makespan, sum = base[i] + sample[c + 1];
        upper += (i ? 'L' : 'M') + x(sample[0]) + ' ' + y(sum) + 'L' + x(end) + ' ' + y(sum);
        lower = 'L' + x(end) + ' ' + y(base[i]) + 'L' + x(sample[0]) + ' ' + y(base[i]) + lower;
        base[i] = sum;
      });
      el(svg, 'path', { d: upper + lower + 'Z', fill: Colors.memory[name], 'data-consumer': name });
    });
    el(svg, 'line', { x1: left, x2: svg.clientWidth - 10, y1: y(capacity), y2: y(capacity), stroke: '#b3261e', 'stroke-dasharray': '6 4', 'stroke-width': 1.5 });
    el(svg, 'text', { x: svg.clientWidth - 14, y: y(capacity) - 5, 'text-anchor': 'end', style: 'fill:#b3261e' }, 'what a GPU has: ' + gigabytes(capacity));
    for (const t of ticks(0, plan.step.makespan)) el(svg, 'text', { x: x(t), y: top + height + 18, 'text-anchor': 'middle', class: 'soft' }, clock(t));
    const cursor = el(svg, 'line', { y1: top, y2: top + height, stroke: '#1d2430', visibility: 'hidden' });
    const fullest = samples.reduce((best, sample) => sample.slice(1).reduce((a, b) => a + b, 0) > best.slice(1).reduce((a, b) => a + b, 0) ? sample : best);
    const list = sample => consumers.map((name, c) => [words(name), gigabytes(sample[c + 1]), meaning[name]]).filter(row => row[1] !== '0.0 GB');
    table('memory-table', ['at the fullest moment, ' + seconds(fullest[0]), 'size', 'what it is'],
      [...list(fullest), ['sum', gigabytes(fullest.slice(1).reduce((a, b) => a + b, 0)), 'of ' + gigabytes(capacity)]], [1], true);
    svg.onpointermove = event => {
      const t = (event.clientX - svg.getBoundingClientRect().left - left) / (svg.clientWidth - left - 10) * plan.step.makespan;
      if (t < 0 || t > plan.step.makespan) return;
      const sample = samples.filter(s => s[0] <= t).pop() || samples[0];
      cursor.setAttribute('x1', x(t)); cursor.setAttribute('x2', x(t)); cursor.setAttribute('visibility', 'visible');
      tip.show(event, 'at ' + seconds(t) + ': ' + gigabytes(sample.slice(1).reduce((a, b) => a + b, 0)) + '\n' + list(sample).map(row => row[0] + ' ' + row[1]).join('\n'));
    };
    svg.onpointerleave = () => { cursor.setAttribute('visibility', 'hidden'); tip.hide(); };
  };
  select.addEventListener('change', draw);
  addEventListener('resize', draw);
  draw();
}

function money() {
  $('time-lead').textContent = plan.timeLead;
  table('parts-table', ['a step on rank 0', 'planned', ...(plan.parts.some(part => part[2] !== null) ? ['published'] : [])],
    plan.parts.map(part => [part[0], seconds(part[1]), ...(plan.parts.some(p => p[2] !== null) ? [part[2] === null ? '' : seconds(part[2])] : [])]), [1, 2], true);
  table('cost-table', ['stage', 'tokens', 'sequence', 'GPU hours', 'cost'], plan.cost, [1, 2, 3, 4], plan.cost.length > 1);
}

function network() {
  const topology = plan.topology, svg = $('topology');
  if (!topology) { $('network').remove(); document.querySelector('nav a[href="#network"]').remove(); return; }
  $('network-lead').textContent = topology.lead;
  table('paths-table', ['from GPU to GPU', 'switches', 'links', 'latency'], topology.paths, [1, 2, 3]);
  const rows = table('failures-table', ['what fails', 'lost', 'bandwidth left', 'what happens'], topology.failures, [1, 2]);
  [...rows.children].forEach((row, i) => {
    const mark = on => svg.querySelectorAll('[data-fail~="' + topology.failures[i][0].replace(/ /g, '-') + '"]').forEach(node => node.classList.toggle('failed', on));
    row.addEventListener('pointerenter', () => mark(true));
    row.addEventListener('pointerleave', () => mark(false));
  });
  const draw = () => { svg.replaceChildren(); pictures[topology.picture](svg, topology); };
  addEventListener('resize', draw);
  draw();
}

const box = (svg, x, y, width, height, fill, fail, text) => {
  el(svg, 'rect', { x, y, width, height, rx: 3, fill, stroke: '#7c8796', 'data-fail': fail || '' });
  if (text) el(svg, 'text', { x: x + width / 2, y: y + height / 2 + 4, 'text-anchor': 'middle', 'pointer-events': 'none', style: 'font-size:11px' }, text);
};
const wire = (svg, x1, y1, x2, y2, fail) => el(svg, 'line', { x1, y1, x2, y2, stroke: '#b5bfcc', 'data-fail': fail || '' });

const pictures = {
  // Planes side by side, each a small tree; below, a node with an adapter on each.
  planes(svg, topology) {
    const count = topology.planes, shown = Math.min(count, 8), width = svg.clientWidth, each = Math.min(190, (width - 150) / shown), left = 140;
    svg.style.height = '290px';
    el(svg, 'text', { x: 8, y: 34 }, topology.tops + ' top switches'); el(svg, 'text', { x: 8, y: 106 }, topology.leaves + ' leaf switches'); el(svg, 'text', { x: 8, y: 200 }, 'nodes');
    const tops = Math.min(topology.tops, 4), leaves = Math.min(topology.leaves, 5);
    for (let p = 0; p < shown; p++) {
      const x0 = left + p * each, inner = each - 14, first = p === 0;
      el(svg, 'rect', { x: x0, y: 4, width: inner, height: 124, rx: 6, fill: '#f4f6f9', stroke: '#d9dee6', 'data-fail': first ? 'plane rail' : '' });
      el(svg, 'text', { x: x0 + inner / 2, y: 142, 'text-anchor': 'middle', class: 'soft' }, (topology.shared ? 'rail ' : 'plane ') + p);
      const at = (i, n) => x0 + inner * (i + 0.5) / n;
      for (let l = 0; l < leaves; l++) for (let t = 0; t < tops; t++) wire(svg, at(l, leaves), 92, at(t, tops), 42, first && l === 0 && t === 0 ? 'link-between-switches' : '');
      for (let t = 0; t < tops; t++) box(svg, at(t, tops) - 10, 22, 20, 20, '#cdd9ea', first && t === 0 ? 'top-switch' : '');
      for (let l = 0; l < leaves; l++) box(svg, at(l, leaves) - 9, 92, 18, 18, '#dfe8f4', first && l === 0 ? 'leaf-switch' : '');
    }
    const nodes = Math.min(3, topology.nodes), nodeWidth = Math.min(420, (shown * each - 14) / nodes - 12);
    for (let n = 0; n < nodes; n++) {
      const x0 = left + n * (nodeWidth + 12);
      box(svg, x0, 176, nodeWidth, 56, '#fdf6ea', n === 0 ? 'node' : '');
      for (let g = 0; g < Math.min(topology.gpus, 8); g++) {
        const gx = x0 + nodeWidth * (g + 0.5) / Math.min(topology.gpus, 8);
        wire(svg, gx, 190, left + (g % shown) * each + (each - 14) * (n + 0.5) / Math.max(3, leaves), 110, n === 0 && g === 0 ? 'link-to-an-endpoint' : '');
        box(svg, gx - 11, 190, 22, 20, '#f6d9a8', '', 'G' + g);
      }
      el(svg, 'text', { x: x0 + nodeWidth / 2, y: 227, 'text-anchor': 'middle', class: 'soft' }, 'node ' + n + ': GPUs joined by NVLink');
    }
    el(svg, 'text', { x: left, y: 256, class: 'soft' }, (nodes < topology.nodes ? '… ' + topology.nodes + ' nodes in all. ' : '') + 'GPU k of every node has its adapter on ' + (topology.shared ? 'rail' : 'plane') + ' k'
      + (topology.shared ? '; rails meet above the leaves.' : '; planes share no switch, and a message to another plane hops within the node first.'));
    if (count > shown) el(svg, 'text', { x: left, y: 274, class: 'soft' }, count - shown + ' more like these');
  },

  tree(svg, topology) {
    const layers = topology.layers, width = svg.clientWidth, rowHeight = 66;
    svg.style.height = (layers + 1) * rowHeight + 30 + 'px';
    const shown = 12, at = (i, n) => 150 + (width - 170) * (i + 0.5) / n;
    for (let layer = 0; layer < layers; layer++) {
      const y = 10 + layer * rowHeight, n = layer === 0 && layers > 1 ? shown / 2 : layers === 1 ? 1 : shown, below = shown;
      el(svg, 'text', { x: 8, y: y + 15 }, topology.perLayer[layer] + (layer === 0 ? ' top switches' : layer === layers - 1 ? ' leaf switches' : ' switches'));
      for (let i = 0; i < n; i++) for (let j = 0; j < below; j++) if (layer === layers - 1 ? Math.floor(j * n / below) === i : layers === 2 || Math.abs(i / n - j / below) < 0.26 || layer === 0)
        wire(svg, at(i, n), y + 20, at(j, below), y + rowHeight, i === 0 && j === 0 ? (layer + 1 < layers ? 'link-between-switches' : 'link-to-an-endpoint') : '');
      for (let i = 0; i < n; i++) box(svg, at(i, n) - 12, y, 24, 20, layer === 0 ? '#cdd9ea' : '#dfe8f4', i > 0 ? '' : layer === 0 ? 'top-switch' : layer === layers - 1 ? 'leaf-switch' : '');
    }
    for (let i = 0; i < shown; i++) box(svg, at(i, shown) - 14, 10 + layers * rowHeight, 28, 20, '#f6d9a8', i === 0 ? 'node' : '', 'node');
    el(svg, 'text', { x: 150, y: layers * rowHeight + 52, class: 'soft' }, 'A part of it: every switch has as many ports up as down.');
  },

  // Groups on a circle, every one linked with every other.
  dragonfly(svg, topology) {
    const shown = Math.min(topology.groups, 13), [cx, cy, radius] = [svg.clientWidth / 2, 190, 140];
    svg.style.height = '390px';
    const at = i => [cx + radius * Math.sin(2 * Math.PI * i / shown), cy - radius * Math.cos(2 * Math.PI * i / shown)];
    for (let i = 0; i < shown; i++) for (let j = i + 1; j < shown; j++) wire(svg, ...at(i), ...at(j), i === 0 && j === 1 ? 'link-between-groups' : '');
    for (let i = 0; i < shown; i++) {
      const [x, y] = at(i);
      el(svg, 'circle', { cx: x, cy: y, r: 30, fill: '#f4f6f9', stroke: '#7c8796' });
      for (let s = 0; s < 6; s++) for (let t = s + 1; t < 6; t++) wire(svg, x + 17 * Math.cos(s * Math.PI / 3), y + 17 * Math.sin(s * Math.PI / 3), x + 17 * Math.cos(t * Math.PI / 3), y + 17 * Math.sin(t * Math.PI / 3), i === 0 && s === 0 && t === 1 ? 'link-within-a-group' : '');
      for (let s = 0; s < 6; s++) box(svg, x + 17 * Math.cos(s * Math.PI / 3) - 5, y + 17 * Math.sin(s * Math.PI / 3) - 5, 10, 10, '#cdd9ea', i === 0 && s === 0 ? 'switch' : '');
    }
    el(svg, 'text', { x: cx, y: 382, 'text-anchor': 'middle', class: 'soft' }, topology.groups + ' groups of ' + topology.groupSwitches + ' switches that all know one another, ' + topology.perSwitch + ' endpoints on each switch; a part of it.');
  },

  slim(svg, topology) {
    const shown = 5, cell = 26;
    svg.style.height = '230px';
    const at = (half, x, y) => [svg.clientWidth / 2 - 250 + half * 330 + x * cell * 1.35, 30 + y * cell * 1.25];
    for (let x = 0; x < shown; x++) for (let y = 0; y < shown; y++) for (let m = 0; m < shown; m++)
      wire(svg, ...at(0, x, y), ...at(1, m, (y - m * x % shown + shown) % shown), x + y + m === 0 ? 'link-between-switches' : '');
    for (let half = 0; half < 2; half++) for (let x = 0; x < shown; x++) for (let y = 0; y + 1 + half < shown; y++) wire(svg, ...at(half, x, y), at(half, x, 0)[0] + 9 * half, at(half, x, y + 1 + half)[1]);
    for (let half = 0; half < 2; half++) for (let x = 0; x < shown; x++) for (let y = 0; y < shown; y++) { const [px, py] = at(half, x, y); box(svg, px - 8, py - 8, 16, 16, half ? '#dfe8f4' : '#cdd9ea', half + x + y === 0 ? 'switch' : ''); }
    el(svg, 'text', { x: svg.clientWidth / 2, y: 218, 'text-anchor': 'middle', class: 'soft' }, 'The same with q = 5: two halves of q x q switches, any two at most two links apart. This one has q = ' + topology.q + '.');
  },
};

header();
gantt.start();
lanes();
memory();
money();
network();
table('sources-table', ['kind of work', 'reaches', 'measured where'], plan.sources, [1]);
