import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TidemarkError } from '../errors.js';

const run = promisify(execFile);
export const JAVA_MAJOR_MIN = 17;
export const MAVEN_MIN = [3, 6] as const;
const INSTALL_JAVA = 'install a Java runtime (Debian: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk@17) or set JAVA_HOME';
const INSTALL_MAVEN = 'install Maven (Debian: apt-get install maven; macOS: brew install maven); it is needed once, to fetch the jars';

/** The command that `JAVA_HOME` or the PATH gives. */
export function javaCommand(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['JAVA_HOME'];
  return home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
}

/** The major version in what `java -version` prints (`17.0.15` is 17, `1.8.0_392` is 8); undefined where there is none. */
export function parseJavaMajor(text: string): number | undefined {
  const found = /version "(\d+)(?:\.(\d+))?/.exec(text);
  if (found === null) return undefined;
  const major = Number(found[1]);
  return major === 1 ? Number(found[2]) : major;
}

/** Major and minor version in what `mvn -version` prints; undefined where there is none. */
export function parseMavenVersion(text: string): readonly [number, number] | undefined {
  const found = /Apache Maven (\d+)\.(\d+)/.exec(text);
  return found === null ? undefined : [Number(found[1]), Number(found[2])];
}

/** The Java command, checked to be there and new enough. @throws TidemarkError REQUIREMENT_MISSING */
export async function requireJava(env: NodeJS.ProcessEnv = process.env): Promise<{ command: string; major: number; /** All that it says of itself. */ build: string }> {
  const command = javaCommand(env);
  const output = await versionOf(command, ['-version'], env, `Java: cannot run ${command}; expected Java ${JAVA_MAJOR_MIN} or newer: ${INSTALL_JAVA}`);
  const major = parseJavaMajor(output);
  if (major === undefined || major < JAVA_MAJOR_MIN)
    throw new TidemarkError('REQUIREMENT_MISSING', `Java: ${command} is version ${major ?? 'unknown'}; expected ${JAVA_MAJOR_MIN} or newer: ${INSTALL_JAVA}`);
  return { command, major, build: output };
}

/** The Maven command, checked to be there and new enough. @throws TidemarkError REQUIREMENT_MISSING */
export async function requireMaven(env: NodeJS.ProcessEnv = process.env): Promise<{ command: string; version: string }> {
  const output = await versionOf('mvn', ['-version'], env, `Maven: cannot run mvn; expected Maven ${MAVEN_MIN.join('.')} or newer: ${INSTALL_MAVEN}`);
  const version = parseMavenVersion(output);
  if (version === undefined || version[0] < MAVEN_MIN[0] || (version[0] === MAVEN_MIN[0] && version[1] < MAVEN_MIN[1]))
    throw new TidemarkError('REQUIREMENT_MISSING', `Maven: mvn is version ${version?.join('.') ?? 'unknown'}; expected ${MAVEN_MIN.join('.')} or newer: ${INSTALL_MAVEN}`);
  return { command: 'mvn', version: version.join('.') };
}

async function versionOf(command: string, args: string[], env: NodeJS.ProcessEnv, missing: string): Promise<string> {
  try {
    const { stdout, stderr } = await run(command, args, { env, timeout: 30_000 });
    return stdout + stderr;
  } catch (error) {
    throw new TidemarkError('REQUIREMENT_MISSING', missing, { cause: error });
  }
}
