import type { Command } from '../command.js';

export const topics: Command = {
  name: 'topics',
  summary: 'Create the topics and register the schemas that are missing',
  description: 'Changes nothing that is there: a topic with other partitions or a schema that the registry finds incompatible is an error that says so.',
  options: {},
  examples: [['KAFKA_BROKERS=broker:9092 SCHEMA_REGISTRY_URL=https://registry tidemark topics', 'prepares your own Kafka and registry']],
  async run() {
    const [{ settingsOfRunning }, { prepareTopics }, { Log }] = await Promise.all([
      import('../../endpoints.js'), import('../../prepare.js'), import('../../../runtime/log.js'),
    ]);
    const { topics: states, subjects } = await prepareTopics(settingsOfRunning(), new Log('topics', 'warn', (line) => process.stderr.write(line)));
    for (const { name, partitions, created } of states) process.stdout.write(`topic    ${name}  ${partitions} partition${partitions === 1 ? '' : 's'}  ${created ? 'created' : 'there'}\n`);
    for (const { subject, id, created } of subjects) process.stdout.write(`subject  ${subject}  schema id ${id}  ${created ? 'registered' : 'there'}\n`);
    return 0;
  },
};
