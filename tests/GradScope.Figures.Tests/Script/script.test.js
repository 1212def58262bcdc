// The parts of the figures' script that need no page, under node.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';

const source = new URL('../../../src/GradScope.Figures/Script/gradscope.js', import.meta.url);
vm.runInThisContext(readFileSync(source, 'utf8'), { filename: source.pathname });
const parts = globalThis[Symbol.for('gradscope')];

/** A clock that is turned by hand. */
const clock = () => {
  let waiting = [];
  return {
    after: (f, ms) => { const timer = { f, ms }; waiting.push(timer); return timer; },
    cancel: timer => { waiting = waiting.filter(t => t !== timer); },
    get waiting() { return waiting.map(t => t.ms); },
    turn: () => { const [first] = waiting; waiting = waiting.slice(1); first?.f(); },
  };
};

const player = (count, options = {}) => {
  const time = clock();
  const seen = [];
  const cursor = parts.cursor({ count, change: (at, playing) => seen.push(playing ? `${at}▶` : `${at}`), after: time.after, cancel: time.cancel, ...options });
  return { cursor, time, seen };
};

test('numbers have three digits and powers of ten set high', () => {
  const cases = [
    [0, '0'], [1, '1.00'], [-0.5, '−0.500'], [0.0123, '0.0123'], [0.00123, '1.23·10⁻³'], [12.3, '12.3'], [123, '123'], [1230, '1230'],
    [12300, '1.23·10⁴'], [-4.7e-12, '−4.70·10⁻¹²'], [NaN, 'NaN'], [Infinity, '∞'], [-Infinity, '−∞'], [null, 'masked'], [5e-324, '≈ 0'],
  ];
  assert.deepEqual(cases.map(([x]) => parts.short(x)), cases.map(([, text]) => text));
});

test('codes are decimal: the digits that went in come out', () => {
  const at = (mantissa, exponent, below = false) => 1 + mantissa - 100 + 900 * exponent + (below ? 32400 : 0);
  assert.deepEqual(
    parts.decode(Uint16Array.of(0, at(100, 0), at(999, 35), at(123, 4, true), at(470, 30, true), 64801, 64802, 64803, 64804, 64805, 64806), -30),
    [0, 100e-30, 999e5, -123e-26, -470, NaN, Infinity, -Infinity, 5e-324, -5e-324, null]);
});

test('a payload is its header and the numbers it names', () => {
  const head = new TextEncoder().encode('{"kind":"maps","of":"“é”"}');
  const codes = [1, 0x1234, 0xfd21];
  const bytes = new Uint8Array(4 + head.length + 6);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  codes.forEach((code, i) => { bytes[4 + head.length + i] = code; bytes[4 + head.length + 3 + i] = code >> 8; });
  const data = parts.unpack(bytes);
  assert.deepEqual(data.head, { kind: 'maps', of: '“é”' });
  assert.deepEqual(data.numbers([0, 1, -2]), [1]);
  assert.ok(Number.isNaN(data.numbers([2, 1, 0])[0]));
  assert.equal(data.numbers(undefined), undefined);
});

test('a cell tells its index, its tokens, its value and its gradient', () => {
  const names = [['a', 'b']];
  const map = { name: 'A', rows: 2, cols: 2, down: { name: 'query', of: 0 }, across: { name: 'key', of: 0 }, grad: '∂L/∂A' };
  assert.equal(parts.tell(map, names, [1, null, 0.25, 0.75], [0, null, -0.001, 0.002], 1, 0), 'A[query 1 “b”, key 0 “a”]\nvalue 0.250\n∂L/∂A −1.00·10⁻³');
  assert.equal(parts.tell(map, names, [1, null, 0.25, 0.75], [0, null, 1, 2], 0, 1), 'A[query 0 “a”, key 1 “b”]\nmasked: not allowed');
  const heads = { ...map, cols: 4, across: { ...map.across, each: ['head', 2] } };
  assert.match(parts.tell(heads, names, [1, 2, 3, 4, 5, 6, 7, 8], undefined, 1, 3), /^A\[query 1 “b”, head 1, key 1 “b”\]\nvalue 8.00$/);
  assert.equal(parts.tell({ name: 'w', rows: 1, cols: 3 }, names, [1, 2, 3], undefined, 0, 2), 'w[2]\nvalue 3.00');
  assert.equal(parts.tell({ ...map, name: 'x', block: [3, 1] }, names, [1, 2, 3, 4], undefined, 1, 1), 'x[query 3…5, key 1 “b”]\nvalue 4.00');
});

test('reading stays inside the map', () => {
  const walk = (...keys) => keys.reduce((at, key) => parts.move(key, at, 3, 5), [1, 1]);
  assert.deepEqual(walk('ArrowUp', 'ArrowUp'), [0, 1]);
  assert.deepEqual(walk('End', 'ArrowRight', 'ArrowDown', 'ArrowDown'), [2, 4]);
  assert.deepEqual(walk('Home', 'ArrowLeft'), [1, 0]);
  assert.equal(parts.move('Tab', [0, 0], 3, 5), undefined);
});

test('stepping stays between the ends and stops playing', () => {
  const { cursor, time, seen } = player(3);
  cursor.step(-1);
  cursor.step(1);
  cursor.play();
  cursor.step(Infinity);
  assert.deepEqual(seen, ['0', '1', '1▶', '2']);
  assert.deepEqual(time.waiting, []);
  cursor.step(-Infinity);
  assert.equal(cursor.at, 0);
});

test('playing goes on by itself, ends at the last stop, and starts anew from there', () => {
  const { cursor, time, seen } = player(3);
  cursor.toggle();
  time.turn();
  time.turn();
  assert.deepEqual(seen, ['0▶', '1▶', '2']);
  assert.equal(cursor.playing, false);
  assert.deepEqual(time.waiting, []);
  cursor.toggle();
  assert.equal(seen.at(-1), '0▶');
  cursor.toggle();
  assert.equal(seen.at(-1), '0');
  assert.deepEqual(time.waiting, []);
});

test('speed holds at once, and one clock runs', () => {
  const { cursor, time } = player(9, { delay: 800 });
  cursor.play();
  cursor.speed = 4;
  assert.deepEqual(time.waiting, [200]);
  time.turn();
  assert.deepEqual([cursor.at, ...time.waiting], [1, 200]);
});

test('another number of stops keeps a place among them', () => {
  const { cursor } = player(9);
  cursor.go(8);
  cursor.resize(4, 9);
  assert.deepEqual([cursor.at, cursor.count], [3, 4]);
});

// x is used twice: y = f(x), z = g(x), loss = y + z; two parts, {y, z} and {loss}. Nodes: 0 x, 1 y, 2 z, 3 loss.
const parts2 = [{ name: 'one', ops: [1, 2] }, { name: 'two', ops: [3] }];
const back = [[3, [[1, 'G', 1, 1], [2, 'G', 1, 1]]], [2, [[0, 'G', 1, 2]]], [1, [[0, 'G', 2, 2]]]];
const walk = stops => stops.map(s => s.way + s.ops.join('+')).join(' ');

test('a tape is walked forward, to the loss, and backward; folded parts are one stop', () => {
  const stops = (folded, gradients, loss = 3) => walk(parts.stopsOf(parts2, back, new Set(folded), gradients, loss));
  assert.equal(stops([], true), 'f1 f2 f3 l3 b3 b2 b1');
  assert.equal(stops([0], true), 'f1+2 f3 l3 b3 b2+1');
  assert.equal(stops([0, 1], true), 'f1+2 f3 l3 b3 b2+1');
  assert.equal(stops([], false), 'f1 f2 f3');
  assert.equal(walk(parts.stopsOf(parts2, [], new Set(), true, undefined)), 'f1 f2 f3');
});

test('a gradient is there when its last part has come', () => {
  const adds = Object.fromEntries(back);
  const stops = parts.stopsOf(parts2, back, new Set(), true, 3);
  const at = i => { const { values, grads } = parts.filled(stops, i, adds); return `${[...values]} | ${[...grads]}`; };
  assert.equal(at(0), '1 | ');
  assert.equal(at(3), '1,2,3 | 3');
  assert.equal(at(4), '1,2,3 | 3,1,2');
  assert.equal(at(5), '1,2,3 | 3,1,2');
  assert.equal(at(6), '1,2,3 | 3,1,2,0');
  assert.deepEqual([...parts.filled(parts.stopsOf(parts2, back, new Set([0, 1]), true, 3), 4, adds).grads], [3, 1, 2, 0]);
});
