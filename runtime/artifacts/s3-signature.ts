import { createHash, createHmac } from 'node:crypto';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Request {
  readonly method: string;
  /** With host and path; the path as it is sent. */
  readonly url: URL;
  /** Signed as they are, names in lower case; `host` comes from the url. */
  readonly headers: Readonly<Record<string, string>>;
  /** sha256 of the body in hex. */
  readonly bodySha256: string;
}

/**
 * The headers that sign a request to S3: AWS Signature Version 4.
 * @param time of the request
 * @returns all headers to send: those given, x-amz-*, authorization
 */
export function signS3(request: S3Request, { accessKeyId, secretAccessKey, sessionToken }: S3Credentials, region: string, time: Date): Record<string, string> {
  const stamp = time.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = stamp.slice(0, 8);
  const headers: Record<string, string> = {
    ...request.headers, host: request.url.host, 'x-amz-content-sha256': request.bodySha256, 'x-amz-date': stamp,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const signed = names.join(';');
  const canonical = [
    request.method, request.url.pathname, queryOf(request.url),
    ...names.map((name) => `${name}:${headers[name]!.trim().replace(/ +/g, ' ')}`), '', signed, request.bodySha256,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', stamp, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')).toString('hex');
  return { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope},SignedHeaders=${signed},Signature=${signature}` };
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const queryOf = (url: URL): string =>
  [...url.searchParams].map(([name, value]) => `${uriEncoded(name)}=${uriEncoded(value)}`).sort().join('&');

/** As AWS wants it: everything but letters, digits and `-._~` in %XX. */
export const uriEncoded = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
