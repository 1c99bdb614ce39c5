import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { classArchive } from '../../../../runtime/embedded/class-archive.js';

t.test('what a program left behind is used from then on; half of it is not', async (t) => {
  const folder = t.testdir();
  const jars = join(folder, 'kafka-4.1.0');
  const written = (options: readonly string[]): string => options.map((option) => /^-XX:ArchiveClassesAtExit=(.*)$/.exec(option)?.[1]).find((path) => path !== undefined)!;

  const killed = await classArchive(jars, 'Java 17');
  t.same(killed.uses, []);
  writeFileSync(written(killed.options), 'half');
  killed.keep('signal SIGKILL');
  t.same(readdirSync(folder), [], 'it was killed: nothing is kept');

  const ended = await classArchive(jars, 'Java 17');
  ended.keep('exit code 1');
  t.same(readdirSync(folder), [], 'it left nothing behind');
  writeFileSync(written(ended.options), 'whole');
  ended.keep('exit code 143');

  const next = await classArchive(jars, 'Java 17');
  const [file] = readdirSync(folder);
  t.match(file, /^kafka-4\.1\.0-[0-9a-f]{8}\.jsa$/);
  t.same(next.options, [`-XX:SharedArchiveFile=${join(folder, file!)}`]);
  t.same(next.uses, next.options);
  next.keep('exit code 143');
  t.ok(existsSync(join(folder, file!)));

  t.match((await classArchive(jars, 'Java 21')).options[0], /ArchiveClassesAtExit/, 'another Java cannot read it');
  t.same((await classArchive(join(folder, 'nowhere', 'kafka-4.1.0'), 'Java 17')).options, [], 'none where nobody may write');
});
