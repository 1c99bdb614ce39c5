import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { freePort } from '../../runtime/ports.js';
import { QUIET_ENV } from './python.js';
import { until } from './wait.js';

export interface S3Server {
  readonly endpoint: string;
  /** Keys that may do everything with buckets; requests with other keys, or a wrong signature, are refused. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const PREPARE = `
import boto3, json, sys
about = dict(endpoint_url=sys.argv[1], region_name='eu-central-1', aws_access_key_id='none', aws_secret_access_key='none')
iam = boto3.client('iam', **about)
iam.create_user(UserName='trainer')
iam.put_user_policy(UserName='trainer', PolicyName='all', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]}))
boto3.client('s3', **about).create_bucket(Bucket='tidemark-artifacts', CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})
key = iam.create_access_key(UserName='trainer')['AccessKey']
print(key['AccessKeyId'], key['SecretAccessKey'])
`;
/** Calls of PREPARE; after them keys and signatures are checked. */
const UNCHECKED_CALLS = 4;

/** An S3-compatible server (moto) with the bucket `tidemark-artifacts` in eu-central-1, which checks signatures. */
export async function startS3(t: { teardown(end: () => Promise<void>): unknown }, python: string): Promise<S3Server> {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const server = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', new URL(endpoint).port], {
    stdio: 'ignore', env: { ...QUIET_ENV, INITIAL_NO_AUTH_ACTION_COUNT: String(UNCHECKED_CALLS) },
  });
  const gone = once(server, 'exit');
  t.teardown(async () => {
    server.kill('SIGKILL');
    await gone;
  });
  await until('the S3 server', async () => (await fetch(`${endpoint}/moto-api/`).catch(() => undefined)) !== undefined, 60_000);
  const { stdout } = await promisify(execFile)(python, ['-c', PREPARE, endpoint], { env: QUIET_ENV });
  const [accessKeyId, secretAccessKey] = stdout.trim().split(' ');
  return { endpoint, accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! };
}
