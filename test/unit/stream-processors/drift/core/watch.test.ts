import t from 'tap';
import type { Judged, Verdict } from '../../../../../stream-processors/drift/core/judge.js';
import { answered, isUsual, NEW_WATCH, step, type Watch } from '../../../../../stream-processors/drift/core/watch.js';

const DAY = 86_400_000;
/** Days since the epoch at which the sequences begin. */
const FIRST = 20_000;
const POLICY = { persistence: 3, cooldownMs: 14 * DAY, askAgainMs: 7 * DAY };
const window = (day: number): { from: number; to: number } => ({ from: (FIRST + day - 7) * DAY, to: (FIRST + day) * DAY });
const judged = (verdict: Verdict, key = 'ks|reference|a|'): Judged => ({ key, feature: 'a', segment: '', against: 'reference', statistic: 'ks', value: 0.2, expected: 0.1, threshold: 0.15, p: 1e-9, n: 1000, verdict });

/** Verdicts of a sequence of days, a letter each: q quiet, h held, b beyond, o another test beyond; what comes of them. */
function run(letters: string, from: Watch = NEW_WATCH, answer: 'retrain' | 'skip' | 'waiting' | 'data_bug' = 'skip'): { said: string; watch: Watch } {
  let watch = from;
  let said = '';
  [...letters].forEach((letter, day) => {
    const verdicts = { q: [judged('quiet')], h: [judged('held')], b: [judged('beyond')], o: [judged('beyond', 'ks|reference|b|')], c: [judged('calibrating')] }[letter]!;
    const next = step(watch, window(day), verdicts, POLICY);
    watch = next.change === 'raised' || next.change === 'again' ? answered(next.watch, answer, window(day).to) : next.watch;
    said += { none: '.', raised: 'R', again: 'A', standing: '|', cleared: 'C' }[next.change];
  });
  return { said, watch };
}

t.test('persistence, hysteresis, and the new usual', async (t) => {
  const table: readonly (readonly [string, string, string])[] = [
    ['qqbbqbbq', '........', 'two in a row are chance'],
    ['bbbqqq', '..R||C', 'three are an alarm, three quiet ones its end'],
    ['bobobob', '.......', 'different tests do not add up'],
    ['bbbhhhhqqq', '..R||||||C', 'within the threshold is not yet back'],
    ['bbbqqbqqq', '..R|||||C', 'a relapse begins the count anew'],
    ['bbb' + 'b'.repeat(14), '..R' + '|'.repeat(13) + 'C', 'what lasts through the cooldown is the new usual'],
    ['bbbqqqbbb', '..R||C..R', 'and the next one is seen'],
    ['cccc', '....', 'nothing without calibration'],
  ];
  for (const [letters, said, why] of table) t.equal(run(letters).said, said, `${letters}: ${why}`);
  t.equal(run('bbb' + 'b'.repeat(20), NEW_WATCH, 'waiting').said, '..R' + '|'.repeat(20), 'one that waits for its answer stands');
  t.equal(run('bbb' + 'b'.repeat(20), NEW_WATCH, 'data_bug').said, '..R' + '|'.repeat(20), 'so does one that is put down to a bug');
});

t.test('a change of which no other version came is asked for again, four times in all', async (t) => {
  const wait = '|'.repeat(13);
  t.equal(run('b'.repeat(60), NEW_WATCH, 'retrain').said, `..R${wait}A${wait}A${wait}A${wait}C.`);
  t.equal(run('b'.repeat(15) + 'hhhhhb', NEW_WATCH, 'retrain').said.slice(15), '||||||', 'not while it is within the threshold, and then not before it is persistent');
  t.equal(run('b'.repeat(15) + 'hhhhhbbb', NEW_WATCH, 'retrain').said.slice(15), '|||||||A');
  t.equal(run('b'.repeat(15) + 'qqq', NEW_WATCH, 'retrain').said.slice(15), '||C', 'nor when it is over');
});

t.test('which windows say what is usual', async (t) => {
  const now = window(100);
  t.ok(isUsual(window(93), now, NEW_WATCH, []));
  t.notOk(isUsual(window(94), now, NEW_WATCH, []), 'it shares a day with the window');
  t.notOk(isUsual(window(50), now, NEW_WATCH, [{ from: (FIRST + 49) * DAY, to: (FIRST + 49.5) * DAY }]), 'broken');
  t.ok(isUsual(window(49), now, NEW_WATCH, [{ from: (FIRST + 49) * DAY, to: (FIRST + 49.5) * DAY }]));
  const { watch } = run('qqqqqqqqqqbbbqqq');
  t.same(watch.excluded, [{ from: window(10).from, to: window(15).to }]);
  t.notOk(isUsual(window(12), now, watch, []));
  t.ok(isUsual(window(3), now, watch, []));
  const raised = run('qqqqqqqqqqbbb').watch;
  t.notOk(isUsual(window(11), now, raised, []), 'not during an alarm');
  t.notOk(isUsual(window(10), window(17), run('qqqqqqqqqqb').watch, []), 'nor what may become one');
  t.ok(isUsual(window(9), window(17), run('qqqqqqqqqqb').watch, []));
  const lasting = run('bbb' + 'b'.repeat(14)).watch;
  t.same([lasting.baseline_from, lasting.alarm], [window(2).to, null]);
  t.notOk(isUsual(window(8), now, lasting, []));
  t.ok(isUsual(window(9), now, lasting, []));
});
