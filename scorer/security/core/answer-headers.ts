/** A year, for this name only: subdomains are not ours to decide about. */
const HSTS = 'max-age=31536000';

/** Headers that every answer carries, as name and value in turn. */
export function commonHeaders(tls: boolean): readonly string[] {
  return ['x-content-type-options', 'nosniff', ...(tls ? ['strict-transport-security', HSTS] : [])];
}

export interface HtmlSources {
  /** `'sha256-…'` of inline scripts and styles; without any, only files of this server. */
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
}

/** Headers of a page, besides the common ones. */
export function htmlHeaders({ scripts = [], styles = [] }: HtmlSources = {}): readonly string[] {
  const policy = [
    "default-src 'none'",
    `script-src ${["'self'", ...scripts].join(' ')}`,
    `style-src ${["'self'", ...styles].join(' ')}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return [
    'content-security-policy', policy.join('; '),
    'x-frame-options', 'DENY',
    'referrer-policy', 'no-referrer',
    'cross-origin-opener-policy', 'same-origin',
    'permissions-policy', 'camera=(), geolocation=(), microphone=()',
  ];
}
