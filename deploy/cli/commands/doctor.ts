import type { Command } from '../command.js';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check what Tidemark needs on this machine, with the fix for what is missing',
  description: 'Node.js and the packages with binaries, Java, Maven, jars, ports, disk, and the brokers, the registry and ClickHouse where the settings name them. Exit code 1 when something required fails.',
  options: {},
  examples: [
    ['tidemark doctor', 'before the first start'],
    ['KAFKA_BROKERS=broker:9092 tidemark doctor', 'checks that broker instead of Java for an embedded one'],
  ],
  async run() {
    const [{ loadSettings }, { examine }, { renderResults }] = await Promise.all([
      import('../../../runtime/settings.js'), import('../../doctor/main.js'), import('../../doctor/check.js'),
    ]);
    const results = await examine(loadSettings());
    process.stdout.write(renderResults(results));
    const failed = results.filter((result) => result.status === 'fail').length;
    process.stdout.write(failed === 0 ? '\nready: tidemark up\n' : `\n${failed} to fix\n`);
    return failed === 0 ? 0 : 1;
  },
};
