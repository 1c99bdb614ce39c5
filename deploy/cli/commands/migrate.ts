import type { Command } from '../command.js';

export const migrate: Command = {
  name: 'migrate',
  summary: 'Bring ClickHouse’s database and tables to this version',
  description: 'Applies the numbered SQL files of clickhouse/migrations that are not recorded yet and adds the feature columns of the view. Needs a user who may create tables.',
  options: {},
  examples: [['CLICKHOUSE_URL=https://clickhouse:8443 CLICKHOUSE_PASSWORD_FILE=/run/secrets/ch tidemark migrate', 'prepares your own ClickHouse']],
  async run() {
    const [{ settingsOfRunning }, { createClickHouse }, { migrate: apply }] = await Promise.all([
      import('../../endpoints.js'), import('../../../runtime/clickhouse.js'), import('../../../clickhouse/migrate.js'),
    ]);
    const settings = settingsOfRunning();
    const client = createClickHouse(settings);
    try {
      const { applied, columnsAdded } = await apply(client, settings);
      for (const name of applied) process.stdout.write(`applied  ${name}\n`);
      for (const name of columnsAdded) process.stdout.write(`column   ${name}\n`);
      process.stdout.write(`database ${settings.CLICKHOUSE_DATABASE} is at this version\n`);
      return 0;
    } finally {
      await client.close();
    }
  },
};
