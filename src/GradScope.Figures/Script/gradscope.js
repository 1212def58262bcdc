// GradScope's figures come to life: cells are read, maps are switched, steps are played. A figure is complete without.
// Nothing here asks the network, makes an id, or touches anything outside of a figure's own element.
// Sections begin with four equals signs. Each figure holds the first and the last; one whose cells are read also maps, a tape rows,
// a training maps and curves, a model fold, and one that is drawn here maps, the kit and the one of its kind.
(() => {
  'use strict';

  /** A number, or null where the mask allows none. @typedef {number | null} Cell */
  /** Where numbers stand in the payload: first, count, exponent of the smallest. @typedef {[number, number, number]} Ref */
  /** What rows or columns are: a word for them, the header's list of their texts, the first one's number, how far apart their numbers are, and, where matrices stand beside each other, what each is and its size.
   * @typedef {{ name?: string, of?: number, from?: number, every?: number, each?: [string, number] }} Side */
  /** A rectangle of numbers, rows × cols cells; each cell stands for block[0] × block[1] of the block[2] × block[3] numbers that were recorded. v is the value, g its gradient, called grad;
   * of curves there are many values a column, by name.
   * @typedef {{ name: string, rows: number, cols: number, block?: [number, number, number?, number?], v?: Ref, g?: Ref, grad?: string, many?: [string, Ref][], down?: Side, across?: Side }} Grid */
  /** @typedef {{ maps?: Grid[], names?: string[][], [key: string]: any }} Head */
  /** @typedef {{ head: Head, numbers: (ref: Ref | undefined) => Cell[] | undefined }} Data */
  /** @typedef {Record<string, string | number | boolean | undefined | ((event: any) => void)>} Attributes */

  const key = Symbol.for('gradscope');
  const version = '1';
  const SVG = 'http://www.w3.org/2000/svg';
  const svgNames = /^(svg|g|path|rect|line|circle|text)$/;

  // ---- elements

  /** Gives an element attributes. Functions are listeners, true an attribute without a value; what is undefined or false is left out.
   * @param {Element} element @param {Attributes} attributes */
  const set = (element, attributes) => {
    for (const [attribute, value] of Object.entries(attributes)) {
      if (typeof value === 'function') element.addEventListener(attribute, value);
      else if (value !== undefined && value !== false) element.setAttribute(attribute, value === true ? '' : String(value));
    }
  };

  /** An element of HTML or SVG with attributes; a button submits nothing. @param {string} name @param {Attributes} [attributes] @param {...(Node | string)} children @returns {any} */
  const el = (name, attributes = {}, ...children) => {
    const element = svgNames.test(name) ? document.createElementNS(SVG, name) : document.createElement(name);
    set(element, { type: name === 'button' && name, ...attributes });
    element.append(...children);
    return element;
  };

  /** All elements below one that a selector finds. @param {Element} root @param {string} selector @returns {any[]} */
  const find = (root, selector) => [...root.querySelectorAll(selector)];

  // ---- figures

  /** Figures by kind: what each makes of its root. @type {Record<string, (root: HTMLElement) => void | Promise<void>>} */
  const kinds = {};

  // ==== maps

  /** @param {number} low @param {number} x @param {number} high */
  const clamp = (low, x, high) => Math.max(low, Math.min(x, high));

  // ---- numbers

  const decades = 36;
  const negative = 900 * decades;
  const tiny = 5e-324;

  /** Numbers as they are read, to three significant digits: 1 + mantissa − 100 + 900 · exponent, then the same below 0, then what is no number.
   * @param {Uint16Array} codes @param {number} base The exponent of the mantissa 100 of the smallest. @returns {Cell[]} */
  const decode = (codes, base) => Array.from(codes, code => {
    if (code === 0) return 0;
    if (code > 2 * negative) return [NaN, Infinity, -Infinity, tiny, -tiny, null][code - 2 * negative - 1] ?? null;
    const k = (code - 1) % negative;
    return Number(`${code > negative ? '-' : ''}${100 + k % 900}e${base + Math.floor(k / 900)}`);
  });

  /** @param {number} exponent */
  const raised = exponent => String(exponent).replace(/./g, c => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(c)]);

  /** Three significant digits, powers of ten as 4.70·10⁻³. @param {Cell | undefined} x */
  const short = x => {
    if (x === null || x === undefined) return 'masked';
    if (Number.isNaN(x)) return 'NaN';
    const sign = x < 0 ? '−' : '';
    const size = Math.abs(x);
    if (size === 0) return '0';
    if (size === Infinity) return sign + '∞';
    if (size === tiny) return '≈ 0';
    const [mantissa, power] = size.toExponential(2).split('e').map(Number);
    if (power >= -2 && power < 3) return sign + size.toFixed(2 - power);
    return power === 3 ? sign + Math.round(size) : `${sign}${mantissa.toFixed(2)}·10${raised(power)}`;
  };

  /** Unpacks a payload: the header's length, the header as JSON, then the numbers' low bytes and their high bytes.
   * @param {Uint8Array} bytes @returns {Data} */
  const unpack = bytes => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = view.getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    const low = bytes.subarray(4 + length);
    const count = low.length / 2;
    return {
      head,
      numbers: ref => ref && decode(Uint16Array.from({ length: ref[1] }, (_, i) => low[ref[0] + i] | low[count + ref[0] + i] << 8), ref[2]),
    };
  };

  /** @param {string} base64 */
  const inflate = async base64 => {
    const packed = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
    return unpack(new Uint8Array(await new Response(stream).arrayBuffer()));
  };

  // ---- elements

  /** What all parts of one figure share: its tooltip, the mark of the cell that is read, and its voice.
   * @param {HTMLElement} root */
  const stage = root => {
    const tip = el('div', { class: 'gs-tip', hidden: true, 'aria-hidden': 'true' });
    const mark = el('div', { class: 'gs-mark', hidden: true, 'aria-hidden': 'true' });
    const voice = el('div', { class: 'gs-voice', role: 'status', 'aria-live': 'polite' });
    root.append(mark, tip, voice);
    const hide = () => { tip.hidden = mark.hidden = true; };
    root.addEventListener('scroll', hide, true);
    root.addEventListener('keydown', event => { if (event.key === 'Escape') hide(); });
    return {
      root,
      hide,
      /** Tells screen readers, without moving the focus. @param {string} text */
      say: text => { voice.textContent = text; },
      /** Shows a text beside a box of the screen. @param {{ left: number, top: number, width: number, height: number, span: number }} box From its middle on something may be selected. @param {string} text */
      show: (box, text) => {
        const frame = root.getBoundingClientRect();
        tip.textContent = text;
        tip.hidden = mark.hidden = false;
        // What is tall is a step: a line, and the text beside it. Otherwise the text is above, or below where there is no room above.
        const [x, tall, above] = [box.left - frame.left, box.height > 200, box.top - tip.offsetHeight - 6];
        mark.classList.toggle('gs-line', tall);
        Object.assign(mark.style, { left: `${tall ? x + box.width / 2 + Math.min(0, box.span) : x}px`, top: `${box.top - frame.top}px`, width: `${tall ? Math.abs(box.span) : box.width}px`, height: `${box.height}px` });
        const right = x + box.width + 10;
        const left = !tall ? x + box.width / 2 - tip.offsetWidth / 2 : right + tip.offsetWidth <= frame.width ? right : x - tip.offsetWidth - 10;
        tip.style.left = `${clamp(0, left, frame.width - tip.offsetWidth)}px`;
        tip.style.top = `${(tall ? Math.max(8, box.top) : above > 0 ? above : box.top + box.height + 6) - frame.top}px`;
      },
    };
  };

  // ---- heatmaps

  /** A side's words for one place, such as query 3 “r”; of so many numbers the last block may hold fewer.
   * @param {Side | undefined} side @param {number} i @param {number} block @param {string[][]} names @param {number} [count] @returns {string} */
  const place = (side, i, block, names, count = Infinity) => {
    if (side?.each) return `${side.each[0]} ${Math.floor(i / side.each[1])}, ${place({ ...side, each: undefined }, i % side.each[1], block, names)}`;
    const more = Math.min(block, count - i * block) - 1;
    const at = i * block * (side?.every ?? 1) + (side?.from ?? 0);
    const text = side?.of === undefined || block > 1 ? '' : ` “${names[side.of][i]}”`;
    return `${side?.name ? side.name + ' ' : ''}${at}${more > 0 ? '…' + (at + more) : ''}${text}`;
  };

  /** What a cell tells: its index, the tokens there, its value and its gradient.
   * @param {Grid} map @param {string[][]} names @param {Cell[] | undefined} value @param {Cell[] | undefined} grad @param {number} r @param {number} c */
  const tell = (map, names, value, grad, r, c) => {
    const [down, across, rows, cols] = map.block ?? [1, 1];
    const i = r * map.cols + c;
    const where = [...map.rows > 1 || map.down ? [place(map.down, r, down, names, rows)] : [], place(map.across, c, across, names, cols)].join(', ');
    const lines = [`${map.name}[${where}]`];
    if (value) lines.push(value[i] === null ? 'masked: not allowed' : `value ${short(value[i])}`);
    if (grad && grad[i] !== null) lines.push(`${map.grad ?? 'gradient'} ${short(grad[i])}`);
    return lines.join('\n');
  };

  /** Moves a reading place by a key; undefined where the key is none of its.
   * @param {string} pressed @param {[number, number]} at @param {number} rows @param {number} cols @returns {[number, number] | undefined} */
  const move = (pressed, [r, c], rows, cols) => {
    switch (pressed) {
      case 'ArrowLeft': return [r, Math.max(0, c - 1)];
      case 'ArrowRight': return [r, Math.min(cols - 1, c + 1)];
      case 'ArrowUp': return [Math.max(0, r - 1), c];
      case 'ArrowDown': return [Math.min(rows - 1, r + 1), c];
      case 'Home': return [r, 0];
      case 'End': return [r, cols - 1];
    }
  };

  /** Which columns of a map are in view, the first and the last; the one that is read, the one a drag began at, and what brings one into view.
   * @typedef {{ shown?: [number, number], at?: any, start?: any, reveal?: (c: number) => void }} View */

  /** Lets a drawn rectangle of cells be read by pointer and keys.
   * @param {Element} target @param {{ rows: number, cols: number, label: string, role?: string, tell: (r: number, c: number) => string }} map
   * @param {ReturnType<typeof stage>} on @param {View} view */
  const readable = (target, map, on, view = {}) => {
    /** @type {[number, number]} */
    let at = [0, 0];
    const box = () => {
      const frame = target.getBoundingClientRect();
      const [width, height] = [frame.width / map.cols, frame.height / map.rows];
      return { left: frame.left + at[1] * width, top: frame.top + at[0] * height, width, height, span: ((view.start ?? at[1]) - at[1]) * width };
    };
    const read = (/** @type {boolean} */ aloud) => {
      const [from, to] = view.shown ?? [0, map.cols - 1];
      at = [Math.min(at[0], map.rows - 1), view.at = clamp(from, at[1], to)];
      const text = map.tell(...at);
      on.show(box(), text);
      if (aloud) on.say(text.replace(/\n/g, ', '));
    };
    const point = (/** @type {PointerEvent} */ event) => {
      const frame = target.getBoundingClientRect();
      const cell = (/** @type {number} */ x, /** @type {number} */ n) => clamp(0, Math.floor(x * n), n - 1);
      at = [cell((event.clientY - frame.top) / frame.height, map.rows), cell((event.clientX - frame.left) / frame.width, map.cols)];
      read(false);
    };
    set(target, {
      role: 'application',
      'aria-roledescription': map.role ?? 'heatmap',
      'aria-label': `${map.label}: arrow keys read its cells`,
      pointerdown: point,
      pointermove: point,
      pointerleave: on.hide,
      focus: () => { if (target.matches(':focus-visible')) read(true); },
      blur: on.hide,
      keydown: event => {
        const next = move(event.key, at, map.rows, map.cols);
        if (!next) return;
        at = next;
        view.reveal?.(at[1]);
        event.preventDefault();
        event.stopPropagation();
        read(true);
      },
    });
    return read;
  };

  /** Makes one tab stop of many things, or one in each drawing: Page Up and Page Down go from one to the next. @param {Element[]} all */
  const rove = all => new Set(all.map(target => target.closest('.gs-drawn>svg'))).forEach(drawing => {
    const targets = all.filter(target => target.closest('.gs-drawn>svg') === drawing);
    targets.forEach((target, i) => set(target, {
      tabindex: i ? -1 : 0,
      focus: () => targets.forEach(t => set(t, { tabindex: t === target ? 0 : -1 })),
      keydown: event => {
        const by = { PageUp: -1, PageDown: 1 }[/** @type {string} */ (event.key)];
        if (!by) return;
        event.preventDefault();
        /** @type {SVGElement} */ (targets[(i + by + targets.length) % targets.length]).focus();
      },
    }));
  });

  // ---- figures

  /** A kind that is made of its figure's stage and its unpacked numbers.
   * @param {(on: ReturnType<typeof stage>, data: Data) => void} make @returns {(root: HTMLElement) => Promise<void>} */
  const live = make => async root => make(stage(root), await inflate(root.dataset.numbers ?? ''));

  /** Lets a drawing's heatmaps be read: element i with data-map holds map i, and so does the inside of thumbnails' frames, as the header's frames say.
   * @param {ReturnType<typeof stage>} on @param {Data} data @param {View} [view] */
  const maps = (on, { head, numbers }, view) => {
    find(on.root, '.maps path').forEach((frame, i) => {
      const [x, y, width, height] = (frame.getAttribute('d') ?? '').match(/[\d.]+/g)?.map(Number) ?? [];
      frame.after(el('rect', { x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1, stroke: 'none', class: 'hit', 'data-map': head.frames[i % head.frames.length] }));
    });
    const frames = find(on.root, '[data-map]');
    rove(frames);
    return frames.map(frame => {
      const map = /** @type {Grid[]} */ (head.maps)[Number(frame.getAttribute('data-map'))];
      const [value, grad] = [numbers(map.v), numbers(map.g)];
      const many = map.many?.map(([name, ref]) => ({ name, cells: numbers(ref) ?? [] }));
      find(frame.parentNode, 'title').forEach(title => title.remove());
      return readable(frame, { ...map, label: map.name, role: many && 'curves', tell: (r, c) => many
        ? [place(map.across, c, 1, []), ...many.filter(({ cells }) => cells[c] !== null).map(({ name, cells }) => `${name} ${short(cells[c])}`)].join('\n')
        : tell(map, head.names ?? [], value, grad, r, c) }, on, view);
    });
  };

  kinds.maps = live(maps);

  // ==== kit

  /** Shows an element in the still drawing's place. @param {HTMLElement} root @param {string} width @param {Element} element */
  const instead = (root, width, element) => {
    const [still] = find(root, '.gs-view');
    still.hidden = true;
    still.after(element);
    root.style.maxWidth = width;
  };

  /** @param {(Cell | undefined)[]} cells */
  const largest = cells => cells.reduce((/** @type {number} */ most, x) => typeof x === 'number' && Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most, 0);

  /** Draws cells as colours into an SVG element: one path for each step of colour, a dash for what is below 0, a slash for what is masked, a cross for what is no number.
   * @param {SVGElement} svg @param {Cell[]} cells @param {number} cols @param {number} w @param {number} h @param {string} tone The tone of what is above 0: v, or g in signed maps. @param {number} most The magnitude of the full colour. */
  const paint = (svg, cells, cols, w, h, tone, most) => {
    /** @type {Record<string, string>} */
    const paths = {};
    const gap = Math.min(w, h) >= 6 ? 0.5 : 0;
    const marks = Math.min(w, h) >= 6;
    cells.forEach((x, i) => {
      const [left, top] = [i % cols * w, Math.floor(i / cols) * h];
      const add = (/** @type {string} */ kind, /** @type {string} */ d) => { paths[kind] = (paths[kind] ?? '') + d; };
      const n = (/** @type {number} */ size) => +size.toFixed(2);
      if (x === null) add('slash', `M${n(left + w / 4)} ${n(top + h * 0.75)}l${n(w / 2)} ${n(-h / 2)}`);
      else if (!Number.isFinite(x)) add('cross', `M${n(left + w / 4)} ${n(top + h / 4)}l${n(w / 2)} ${n(h / 2)}m0 ${n(-h / 2)}l${n(-w / 2)} ${n(h / 2)}`);
      else {
        const step = most && Math.min(20, Math.round(Math.abs(x) / most * 20));
        if (!step) return;
        add(`${x < 0 ? 'n' : tone} ${step}`, `M${n(left + gap)} ${n(top + gap)}h${n(w - 2 * gap)}v${n(h - 2 * gap)}h${n(2 * gap - w)}z`);
        if (x < 0 && marks) add('dash', `M${n(left + w * 0.3)} ${n(top + h / 2)}h${n(w * 0.4)}`);
      }
    });
    const stroke = { slash: ['sm', marks ? 0.8 : w / 8, 0.55], cross: ['sl', marks ? 1.2 : w / 5, 1], dash: ['si', 1, 0.7] };
    // Marks lie on the colours.
    const order = Object.entries(paths).sort(([a], [b]) => Number(a in stroke) - Number(b in stroke));
    svg.replaceChildren(...order.map(([kind, d]) => {
      const line = stroke[/** @type {keyof typeof stroke} */ (kind)];
      if (line) return el('path', { d, class: line[0], 'stroke-width': line[1], opacity: line[2] });
      const [letter, step] = kind.split(' ');
      return el('path', { d, class: 'f' + letter, opacity: step === '20' ? undefined : Number(step) / 20 });
    }));
  };

  // ---- playing

  /** A place in a row of stops that can be stepped, sought and played. It knows no page: tests drive it with their own clock.
   * @param {{ count: number, change: (at: number, playing: boolean) => void, delay?: number, after?: (f: () => void, ms: number) => any, cancel?: (timer: any) => void }} options */
  const cursor = ({ count, change, delay = 1000, after = setTimeout, cancel = clearTimeout }) => {
    let [at, playing, speed] = [0, false, 1];
    /** @type {any} */
    let timer;
    const self = {
      get at() { return at; },
      get count() { return count; },
      get playing() { return playing; },
      get speed() { return speed; },
      set speed(value) { speed = value; if (playing) tick(); },
      /** @param {number} to */
      go: to => {
        at = clamp(0, to, count - 1);
        if (playing && at === count - 1) self.pause();
        else change(at, playing);
      },
      /** Another number of stops, and the place among them. @param {number} stops @param {number} to */
      resize: (stops, to) => { count = stops; self.go(to); },
      /** @param {number} by */
      step: by => { self.pause(false); self.go(at + by); },
      play: () => {
        playing = true;
        if (at === count - 1) at = 0;
        change(at, playing);
        tick();
      },
      pause: (tellIt = true) => { cancel(timer); playing = false; if (tellIt) change(at, playing); },
      toggle: () => playing ? self.pause() : self.play(),
    };
    const tick = () => {
      cancel(timer);
      timer = after(() => { self.go(at + 1); if (playing) tick(); }, delay / speed);
    };
    return self;
  };

  const icons = {
    first: 'M4 3v10M13 3L7 8l6 5z', back: 'M11 3L5 8l6 5z', Play: 'M5 3l8 5-8 5z', Pause: 'M5 3v10M11 3v10', next: 'M5 3l6 5-6 5z', last: 'M12 3v10M3 3l6 5-6 5z',
  };

  /** A button with a picture. @param {keyof icons} icon @param {string} label @param {() => void} click */
  const iconButton = (icon, label, click) => el('button', { class: 'gs-icon', 'aria-label': label, title: label, click },
    el('svg', { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' }, el('path', { d: icons[icon] })));

  /** Buttons, scrubber and speed of a cursor, and its keys on the whole figure: space, arrows, Home, End.
   * @param {ReturnType<typeof cursor>} cursor @param {HTMLElement} area Where keys are heard. @param {{ label: string, unit: string }} words */
  const transport = (cursor, area, { label, unit }) => {
    const play = iconButton('Play', 'Play', cursor.toggle);
    const scrub = el('input', { type: 'range', min: 0, max: cursor.count - 1, value: 0, 'aria-label': label, input: () => { cursor.pause(false); cursor.go(+scrub.value); } });
    const speed = el('select', { 'aria-label': 'Speed', change: () => { cursor.speed = +speed.value; } },
      ...[0.5, 1, 2, 4, 8].map(x => el('option', { value: x, selected: x === 1 }, `${x}×`)));
    const bar = el('div', { class: 'gs-bar', role: 'group', 'aria-label': 'Playback' },
      iconButton('first', `First ${unit} (Home)`, () => cursor.step(-Infinity)), iconButton('back', `${unit} back (left arrow)`, () => cursor.step(-1)),
      play, iconButton('next', `${unit} forward (right arrow)`, () => cursor.step(1)), iconButton('last', `Last ${unit} (End)`, () => cursor.step(Infinity)),
      scrub, speed);
    area.addEventListener('keydown', event => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || target.matches('select, summary')) return;
      const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (by) cursor.step(by);
      else if (event.key === ' ' && !target.matches('button')) cursor.toggle();
      else return;
      event.preventDefault();
    });
    return {
      bar,
      /** Shows where the cursor is, and says it in words. @param {string} text */
      show: text => {
        scrub.max = String(cursor.count - 1);
        scrub.value = String(cursor.at);
        set(scrub, { 'aria-valuetext': text });
        const name = cursor.playing ? 'Pause' : 'Play';
        set(play, { 'aria-label': name, title: `${name} (space)` });
        set(play.querySelector('path'), { d: icons[name] });
      },
    };
  };

  // ==== player

  /** @typedef {{ name: string, short: string, kind: string, shape: string, norm: number | string, gnorm?: number | string, formula?: string, in?: number[], high?: [number, number], text?: string, map?: number }} TapeNode */
  /** input, rule, part, of, norm, sum's norm, what is added, the sum. @typedef {[number, string, number, number, (number | string)?, (number | string)?, Ref?, Ref?]} Add */
  /** @typedef {{ name: string, ops: number[] }} Part */
  /** A place to stop: forward, at the loss, or backward; at one operation, or at a folded part. @typedef {{ way: 'f' | 'l' | 'b', ops: number[], part?: number }} Stop */

  /** All stops of a tape. @param {Part[]} parts @param {[number, Add[]][]} back @param {Set<number>} folded @param {boolean} gradients @param {number} [loss] @returns {Stop[]} */
  const stopsOf = (parts, back, folded, gradients, loss) => {
    const known = new Set(back.map(([op]) => op));
    /** @param {'f' | 'b'} way @param {Part} part @param {number} i @returns {Stop[]} */
    const walk = (way, part, i) => {
      const ops = way === 'f' ? part.ops : part.ops.filter(op => known.has(op)).reverse();
      return folded.has(i) ? (ops.length ? [{ way, ops, part: i }] : []) : ops.map(op => ({ way, ops: [op] }));
    };
    const forward = parts.flatMap((part, i) => walk('f', part, i));
    if (!gradients || loss === undefined) return forward;
    return [...forward, { way: 'l', ops: [loss] }, ...parts.map((part, i) => walk('b', part, i)).reverse().flat()];
  };

  /** Which values are there, and which gradients are whole, at a stop. @param {Stop[]} stops @param {number} at @param {Record<number, Add[]>} adds */
  const filled = (stops, at, adds) => {
    const [values, grads] = [/** @type {Set<number>} */ (new Set()), /** @type {Set<number>} */ (new Set())];
    stops.slice(0, at + 1).forEach(({ way, ops }) => ops.forEach(op => {
      if (way === 'f') values.add(op);
      else if (way === 'l') grads.add(op);
      else adds[op].forEach(([input, , part, of]) => { if (part === of) grads.add(input); });
    }));
    return { values, grads };
  };

  /** @param {ReturnType<typeof stage>} on @param {Data} data */
  const player = (on, { head, numbers }) => {
    const { root } = on;
    /** @type {(TapeNode | null)[]} */
    const nodes = head.nodes;
    /** @type {Part[]} */
    const parts = head.parts;
    /** @type {[number, Add[]][]} */
    const back = head.back;
    const adds = Object.fromEntries(back);
    /** @type {Record<number, number>} */
    const uses = {};
    back.forEach(([, list]) => list.forEach(([input, , , of]) => { uses[input] = of; }));
    const foldable = parts.length > 1;
    /** @type {Set<number>} */
    const folded = new Set();
    let gradients = back.length > 0;
    let stops = stopsOf(parts, back, folded, gradients, head.loss);
    /** @type {Map<Ref, Cell[] | undefined>} */
    const cache = new Map();
    const read = (/** @type {Ref | undefined} */ ref) => {
      if (ref && !cache.has(ref)) cache.set(ref, numbers(ref));
      return ref && cache.get(ref);
    };
    const node = (/** @type {number} */ i) => /** @type {TapeNode} */ (nodes[i]);
    const grid = (/** @type {number} */ i) => /** @type {Grid[]} */ (head.maps)[node(i).map ?? -1];
    const size = (/** @type {number | string | undefined} */ norm) => typeof norm === 'number' ? short(norm) : norm ?? '–';

    /** One map with its caption and norm, or the number where there is one. @param {number} i @param {string} caption @param {'v' | 'g'} tone @param {number | string | undefined} norm @param {Cell[] | undefined} cells @param {(r: number, c: number) => string} told */
    const picture = (i, caption, tone, norm, cells, told) => {
      const map = grid(i);
      const under = el('figcaption', { class: `gs-${tone}` }, `${caption} `);
      if (!map || !cells) return el('figure', {}, el('output', { class: `gs-${tone}` }, node(i).text ?? `‖·‖ ${size(norm)}`), under);
      if (cells.length === 1) return el('figure', {}, el('output', { class: `gs-number gs-${tone}` }, short(cells[0])), under);
      const cell = Math.max(2.5, Math.min(11, (map.cols > 32 ? 264 : 176) / map.cols, 132 / map.rows));
      const [width, height] = [cell * map.cols, Math.max(cell, map.rows === 1 ? 12 : 0) * map.rows];
      const svg = el('svg', { viewBox: `0 0 ${width} ${height}`, width, height, class: 'gs-cells' });
      const signed = tone === 'g' || cells.some(x => x !== null && x < 0);
      const most = largest(cells);
      paint(svg, cells, map.cols, width / map.cols, height / map.rows, signed ? 'g' : 'v', most);
      const each = map.across?.each?.[1] ?? map.cols;
      for (let i = each; i < map.cols; i += each) svg.append(el('path', { d: `M${i * cell} 0v${height}`, class: 'sm' }));
      readable(svg, { ...map, label: `${map.name}, ${caption}`, tell: told }, on);
      under.append(el('span', {}, `‖·‖ ${size(norm)} `, el('span', { class: 'gs-muted' }, `${signed ? '±' : '0…'}${short(most)}`)));
      const figure = el('figure', {}, svg, under);
      figure.style.width = `${Math.max(width, 132)}px`;
      return figure;
    };

    /** @param {number} i @param {boolean} whole Whether its gradient is whole. */
    const value = (i, whole) => {
      const map = grid(i);
      const [v, g] = [read(map?.v), whole ? read(map?.g) : undefined];
      return picture(i, 'value', 'v', node(i).norm, v, (r, c) => tell(map, head.names ?? [], v, g, r, c));
    };

    /** A gradient: the whole, a part that is added, or a sum so far. @param {number} i @param {string} caption @param {number | string | undefined} norm @param {Ref | undefined} [ref] */
    const gradient = (i, caption, norm, ref) => {
      const map = grid(i);
      const cells = read(ref ?? map?.g);
      return picture(i, caption, 'g', norm, cells, (r, c) => tell({ ...map, grad: caption }, head.names ?? [], undefined, cells, r, c));
    };

    /** @param {number} i @param {...(Node | string)} children */
    const card = (i, ...children) => el('div', { class: 'gs-card' },
      el('p', { class: `gs-name ${node(i).kind === 'parameter' ? 'gs-p' : ''}` }, el('code', {}, node(i).short), ` ${node(i).shape}`, node(i).kind === 'operation' ? '' : ` ${node(i).kind}`),
      ...children);

    /** An input with what it receives now. @param {number} i @param {Add | undefined} add @param {Stop} stop @param {Set<number>} grads */
    const input = (i, add, stop, grads) => {
      const pictures = [value(i, grads.has(i))];
      if (stop.way !== 'b') return card(i, el('div', { class: 'gs-maps' }, ...pictures));
      if (!add) return card(i, el('div', { class: 'gs-maps' }, ...pictures), el('p', { class: 'gs-muted' }, 'takes no gradient'));
      const [, rule, part, of, norm, sumNorm, added, sum] = add;
      const name = `∂L/∂${node(i).short}`;
      if (norm === undefined) pictures.push(el('p', { class: 'gs-muted' }, `one of ${of} parts; only their sum was recorded`));
      else {
        pictures.push(gradient(i, of > 1 ? `adds (part ${part} of ${of})` : 'adds', norm, added));
        if (of > 1) pictures.push(gradient(i, part === of ? `sum: ${name} is whole` : 'sum so far', sumNorm, part === of ? undefined : sum ?? added));
      }
      return card(i, el('p', { class: 'gs-rule' }, el('code', {}, `${name} += ${rule}`)), el('div', { class: 'gs-maps' }, ...pictures));
    };

    /** @param {number} i @param {Stop} stop @param {Set<number>} grads */
    const output = (i, stop, grads) => card(i, el('div', { class: 'gs-maps' }, value(i, grads.has(i)),
      ...stop.way === 'f' ? [] : [gradient(i, stop.way === 'l' ? '∂L/∂L' : `G = ∂L/∂${node(i).short}`, node(i).gnorm)]));

    /** What a folded part takes from outside, and its parameters. @param {Stop} stop */
    const outside = stop => {
      const inside = new Set(stop.ops);
      const all = [...new Set(stop.ops.flatMap(op => node(op).in ?? []))].filter(i => !inside.has(i)).sort((a, b) => a - b);
      return { inputs: all.filter(i => node(i).kind !== 'parameter'), parameters: all.filter(i => node(i).kind === 'parameter') };
    };

    /** Of each input the last of the additions that happen at a stop. @param {Stop} stop */
    const lastAdds = stop => new Map(stop.way === 'b' ? stop.ops.flatMap(op => adds[op].map(add => /** @type {[number, Add]} */ ([add[0], add]))) : []);

    /** @param {Stop} stop @param {Set<number>} grads */
    const foldedCards = (stop, grads) => {
      const { inputs, parameters } = outside(stop);
      const last = lastAdds(stop);
      const final = Math.max(...stop.ops);
      const row = (/** @type {number} */ i) => el('tr', {}, el('th', { scope: 'row' }, node(i).short), el('td', {}, node(i).shape), el('td', {}, size(node(i).norm)),
        ...stop.way === 'b' ? [el('td', {}, size(last.get(i)?.[5]) + ((last.get(i)?.[3] ?? 1) > 1 ? ` (part ${last.get(i)?.[2]} of ${last.get(i)?.[3]})` : ''))] : []);
      const left = inputs.map(i => {
        const add = last.get(i);
        if (!add || add[5] === undefined) return card(i, el('div', { class: 'gs-maps' }, value(i, grads.has(i))));
        const whole = add[2] === add[3];
        return card(i, el('div', { class: 'gs-maps' }, value(i, grads.has(i)), gradient(i, whole ? `∂L/∂${node(i).short}, whole` : `sum so far, ${add[2]} of ${add[3]} parts`, add[5], whole ? undefined : add[7] ?? add[6])));
      });
      if (parameters.length) {
        left.push(el('table', { class: 'gs-t2' }, el('caption', {}, 'parameters'),
          el('thead', {}, el('tr', {}, ...['name', 'shape', '‖value‖', ...stop.way === 'b' ? ['‖gradient‖'] : []].map(text => el('th', { scope: 'col' }, text)))),
          el('tbody', {}, ...parameters.map(row))));
      }
      return { left, right: output(final, stop, grads) };
    };

    /** A stop in words. @param {Stop} stop @param {number} at */
    const describe = (stop, at) => {
      const op = stop.ops[0];
      const count = stops.filter(s => s.way === 'f').length;
      const place = stop.way === 'f' ? `forward ${at + 1} of ${count}` : stop.way === 'l' ? 'the loss' : `backward ${at - count} of ${stops.length - count - 1}`;
      const what = stop.part !== undefined ? `${parts[stop.part].name}, ${stop.ops.length} operations` : stop.way === 'l' ? `${node(op).short} = ${short(read(grid(op)?.v)?.[0])}` : `${node(op).short} = ${node(op).formula}`;
      let why = '';
      if (stop.way === 'f') why = at === count - 1 && gradients ? 'All values are there. Next, backward starts from the loss.' : stop.part !== undefined ? 'Folded: its operations in one stop.' : '';
      else if (stop.way === 'l') why = 'Backward starts here: the loss changes with itself at the rate ∂L/∂L = 1.';
      else if (stop.part !== undefined) why = 'Folded: the gradient of its output goes in at the right, the gradients of its inputs and parameters come out.';
      else {
        const parted = adds[op].filter(add => add[3] > 1).map(add => node(add[0]).short);
        why = `G = ∂L/∂${node(op).short} is whole${uses[op] > 1 ? `: its ${uses[op]} uses have all sent their part` : ''}. `
          + (adds[op].every(add => add[1] === 'G') ? 'An add hands the same G to each input.' : 'The rule makes of G what each input receives.')
          + (parted.length ? ` ${parted.join(' and ')} ${parted.length > 1 ? 'are' : 'is'} used more than once, so parts add up.` : '');
      }
      return { place, what, why };
    };

    // ---- what stands on the page

    const steps = cursor({ count: stops.length, change: () => draw() });
    const area = el('div', { class: 'gs-player', role: 'group', 'aria-label': head.title, tabindex: -1 });
    const bar = transport(steps, area, { label: 'Step of the training step', unit: 'step' });
    const restart = (/** @type {() => void} */ change) => {
      // The operation that was shown stays, or the folded part it is in.
      const { way, ops } = stops[steps.at];
      steps.pause(false);
      change();
      stops = stopsOf(parts, back, folded, gradients, head.loss);
      const to = stops.findIndex(s => s.way === way && s.ops.includes(ops[way === 'b' ? ops.length - 1 : 0]));
      const last = stops.filter(s => s.way === 'f').length - 1;
      steps.resize(stops.length, to < 0 ? last : to);
    };
    const toggle = el('button', { role: 'switch', 'aria-checked': String(gradients), class: 'gs-switch', click: () => restart(() => { gradients = !gradients; set(toggle, { 'aria-checked': String(gradients) }); }) }, 'backprop');
    const foldAll = el('button', { class: 'gs-fold', click: () => restart(() => { if (folded.size) folded.clear(); else parts.forEach((_, i) => folded.add(i)); }) });
    const seek = (/** @type {number} */ op, /** @type {boolean} */ backward) => {
      const to = stops.findIndex(s => s.way === (backward && gradients ? 'b' : 'f') && s.ops.includes(op));
      if (to >= 0) steps.step(to - steps.at);
    };
    const High = 56;
    /** @type {{ op: number, value: any, grad: any, here: any }[]} */
    const bars = [];
    /** @type {any[]} */
    const folds = [];
    const strip = el('div', { class: 'gs-strip' }, ...parts.map((part, i) => {
      const svg = el('svg', { viewBox: `0 0 ${part.ops.length} ${2 * High}`, preserveAspectRatio: 'none', 'aria-hidden': 'true', click: (/** @type {MouseEvent} */ event) => {
        const frame = svg.getBoundingClientRect();
        seek(part.ops[Math.floor((event.clientX - frame.left) / frame.width * part.ops.length)], event.clientY - frame.top > frame.height / 2);
      } });
      part.ops.forEach((op, x) => {
        const [up, down] = /** @type {[number, number]} */ (node(op).high).map(h => h < 0 ? 0 : 3 + h * (High - 3));
        const here = el('rect', { x, y: 0, width: 1, height: 2 * High, class: 'gs-here' });
        const shape = { x: x + 0.1, width: 0.8 };
        const [value, grad] = [el('rect', { ...shape, y: High - up, height: up, class: op === head.loss ? 'fl' : 'fv' }), el('rect', { ...shape, y: High, height: down, class: 'fg' })];
        bars.push({ op, value, grad, here });
        svg.append(here, el('rect', { ...shape, y: High - 1, height: 2, class: 'gs-empty' }), value, grad);
      });
      const name = part.name.replace('block ', '').replace(' · attention', ' att').replace(' · mlp', ' mlp').replace('unembedding and loss', 'loss').replace('embedding', 'emb');
      const fold = el('button', { class: 'gs-fold', title: `${part.name} as one stop`, click: () => restart(() => { if (!folded.delete(i)) folded.add(i); }) },
        el('span', { class: 'gs-caret', 'aria-hidden': 'true' }), el('span', { class: 'gs-long' }, part.name.replace('unembedding and loss', 'to the loss')), el('span', { class: 'gs-short' }, name));
      folds.push(fold);
      return el('div', {}, svg, ...foldable ? [fold] : []);
    }));
    strip.style.gridTemplateColumns = parts.map(part => `minmax(0,${part.ops.length}fr)`).join(' ');
    const [place, what, why, left, right, way] = ['gs-place', 'gs-what', 'gs-why', 'gs-inputs', 'gs-output', 'gs-way'].map(name => el(name === 'gs-what' || name === 'gs-why' ? 'p' : name === 'gs-place' ? 'span' : 'div', { class: name }));
    const line = el('path', { class: 'gs-arrow' });
    const wayText = el('span');
    way.append(wayText, el('svg', { viewBox: '0 0 48 16', width: 48, height: 16, 'aria-hidden': 'true' }, line));

    const draw = () => {
      const stop = stops[steps.at];
      const { values, grads } = filled(stops, steps.at, adds);
      const now = new Set(stop.ops);
      bars.forEach(({ op, value, grad, here }) => {
        value.style.visibility = values.has(op) ? '' : 'hidden';
        grad.style.visibility = grads.has(op) ? '' : 'hidden';
        here.style.visibility = now.has(op) ? '' : 'hidden';
      });
      folds.forEach((fold, i) => set(fold, { 'aria-pressed': String(folded.has(i)) }));
      foldAll.textContent = folded.size ? 'open all' : 'fold blocks';
      const words = describe(stop, steps.at);
      area.dataset.way = stop.way;
      place.textContent = words.place + (stop.way === 'f' ? ' →' : stop.way === 'b' ? ' ←' : '');
      what.replaceChildren(place, el('code', {}, words.what));
      why.textContent = words.why;
      const focus = find(area, '.gs-cells').indexOf(document.activeElement);
      on.hide();
      if (stop.part !== undefined) {
        const cards = foldedCards(stop, grads);
        left.replaceChildren(...cards.left);
        right.replaceChildren(cards.right);
      } else {
        const op = stop.ops[0];
        left.replaceChildren(...stop.way === 'l' ? [] : (node(op).in ?? []).map(i => input(i, stop.way === 'b' ? adds[op].find(add => add[0] === i) : undefined, stop, grads)));
        right.replaceChildren(output(op, stop, grads));
      }
      wayText.textContent = stop.way === 'f' ? 'computes' : 'chain rule';
      set(line, { d: stop.way === 'f' ? 'M2 8h42m-7-6l7 6-7 6' : 'M46 8h-42m7-6l-7 6 7 6' });
      way.hidden = stop.way === 'l' || left.childElementCount === 0;
      const maps = find(area, '.gs-cells');
      rove(maps);
      if (focus >= 0) (maps[Math.min(focus, maps.length - 1)] ?? area).focus();
      bar.show(`${words.place}: ${words.what}`);
      area.style.setProperty('--gs-turn', `${gradients ? stops.filter(s => s.way === 'f').length / stops.length * 100 : 100}%`);
      if (!steps.playing) on.say(`${words.place}: ${words.what}. ${words.why}`);
    };

    if (back.length) bar.bar.append(toggle);
    if (foldable) bar.bar.append(foldAll);
    area.append(el('p', { class: 'gs-title' }, head.title), el('p', { class: 'gs-muted' }, head.subtitle),
      strip, bar.bar, what, why, el('div', { class: 'gs-cards' }, left, way, right),
      el('p', { class: 'gs-muted gs-note' }, head.note));
    instead(root, '1100px', area);
    draw();
  };
  kinds.player = live(player);

  // ==== run

  /** A recorded run: what stands in groups with data-run follows one cursor over its steps, in each drawing of it. Texts and widths come finished, picture by picture. */
  kinds.run = live((on, { head, numbers }) => {
    const { stops, frames, layers, heads, side, x, y, texts, tokens, size, cells, room, pictures } = head;
    const names = head.names ?? [];
    const parameters = names[head.parameters];
    const metrics = head.metrics.map(numbers);
    /** @param {string} name @returns {any[]} */
    const all = name => find(on.root, `[data-run=${name}]`);
    /** Each drawing has all of the list, in the same order. @param {string} name @param {any[]} list */
    const write = (name, list) => all(name).forEach((slot, i) => { slot.firstChild.textContent = list[i % list.length]; });
    /** The i-th of equal parts. @param {Ref | undefined} ref @param {number} i @param {number} parts */
    const part = (ref, i, parts) => numbers(ref && [ref[0] + i * ref[1] / parts, ref[1] / parts, ref[2]]) ?? [];
    const shown = (/** @type {Cell | undefined} */ value) => value === null || value === undefined ? '–' : short(value);
    const latest = (/** @type {any} */ list, /** @type {number} */ step) => Math.max(0, list.findLastIndex((/** @type {number} */ at) => at <= step));
    let { layer, head: which, parameter } = head;
    /** @type {Cell[]} */
    let norms = [];
    let [frame, picture] = [-1, -1];
    /** What each kind of map shows now: its cells' numbers, and their gradients. @type {Record<string, { grid: Grid, value?: Cell[], grad?: Cell[] }>} */
    const maps = {};

    const drawParameter = () => {
      norms = part(head.norms, parameter, parameters.length);
      all('curve').forEach((curve, d) => {
        let pen = 'M';
        set(curve.firstChild, { d: norms.map((norm, i) => {
          const line = norm && norm > 0 && norm < Infinity && `${pen}${(x[d][0] + x[d][1] * stops[i]).toFixed(1)} ${Math.min(y[2], y[0] + y[1] * Math.log10(norm)).toFixed(1)}`;
          pen = line ? 'L' : 'M';
          return line || '';
        }).join('') });
      });
      write('name', [`‖gradient‖ of ${parameters[parameter]} (log)`]);
    };

    const drawWeights = () => {
      const grid = cells[parameter];
      const [value, grad] = [grid.v, grid.g].map(ref => ref && part(ref, picture, pictures.length));
      maps.V = maps.D = { grid, value, grad };
      write('weightsname', [`${parameters[parameter]} at step ${pictures[picture]}`]);
      for (const [name, list] of Object.entries({ V: value, D: grad })) {
        write(name + 'scale', [`${name === 'V' ? 'value' : 'gradient'} ±${short(largest(list ?? []))}`]);
        all(name).forEach((group, d) => {
          const cell = Math.min(14, room[d] / grid.cols, 112 / grid.rows);
          paint(group, list ?? [], grid.cols, cell, cell, 'g', largest(list ?? []));
          [group.nextSibling.firstChild, group.nextSibling.nextSibling].forEach((box, i) => {
            set(box, { width: grid.cols * cell + 1 - i, height: grid.rows * cell + 1 - i });
          });
        });
      }
    };

    const drawMaps = () => {
      const grid = { name: '', rows: side, cols: side, block: /** @type {[number, number]} */ ([head.block, head.block]), down: { name: 'query', of: tokens }, across: { name: 'key', of: tokens } };
      const [A, G] = ['A', 'G'].map(name => head[name] && part(head[name], (frame * layers.length + layer) * heads + which, frames.length * layers.length * heads));
      maps.A = maps.G = { grid: { ...grid, name: 'A', grad: '∂L/∂A' }, value: A, grad: G };
      const most = largest(G ?? []);
      write('scale', [`∂L/∂A  ±${short(most)}`]);
      all('A').forEach((group, d) => paint(group, A, side, size[d] / side, size[d] / side, 'v', 1));
      all('G').forEach((group, d) => paint(group, G, side, size[d] / side, size[d] / side, 'g', most));
      write('which', [`layer ${layers[layer]} head ${which}`]);
    };

    const drawFrame = () => {
      for (const name in texts) write(name, texts[name][frame]);
      for (const mark of all('mark')) set(mark.firstChild, { class: mark.textContent === '✓' ? 'tv m' : 'tl m' });
      for (const name of ['flow', 'bar']) {
        const widths = part(head[name], frame, frames.length);
        all(name).forEach((slot, i) => set(slot.firstChild, { width: Number(widths[i % widths.length]) * (name === 'flow' ? head.length[Math.floor(i / widths.length)] : 1) }));
      }
      if (layers.length) drawMaps();
    };

    const place = cursor({
      count: stops.length,
      delay: 120,
      change: (at, playing) => {
        const values = metrics.map((/** @type {Cell[]} */ m, /** @type {number} */ i) => i === 2 && m[at] !== null ? `${+(100 * Number(m[at])).toFixed(1)} %` : shown(m[at]));
        all('cursor').forEach((line, d) => set(line, { transform: `translate(${x[d][0] + x[d][1] * stops[at]} 0)` }));
        write('metric', [stops[at], ...values]);
        write('gradient', [shown(norms[at])]);
        const [now, then] = [latest(frames, stops[at]), latest(pictures ?? [], stops[at])];
        if (frames.length && now !== frame) {
          frame = now;
          drawFrame();
        }
        if (cells && then !== picture) {
          picture = then;
          drawWeights();
        }
        write('weights', [shown(part(head.weights, now, frames.length)[parameter])]);
        const text = `step ${stops[at]} of ${head.total}: loss ${values[0]}, accuracy ${values[2]}, gradient norm ${values[3]}`;
        bar.show(text);
        if (!playing) on.say(text);
      },
    });
    const bar = transport(place, on.root, { label: 'Step', unit: 'step' });
    /** @param {string} label @param {string[]} options @param {number} chosen @param {(i: number) => void} change */
    const choice = (label, options, chosen, change) => {
      const select = el('select', { 'aria-label': label, change: () => { change(+select.value); frame = picture = -1; place.go(place.at); } },
        ...options.map((option, i) => el('option', { value: i, selected: i === chosen }, option)));
      if (options.length > 1) choices.append(select);
    };
    const choices = el('div', { class: 'gs-bar', role: 'group', 'aria-label': 'Shown' });
    choice('Parameter', parameters, parameter, i => { parameter = i; drawParameter(); });
    choice('Layer', layers.map((/** @type {number} */ l) => `layer ${l}`), layer, i => { layer = i; });
    choice('Head', Array.from({ length: layers.length && heads }, (_, h) => `head ${h}`), which, i => { which = i; });
    on.root.prepend(el('div', { class: 'gs-player' }, bar.bar, choices));
    bar.bar.style.setProperty('--gs-turn', '100%');
    drawParameter();
    place.go(stops.length - 1);
    const hits = all('hit');
    hits.forEach(hit => {
      const kind = hit.dataset.of;
      readable(hit, {
        get rows() { return maps[kind].grid.rows; },
        get cols() { return maps[kind].grid.cols; },
        label: { A: 'A', G: '∂L/∂A', V: 'weights', D: 'gradients of the weights' }[/** @type {'A' | 'G' | 'V' | 'D'} */ (kind)],
        tell: (r, c) => tell(maps[kind].grid, names, maps[kind].value, maps[kind].grad, r, c),
      }, on);
    });
    rove(hits);
  });

  // ==== attention

  /** @param {ReturnType<typeof stage>} on @param {Data} data */
  kinds.attention = live((on, { head, numbers }) => {
    /** Layer, head, and the maps of scores, A, ∂L/∂A and ∂L/∂scores. @type {[number, number, number[]][]} */
    const heads = head.heads;
    const maps = /** @type {Grid[]} */ (head.maps);
    const names = /** @type {string[][]} */ (head.names);
    const tokens = names[0];
    const cells = maps.map(map => /** @type {Cell[]} */ (numbers(map.v)));
    const kindNames = heads[0][2].map(i => maps[i].name);
    const { rows, cols, block = [1, 1] } = maps[0];
    let [at, kind, query] = [heads.findIndex(([l, h]) => l === head.chosen[0] && h === head.chosen[1]), 1, rows - 1];

    const tone = (/** @type {number} */ k) => k === 1 ? 'v' : 'g';
    /** The magnitude of the full colour. @param {number} k @param {number} i The map. */
    const most = (k, i) => k === 1 ? 1 : largest(cells[i]);
    const named = rows <= 40 && block[0] === 1;
    const size = Math.max(6, Math.min(34, Math.floor(340 / cols)));
    const margin = named ? Math.min(90, 8 + Math.max(...tokens.map(t => [...t].length)) * 7) : 4;
    const wide = margin - 8 > size;
    const above = named ? (wide ? margin : 18) : 4;
    const text = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ t, /** @type {Attributes} */ more) =>
      el('text', { x, y, class: 'm', ...more }, [...t].length > 11 ? [...t].slice(0, 10).join('') + '…' : t);
    const grid = el('g');
    const hit = el('rect', { x: 0, y: 0, width: cols * size, height: rows * size, class: 'hit' });
    const row = el('rect', { x: -1, width: cols * size + 2, height: size, class: 'si', 'stroke-width': 2 });
    const svg = el('svg', { viewBox: `0 0 ${margin + cols * size + 4} ${above + rows * size + 4}`, width: margin + cols * size + 4, height: above + rows * size + 4 },
      ...named ? tokens.flatMap((t, i) => [
        text(margin - 6, above + (i + 0.5) * size + 4, t, { class: 'm e' }),
        wide ? text(0, 0, t, { transform: `translate(${margin + (i + 0.5) * size + 4} ${above - 6})rotate(-90)` }) : text(margin + (i + 0.5) * size, above - 6, t, { class: 'm c' }),
      ]) : [],
      el('g', { transform: `translate(${margin} ${above})` }, grid, el('rect', { x: -0.5, y: -0.5, width: cols * size + 1, height: rows * size + 1, class: 'sr' }), row, hit));
    const index = () => heads[at][2][kind];
    readable(hit, { rows, cols, label: 'attention, queries down, keys across', tell: (r, c) => tell(maps[index()], names, cells[index()], undefined, r, c).replace('value', kindNames[kind]) }, on);
    set(hit, {
      tabindex: 0,
      click: event => {
        const frame = hit.getBoundingClientRect();
        query = clamp(0, Math.floor((event.clientY - frame.top) / frame.height * rows), rows - 1);
        draw();
      },
    });

    /** @param {string} label @param {string[]} options @param {(i: number) => void} choose */
    const select = (label, options, choose) => {
      const box = el('select', { 'aria-label': label, change: () => { choose(box.selectedIndex); draw(); } }, ...options.map(option => el('option', {}, option)));
      return { box, label: el('span', { class: 'gs-label' }, `${label} `, box) };
    };
    const layers = [...new Set(heads.map(([l]) => l))];
    const perLayer = heads.length / layers.length;
    const layer = select('layer', layers.map(String), i => { at = i * perLayer + at % perLayer; });
    const headBox = select('head', heads.slice(0, perLayer).map(([, h]) => String(h)), i => { at = at - at % perLayer + i; });
    const queryBox = select('query', Array.from({ length: rows }, (_, i) => place({ of: 0 }, i, block[0], names)), i => { query = i; });
    const kindButtons = kindNames.map((name, k) => el('button', { click: () => { kind = k; draw(); } }, name));
    const headButtons = heads.map(([l, h], i) => {
      const small = el('svg', { viewBox: `0 0 ${cols} ${rows}`, width: 64, height: 64, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
      return { small, button: el('button', { class: 'gs-head', click: () => { at = i; draw(); } }, small, el('span', {}, `layer ${l}`), ' ', el('span', {}, `head ${h}`)) };
    });
    const [what, list] = [el('p', { class: 'gs-what' }), el('div', { class: 'gs-view', tabindex: 0, role: 'region', 'aria-label': 'The chosen query' })];

    const draw = () => {
      const [l, h, own] = heads[at];
      const i = own[kind];
      const full = most(kind, i);
      on.hide();
      paint(grid, cells[i], cols, size, size, tone(kind), full);
      set(row, { y: query * size });
      layer.box.selectedIndex = layers.indexOf(l);
      headBox.box.selectedIndex = at % perLayer;
      queryBox.box.selectedIndex = query;
      kindButtons.forEach((button, k) => set(button, { 'aria-pressed': String(k === kind) }));
      headButtons.forEach(({ small, button }, n) => {
        const map = heads[n][2][kind];
        set(button, { 'aria-pressed': String(n === at) });
        if (small.dataset.kind === String(kind)) return;
        small.dataset.kind = String(kind);
        paint(small, cells[map], cols, 1, 1, tone(kind), kind === 1 ? 1 : Math.max(...heads.map(([, , m]) => largest(cells[m[kind]]))));
      });
      what.textContent = `${kindNames[kind]} of layer ${l} head ${h}: ${kind === 1 ? '0 to 1' : `±${short(full)}`}`;
      const keys = Array.from({ length: cols }, (_, k) => k).filter(k => cells[own[1]][query * cols + k] !== null);
      const cut = keys.sort((a, b) => Number(cells[own[1]][query * cols + b]) - Number(cells[own[1]][query * cols + a])).slice(0, 16);
      list.replaceChildren(el('table', { class: 'gs-t1' },
        el('caption', {}, `query ${place({ of: 0 }, query, block[0], names)}: ${cut.length < keys.length ? `its ${cut.length} largest keys of ${keys.length}` : 'its keys'}, largest A first`),
        el('thead', {}, el('tr', {}, ...['key', ...kindNames].map(name => el('th', { scope: 'col' }, name)))),
        el('tbody', {}, ...cut.map(k => el('tr', {}, el('th', { scope: 'row' }, place({ of: 0 }, k, block[1], names)),
          ...own.map((m, n) => {
            const x = cells[m][query * cols + k];
            const cell = el('td', {}, short(x));
            if (n === 1) {
              const bar = el('span', { class: 'gs-share', 'aria-hidden': 'true' });
              bar.style.width = `${clamp(0, Number(x), 1) * 48}px`;
              cell.prepend(bar);
            }
            return cell;
          }))))));
      on.say(`${what.textContent}, query ${place({ of: 0 }, query, block[0], names)}`);
    };

    instead(on.root, '860px', el('div', { class: 'gs-player', role: 'group', 'aria-label': head.title },
      el('p', { class: 'gs-title' }, head.title), el('p', { class: 'gs-muted' }, head.subtitle),
      el('div', { class: 'gs-bar' }, layer.label, headBox.label, queryBox.label, el('span', { class: 'gs-choice', role: 'group', 'aria-label': 'What is shown' }, ...kindButtons)),
      what, el('div', { class: 'gs-two' }, svg, list),
      ...heads.length > 1 ? [el('div', { class: 'gs-heads', role: 'group', 'aria-label': 'All heads' }, ...headButtons.map(({ button }) => button))] : [],
      el('p', { class: 'gs-muted gs-note' }, head.note)));
    draw();
  });

  // ==== rows

  /** The rows of a tape, selected by pointer or keys, and searched by name. The root's data-rows is [every node's inputs, the wide drawing's
   * rows, the narrow one's]; a drawing's rows are node, top and height one after the other. Names are read from the table of numbers.
   * @param {HTMLElement} root */
  kinds.rows = root => {
    /** @type {[number[][], ...number[][]]} */
    const [inputs, ...drawings] = JSON.parse(root.dataset.rows ?? '');
    const [names, words] = [1, 2].map(column => find(root, 'tbody tr').map(row => row.children[column].textContent));
    const list = (/** @type {number[]} */ nodes) => nodes.map(node => names[node]).join(', ') || 'nothing';
    /** @type {number | undefined} */
    let selected;
    /** @type {{ node: number, mark: any, word: any }[]} */
    const rows = [];
    const found = el('span', { 'aria-live': 'polite' });
    const hint = 'Select a row (arrows, Enter) to see its inputs and uses.';
    const line = el('p', { class: 'gs-told', 'aria-live': 'polite' }, hint);

    /** @param {number} [node] */
    const select = node => {
      selected = node === selected ? undefined : node;
      const used = inputs.flatMap((from, by) => selected !== undefined && from.includes(selected) ? [by] : []);
      const taken = selected === undefined ? [] : [...new Set(inputs[selected])];
      rows.forEach(({ node, mark, word }) => {
        const role = node === selected ? 'this' : taken.includes(node) ? 'in' : used.includes(node) ? 'use' : '';
        mark.dataset.role = role;
        word.textContent = role === 'this' ? '●' : role;
        role ? mark.after(word) : word.remove();
        set(mark, { 'aria-pressed': String(role === 'this') });
      });
      line.toggleAttribute('data-on', selected !== undefined);
      line.textContent = selected === undefined ? hint
        : `${names[selected]}${inputs[selected].length ? ` = ${words[selected]}: inputs (in) ${list(taken)}` : `: ${words[selected]}`}; used by (use) ${list(used)}`;
    };

    const search = el('input', {
      type: 'search', input: () => {
        const text = search.value.trim().toLowerCase();
        const fits = (/** @type {number} */ node) => `${names[node]}\n${words[node]}`.toLowerCase().includes(text);
        rows.forEach(({ node, mark }) => mark.classList.toggle('gs-dim', !fits(node)));
        const all = drawings[0].filter((_, i) => i % 3 === 0);
        found.textContent = text && `${all.filter(fits).length} of ${all.length}`;
      },
    });

    drawings.forEach((drawn, d) => {
      /** @type {SVGSVGElement[]} */
      const pieces = find(root, d ? '.gs-drawn>.gs-narrow' : '.gs-drawn>svg:not(.gs-narrow)');
      const own = Array.from({ length: drawn.length / 3 }, (_, i) => {
        const [node, y, height] = drawn.slice(3 * i, 3 * i + 3);
        const svg = pieces.filter(piece => piece.viewBox.baseVal.y <= y).slice(-1)[0];
        const mark = el('rect', {
          x: 1, y: y + 1, width: svg.viewBox.baseVal.width - 2, height: height - 2, rx: 3, class: 'gs-row', role: 'button', 'aria-pressed': 'false',
          'aria-label': `${names[node]}, ${words[node]}`, tabindex: i ? -1 : 0,
          keydown: event => {
            const to = { ArrowUp: i - 1, ArrowDown: i + 1, Home: 0, End: own.length - 1 }[/** @type {string} */ (event.key)];
            if (to !== undefined) own[to]?.mark.focus();
            else if (event.key === 'Enter' || event.key === ' ') select(node);
            else return;
            event.preventDefault();
          },
          focus: () => own.forEach(({ mark: other }) => set(other, { tabindex: other === mark ? 0 : -1 })),
        });
        const word = el('text', { x: 4, y: y + 15, class: 'b halo', 'aria-hidden': 'true' });
        svg.append(mark);
        return { node, mark, word };
      });
      rows.push(...own);
      pieces.forEach(svg => set(svg, {
        role: 'group',
        click: event => {
          const { top, height } = svg.getBoundingClientRect();
          const { y, height: tall } = svg.viewBox.baseVal;
          const at = y + (event.clientY - top) / height * tall;
          const i = own.findIndex((_, i) => drawn[3 * i + 1] <= at && at < drawn[3 * i + 1] + drawn[3 * i + 2]);
          if (i >= 0) select(drawn[3 * i]);
        },
      }));
    });
    root.addEventListener('keydown', event => { if (event.key === 'Escape' && selected !== undefined) select(selected); });
    root.prepend(el('div', { class: 'gs-find' }, el('label', {}, 'Find a row ', search), ' ', found), line);
  };

  kinds.tape = root => {
    kinds.rows(root);
    return kinds.maps(root);
  };

  // ==== curves

  /** Curves that are read column by column, and zoomed: by dragging across them, by buttons and by keys. What is drawn along them stands
   * in elements whose view box says which part of it is seen. */
  kinds.curves = live((on, data) => {
    const { from = 0, every = 1 } = /** @type {Side} */ (data.head.maps?.[0].across);
    /** Where the axis begins and how long it is, in columns. @type {[number, number]} */
    const [first, whole] = data.head.axis;
    let [low, count] = [first, whole];
    const axes = find(on.root, '[data-ticks]').map(axis => [axis, [...axis.children]]);
    const range = el('span', {}, 'Drag across to zoom.');
    const shown = (/** @type {number} */ step) => step.toLocaleString('en');

    /** Shows so many times as many columns around one, as far as there are. @param {number} by @param {number} [at] */
    const zoom = (by, at = low + count / 2) => {
      count = clamp(5, Math.round(by * count), whole);
      low = clamp(first, Math.round(at - count / 2), first + whole - count);
      view.shown = [Math.ceil(low), Math.floor(low + count)];
      const [part, start, end] = [count / whole, from + low * every, from + (low + count) * every];
      on.root.classList.toggle('gs-zoomed', part < 1);
      on.root.style.setProperty('--gs-part', part + '');
      find(on.root, '[data-along]').forEach(({ viewBox: { baseVal: box }, x, width }) => {
        box.width = part * width.baseVal.value;
        box.x = x.baseVal.value + (low - first) / whole * width.baseVal.value;
      });
      let round = 1;
      for (let i = 0; round < (end - start) / 6; i++) round *= i % 3 === 1 ? 2.5 : 2;
      axes.forEach(([axis, ticks]) => {
        axis.replaceChildren(...part < 1 ? [] : ticks);
        // The first stands clear of the axis's name.
        for (let step = Math.ceil((start + (end - start) / 25) / round) * round; part < 1 && step <= end; step += round) {
          const x = (step - start) / (end - start) * 100 + '%';
          axis.append(el('line', { x1: x, x2: x, y2: 4, class: 'sm' }), el('text', { x, y: 16, class: 'tm m c' }, shown(step)));
        }
      });
      range.textContent = `steps ${shown(start)} to ${shown(end)} of ${shown(from + (first + whole) * every)}`;
      on.hide();
      on.say(range.textContent);
    };

    /** @type {View} */
    const view = { reveal: c => zoom(1, clamp(c - count, low, c) + count / 2) };
    const reads = maps(on, data, view);
    find(on.root, '[data-map]').forEach((hit, i) => set(hit, {
      pointerdown: event => {
        if (event.button) return;
        view.start = view.at;
        hit.setPointerCapture(event.pointerId);
      },
      pointerup: () => {
        const many = Math.abs(view.at - view.start);
        if (many > count / 50) zoom(many / count, (view.at + view.start) / 2);
      },
      lostpointercapture: () => delete view.start,
      dblclick: () => zoom(1e9),
      keydown: event => {
        const by = { '+': 0.5, '-': 2, 0: 1e9, Escape: 1e9 }[/** @type {string} */ (event.key)];
        if (!by || event.ctrlKey || event.metaKey) return;
        zoom(by, view.at);
        reads[i](false);
      },
    }));
    on.root.prepend(el('div', { class: 'gs-player gs-bar', role: 'group', 'aria-label': 'Steps shown' },
      ...Object.entries({ 'Zoom in': () => zoom(0.5), 'Zoom out': () => zoom(2), Earlier: () => zoom(1, low), Later: () => zoom(1, low + count), 'All steps': () => zoom(1e9) })
        .map(([text, click]) => el('button', { click }, text)), range));
  });

  // ==== fold

  /** A model's blocks: each is a head, and in the drawing after it its parts, shown while it is open. @param {HTMLElement} root */
  kinds.fold = root => {
    const blocks = find(root, '.gs-block').map(head => {
      const { y } = head.viewBox.baseVal;
      const caret = el('text', { x: 410, y: y + 20, class: 'z2', 'aria-hidden': 'true' });
      const show = (/** @type {boolean} */ open) => {
        head.classList.toggle('gs-open', open);
        caret.textContent = open ? '▾' : '▸';
        button.ariaExpanded = open;
      };
      const turn = () => show(!head.matches('.gs-open'));
      const button = el('rect', {
        y: y + 2, class: 'gs-turn', role: 'button', tabindex: 0, click: turn,
        keydown: event => {
          if (!/^(Enter| )$/.test(event.key)) return;
          event.preventDefault();
          turn();
        },
      }, head.firstChild);
      head.append(caret, button);
      head.role = 'group';
      show(!head.matches('.gs-folded'));
      return show;
    });
    root.prepend(el('div', { class: 'gs-player gs-bar', role: 'group', 'aria-label': 'Blocks' }, ...['Fold all', 'Unfold all'].map((name, i) => el('button', { click: () => blocks.forEach(show => show(!!i)) }, name))));
  };

  // ==== start

  /** Starts a figure, once; one of a kind that is not known here has a script of its own. Where it cannot, the drawing stays as it is.
   * @param {HTMLElement & { [key]?: boolean }} root */
  const start = async root => {
    const [its, kind] = (root.dataset.gradscope ?? '').split(' ');
    if (root[key] || its !== version || !kinds[kind]) return;
    root[key] = true;
    try {
      await kinds[kind](root);
      root.classList.add('gs-on');
    } catch (error) {
      console.warn('GradScope: this figure stays a picture.', error);
    }
  };

  if (typeof document === 'undefined') Object.assign(globalThis, { [key]: { decode, short, unpack, tell, move, cursor, stopsOf, filled } });
  else document.querySelectorAll('.gs[data-gradscope]').forEach(root => start(/** @type {HTMLElement} */ (root)));
})();
