import t from 'tap';
import { bar, createScreen } from '../../../../deploy/up/screen.js';

function output(isTTY: boolean) {
  let text = '';
  return { isTTY, columns: 30, write: (piece: string) => { text += piece; }, get text() { return text; } };
}

t.test('a terminal’s progress line is written over and cut to its width', (t) => {
  const it = output(true);
  const screen = createScreen(it);
  screen.progress('fetching Kafka: 1 files');
  screen.progress('fetching Kafka: 1 files');
  screen.progress('fetching Kafka: 2 files and a name that is too long');
  screen.say('done');
  t.equal(it.text, 'fetching Kafka: 1 files\r\u001b[2Kfetching Kafka: 2 files and …\r\u001b[2Kdone\n');
  t.end();
});

t.test('a file’s progress lines come when their subject changes, and every ten seconds', (t) => {
  const it = output(false);
  let now = 0;
  const screen = createScreen(it, () => now);
  screen.progress('landing: 10 to go');
  now = 9_999;
  screen.progress('landing: 9 to go');
  now = 10_000;
  screen.progress('landing: 8 to go');
  screen.progress('scoring: 5 to go');
  screen.say('done');
  t.equal(it.text, 'landing: 10 to go\nlanding: 8 to go\nscoring: 5 to go\ndone\n');
  t.end();
});

t.test('a bar', (t) => {
  t.equal(bar(1, 4), `[${'#'.repeat(6)}${' '.repeat(18)}] 25 % `);
  t.equal(bar(9, 4), `[${'#'.repeat(24)}] 100 % `);
  t.equal(bar(1, undefined), '');
  t.equal(bar(0, 0), '');
  t.end();
});
