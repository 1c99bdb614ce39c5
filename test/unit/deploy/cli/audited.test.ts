import t from 'tap';
import { COMMANDS } from '../../../../deploy/cli/commands.js';
import { parseCommandLine } from '../../../../deploy/cli/parse.js';

/** What audit_log says of a command line; undefined where it changes nothing, or writes its own entries. */
function audited(line: string) {
  const [name, ...rest] = line.split(' ');
  const command = COMMANDS.find((candidate) => candidate.name === name)!;
  const parsed = parseCommandLine(command, rest);
  return parsed.help ? undefined : command.audited?.(parsed);
}

t.test('administrative actions are audited, with what they were done to', async (t) => {
  t.same(audited('models promote 1a2b --canary 0.1'), { action: 'models.promote', target: '1a2b' });
  t.same(audited('models rollback --why wrong'), { action: 'models.rollback', target: '' });
  t.same(audited('models import m.onnx --unchecked'), { action: 'models.import', target: 'm.onnx' });
  t.same(audited('retrain --why prices --key q1'), { action: 'retrain', target: 'q1' });
  t.same(audited('dlq redrive 1:42 1:43'), { action: 'dlq.redrive', target: '1:42 1:43' });
  t.same(audited('reset landing'), { action: 'reset', target: 'landing' });
});

t.test('what only looks is not', async (t) => {
  for (const line of ['models list', 'models show champion', 'models diff a b', 'dlq list', 'dlq show 1:42', 'dlq redrive --dry-run', 'doctor', 'keys list']) t.equal(audited(line), undefined, line);
});
