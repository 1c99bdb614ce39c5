import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { requireJava } from '../../runtime/embedded/java.js';
import { kafkaProperties } from '../../runtime/embedded/kafka-properties.js';
import { fetchJars } from '../../runtime/embedded/maven.js';
import { startProgram, waitUntilReady } from '../../runtime/embedded/program.js';
import { freePort, isListening, LOOPBACK } from '../../runtime/ports.js';
import type { Certificates } from './certificates.js';
import { TEST_JARS_DIR } from './cluster.js';

/** Who may come in, by every mechanism. */
export const USER = { name: 'tidemark', password: 'c0rrect:horse %battery&staple' } as const;

export interface SecuredKafka {
  /** SASL_SSL: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly sasl: string;
  /** TLS with a client certificate. */
  readonly mutual: string;
  stop(): Promise<void>;
}

/** The embedded broker's own properties with secured listeners in place of its open one. */
export async function startSecuredKafka(dataDir: string, certificates: Certificates): Promise<SecuredKafka> {
  const folder = join(dataDir, 'kafka');
  await mkdir(folder, { recursive: true });
  const [sasl, mutual, inner, controller] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const file = join(folder, 'server.properties');
  await writeFile(file, kafkaProperties(inner, controller, join(folder, 'data')) + Object.entries({
    listeners: `SASL_SSL://${LOOPBACK}:${sasl},MUTUAL://${LOOPBACK}:${mutual},PLAINTEXT://${LOOPBACK}:${inner},CONTROLLER://${LOOPBACK}:${controller}`,
    'advertised.listeners': `SASL_SSL://${LOOPBACK}:${sasl},MUTUAL://${LOOPBACK}:${mutual},PLAINTEXT://${LOOPBACK}:${inner}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MUTUAL:SSL',
    'inter.broker.listener.name': 'PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER.name}="${USER.password}";`,
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': scram,
    'ssl.keystore.type': 'PEM', 'ssl.keystore.location': certificates.serverStore,
    'ssl.truststore.type': 'PEM', 'ssl.truststore.location': certificates.ca,
    'listener.name.mutual.ssl.client.auth': 'required',
  }).map(([name, value]) => `${name}=${value}\n`).join(''));

  const java = await requireJava();
  const mark = `-Dtidemark.kafka=${dataDir}`;
  const base = ['-Xmx384m', '-XX:TieredStopAtLevel=1', mark, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${await fetchJars('kafka', TEST_JARS_DIR)}/*`];
  await promisify(execFile)(java.command, [...base, 'kafka.tools.StorageTool', 'format', '-t', 'dGlkZW1hcmstZW1iZWRkZQ', '-c', file,
    ...['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${USER.name},password=${USER.password}]`])]);
  const program = await startProgram({ name: 'kafka', command: java.command, args: [...base, 'kafka.Kafka', file], dataDir, mark });
  await waitUntilReady('Kafka', program, () => isListening(sasl), 60_000);
  return { sasl: `${LOOPBACK}:${sasl}`, mutual: `${LOOPBACK}:${mutual}`, stop: () => program.stop() };
}

export interface Proxy {
  readonly url: string;
  /** Connections or requests that came through. */
  count(): number;
  stop(): Promise<void>;
}

/** TLS in front of something on a port of this machine that speaks without it. */
export async function startTlsProxy(port: number, certificates: Certificates): Promise<Proxy> {
  let count = 0;
  const server = createTlsServer({ key: readFileSync(certificates.serverKey), cert: readFileSync(certificates.serverCert) }, (outer) => {
    count++;
    const innerSocket = connect(port, LOOPBACK);
    for (const [from, to] of [[outer, innerSocket], [innerSocket, outer]] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  const at = await freePort();
  await new Promise<void>((resolve) => server.listen(at, LOOPBACK, resolve));
  return { url: `https://${LOOPBACK}:${at}`, count: () => count, stop: () => new Promise((resolve) => { server.close(() => resolve()); }) };
}

/** TLS and basic authentication in front of an HTTP server of this machine. */
export async function startGuardedProxy(target: URL, certificates: Certificates): Promise<Proxy> {
  let count = 0;
  const expected = `Basic ${Buffer.from(`${USER.name}:${USER.password}`).toString('base64')}`;
  const server = createHttpsServer({ key: readFileSync(certificates.serverKey), cert: readFileSync(certificates.serverCert) }, (req, res) => {
    if (req.headers.authorization !== expected) {
      res.writeHead(401, { 'content-type': 'application/json' }).end('{"error_code":401,"message":"who are you?"}');
      return;
    }
    count++;
    const { authorization: _authorization, ...headers } = req.headers;
    const inner = httpRequest({ host: target.hostname, port: target.port, path: req.url, method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    inner.on('error', () => res.writeHead(502).end());
    req.pipe(inner);
  });
  const at = await freePort();
  await new Promise<void>((resolve) => server.listen(at, LOOPBACK, resolve));
  return {
    url: `https://${LOOPBACK}:${at}${target.pathname}`, count: () => count,
    stop: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections(); }),
  };
}
