import t, { type Test } from 'tap';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../../schemas/features/derive.js';
import { predictRequestParser } from '../../../../scorer/api/predict-request.js';
import { parseJson } from '../../../../scorer/api/body.js';
import { createRowReader } from '../../../../scorer/core/json-rows.js';
import { seeded } from '../../../support/random.js';

const names = featureNames(view);
const parse = predictRequestParser(names);
const reader = createRowReader(names);
const out = new Float32Array(names.length);

/** What the general path makes of a body: float32 values, or undefined where it is refused or no row. */
function general(bytes: Buffer): Float32Array | undefined {
  const parsed = parseJson(bytes);
  if ('problem' in parsed) return undefined;
  const request = parse(parsed.body);
  return 'values' in request ? Float32Array.from(request.values) : undefined;
}

/** The fast path may leave a body alone; where it takes one, the general path takes the same values. @returns whether it took it */
function agree(t: Test, text: string | Buffer): boolean {
  const bytes = Buffer.from(text);
  if (!reader.body(bytes, bytes.length, out, 0)) return false;
  const expected = general(bytes);
  if (expected === undefined || !Buffer.from(expected.buffer).equals(Buffer.from(out.buffer))) t.fail(`${bytes.toString()}: ${out.join(', ')}, expected ${expected?.join(', ') ?? 'to be refused'}`);
  return true;
}

const row = names.map((_, i) => i * 1.5 - 3);
const bodyOf = (values: readonly string[], shape: number): string => {
  const list = `[${values.join(',')}]`;
  const object = `{${names.map((name, i) => `"${name}":${values[i]}`).join(',')}}`;
  return [list, `{"features":${list}}`, `{"features":${object}}`, ` { "features" : ${list} }\n`][shape]!;
};

t.test('the usual bodies are taken', async (t) => {
  const values = row.map((value, i) => (i === 4 ? 'null' : String(value)));
  for (let shape = 0; shape < 4; shape++) t.ok(agree(t, bodyOf(values, shape)), bodyOf(values, shape).slice(0, 60));
  t.ok(agree(t, JSON.stringify({ features: Object.fromEntries(names.map((name, i) => [name, row[i]])) }, null, 2)), 'indented');
  t.notOk(agree(t, `${bodyOf(values, 1)}x`));
  t.notOk(agree(t, bodyOf(values, 1).slice(0, -1)));
  t.notOk(agree(t, '{"customer_id":"C1"}'));
});

t.test('numbers are those of JSON.parse, as float32', async (t) => {
  const usual = row.map(String);
  const cases = ['0', '-0', '0.1', '1e5', '1E-7', '-1.5e+3', '9007199254740993', '123456789012345678', '0.1234567890123456789', '3.4028234663852886e38', '-3.4028234663852886e38',
    '16777217', '0.30000001192092896', '1.00000005960464477539062', '5e-324', '1e-400', '0.000000000000000000000001', '2.2250738585072014e-308', '999999999999999', '9999999999999999', '0.00000000000000001'];
  for (const text of cases) t.ok(agree(t, bodyOf(usual.with(3, text), 1)), text);
  for (const text of ['01', '-', '1.', '.5', '+1', '1e', '1e+', 'NaN', 'Infinity', '-null', 'nul', 'nulll', '""', '"1"', '[]', 'true', '3.5e38', '1e999', '0x10', '1_0', '--1', '1 2', ''])
    t.notOk(agree(t, bodyOf(usual.with(3, text), 1)), `${text} is left to the general path`);
});

t.test('random and damaged bodies: whatever the fast path takes, the general path takes the same', async (t) => {
  const random = seeded(20261129);
  const { seed, below: pick } = random;
  const number = (): string => {
    switch (pick(8)) {
      case 0: return 'null';
      case 1: return String(pick(1000));
      case 2: return (random() * 200 - 100).toFixed(pick(12));
      case 3: return String(random() * 10 ** (pick(74) - 37));
      case 4: return String(Math.fround(random()));
      case 5: return `${pick(10)}e${pick(60) - 30}`;
      case 6: return (random() * 1e6).toExponential(pick(18));
      default: return `-${random()}`;
    }
  };
  const letters = '[]{}",:.-+eE0123456789 \n\tnulfeatsx\\\u00e9';
  let taken = 0;
  let mended = 0;
  for (let i = 0; i < 6000; i++) {
    const text = bodyOf(names.map(number), pick(4));
    if (agree(t, text)) taken++;
    const bytes = [...Buffer.from(text)];
    for (let k = 0, times = 1 + pick(3); k < times; k++) {
      const at = pick(bytes.length);
      const letter = Buffer.from(letters[pick(letters.length)]!)[0]!;
      if (pick(3) === 0) bytes.splice(at, 1);
      else if (pick(2) === 0) bytes.splice(at, 0, letter);
      else bytes[at] = letter;
    }
    if (agree(t, Buffer.from(bytes))) mended++;
  }
  t.equal(taken, 6000, `seed ${seed}: all sound ones`);
  t.ok(mended > 500 && mended < 5500, `${mended} damaged ones were still rows`);
});
