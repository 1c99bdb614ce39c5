import t from 'tap';
import { javaCommand, parseJavaMajor, parseMavenVersion, requireJava } from '../../../../runtime/embedded/java.js';

t.test('versions of Java as its makers print them', (t) => {
  const table: [string, number | undefined][] = [
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
    ['java version "1.8.0_392"\nJava(TM) SE Runtime Environment', 8],
    ['openjdk version "21" 2023-09-19 LTS', 21],
    ['openjdk version "25-ea" 2025-09-16', 25],
    ['command not found', undefined],
  ];
  for (const [text, major] of table) t.equal(parseJavaMajor(text), major, text);
  t.end();
});

t.test('versions of Maven', (t) => {
  t.same(parseMavenVersion('\u001b[1mApache Maven 3.8.7\u001b[m\nMaven home: /usr/share/maven'), [3, 8]);
  t.same(parseMavenVersion('Apache Maven 4.0.0-rc-5'), [4, 0]);
  t.equal(parseMavenVersion('nothing'), undefined);
  t.end();
});

t.test('a missing Java is a requirement with its fix', async (t) => {
  t.equal(javaCommand({ JAVA_HOME: '/opt/jdk' }), '/opt/jdk/bin/java');
  t.equal(javaCommand({}), 'java');
  await t.rejects(requireJava({ PATH: '', JAVA_HOME: '/nowhere' }), { code: 'REQUIREMENT_MISSING', message: /cannot run \/nowhere\/bin\/java.*install a Java runtime/ });
});
