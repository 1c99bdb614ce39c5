/** `*`, or origins as browsers write them: `https://shop.example`, with the port where it is not the usual one. */
export type AllowedOrigins = '*' | ReadonlySet<string>;

const ORIGIN = /^https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/;

/** Reads a list with commas between. @returns undefined where one is no origin */
export function parseOrigins(text: string): AllowedOrigins | undefined {
  const list = text.split(',').map((one) => one.trim()).filter((one) => one !== '');
  if (list.length === 1 && list[0] === '*') return '*';
  return list.length > 0 && list.every((one) => ORIGIN.test(one)) ? new Set(list) : undefined;
}

export const isAllowed = (origin: string, allowed: AllowedOrigins | undefined): boolean => allowed === '*' || allowed?.has(origin) === true;

/** Whether a page of this origin was served by the host that it now asks. */
export function isSameOrigin(origin: string, host: string): boolean {
  return host !== '' && (origin === `http://${host}` || origin === `https://${host}`);
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/;

/** Whether a Host header names this machine's loopback, which a name that was pointed at it does not. */
export const isLoopbackHost = (host: string): boolean => LOOPBACK_HOST.test(host);

export interface Browser {
  /** The Origin header; empty where it is absent: not a browser, or a plain GET of the same origin. */
  readonly origin: string;
  readonly host: string;
}

/**
 * Whether what a browser asks may be done: from an allowed origin, or from the page that this server gave out. Cross-site pages may
 * open WebSockets and send simple posts without asking first, so this is the server's to refuse.
 * @param open no keys are asked for: then the name in the Host header must be loopback's too, or a page could point its own name here
 */
export function mayBrowse({ origin, host }: Browser, allowed: AllowedOrigins | undefined, open: boolean): boolean {
  if (origin === '' || isAllowed(origin, allowed)) return true;
  return isSameOrigin(origin, host) && (!open || isLoopbackHost(host));
}

const EXPOSED = 'ratelimit, ratelimit-policy, retry-after, x-request-id';

/** Headers of an answer to a page of `origin`, as name and value in turn; with a list of origins, caches must keep them apart. */
export function corsHeaders(origin: string, allowed: AllowedOrigins): readonly string[] {
  const vary = allowed === '*' ? [] : ['vary', 'origin'];
  if (origin === '' || !isAllowed(origin, allowed)) return vary;
  return ['access-control-allow-origin', allowed === '*' ? '*' : origin, 'access-control-expose-headers', EXPOSED, ...vary];
}

const PREFLIGHT_AGE_S = 600;

/** The answer to a preflight; null where the page may not ask. Keys travel in headers that must be named, never in cookies. */
export function preflightHeaders(origin: string, methods: readonly string[], allowed: AllowedOrigins): readonly string[] | null {
  if (origin === '' || !isAllowed(origin, allowed) || methods.length === 0) return null;
  return [
    ...corsHeaders(origin, allowed),
    'access-control-allow-methods', methods.join(', '),
    'access-control-allow-headers', 'authorization, content-type, x-api-key, x-request-id',
    'access-control-max-age', String(PREFLIGHT_AGE_S),
  ];
}
