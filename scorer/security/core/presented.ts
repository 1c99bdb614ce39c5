/** Where a client puts its key: one of the two headers, or, where a browser cannot set them, a WebSocket subprotocol. */
const BEARER = /^bearer +(\S+) *$/i;
const PROTOCOL_KEY = 'tidemark.key.';
/** What a client that sends its key as a subprotocol offers beside it, and the server answers. */
export const PROTOCOL = 'tidemark.v1';

/** The key text that a request presents; undefined where there is none. `''` is one that cannot be read. */
export function presentedKey(header: (name: string) => string): string | undefined {
  const authorization = header('authorization');
  if (authorization !== '') return BEARER.exec(authorization)?.[1] ?? '';
  const key = header('x-api-key');
  if (key !== '') return key;
  const protocols = header('sec-websocket-protocol');
  return protocols === '' ? undefined : offered(protocols).find((one) => one.startsWith(PROTOCOL_KEY))?.slice(PROTOCOL_KEY.length);
}

/** The subprotocol to answer an upgrade with: the first that was offered and is no key; empty for none. A key never goes back. */
export const chosenProtocol = (protocols: string): string => offered(protocols).find((one) => !one.startsWith(PROTOCOL_KEY)) ?? '';

const offered = (protocols: string): string[] => protocols.split(',').map((one) => one.trim()).filter((one) => one !== '');
