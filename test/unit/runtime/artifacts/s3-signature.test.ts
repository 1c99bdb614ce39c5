import { createHash } from 'node:crypto';
import t from 'tap';
import { signS3, uriEncoded } from '../../../../runtime/artifacts/s3-signature.js';

/** The examples of AWS's documentation, "Signature calculations: transferring payload in a single chunk". */
const CREDENTIALS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const TIME = new Date('2013-05-24T00:00:00.000Z');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const sign = (method: string, path: string, headers: Record<string, string> = {}, body = ''): string =>
  signS3({ method, url: new URL(`https://examplebucket.s3.amazonaws.com${path}`), headers, bodySha256: sha256(body) }, CREDENTIALS, 'us-east-1', TIME)['authorization']!;
const signatureOf = (authorization: string): string => authorization.slice(authorization.indexOf('Signature=') + 10);

t.test('AWS’s own examples', async (t) => {
  t.equal(sign('GET', '/test.txt', { range: 'bytes=0-9' }),
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,' +
    'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41');
  t.equal(signatureOf(sign('PUT', '/test%24file.text', { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' }, 'Welcome to Amazon S3.')),
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd');
  t.equal(signatureOf(sign('GET', '/?lifecycle')), 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543');
  t.equal(signatureOf(sign('GET', '/?max-keys=2&prefix=J')), '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7');
});

t.test('a session token is sent and signed', async (t) => {
  const headers = signS3({ method: 'GET', url: new URL('http://127.0.0.1:9/b/k'), headers: {}, bodySha256: sha256('') }, { ...CREDENTIALS, sessionToken: 'token' }, 'eu-west-1', TIME);
  t.equal(headers['x-amz-security-token'], 'token');
  t.match(headers['authorization'], 'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token');
  t.equal(headers['host'], '127.0.0.1:9', 'with the port');
});

t.test('a path’s part is encoded as AWS encodes it', async (t) => {
  t.equal(uriEncoded("a b/c(1)!*'~-_.é"), 'a%20b%2Fc%281%29%21%2A%27~-_.%C3%A9');
});
