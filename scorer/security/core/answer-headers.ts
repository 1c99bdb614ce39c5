/** A year, for this name only: subdomains are not ours to decide about. */
const HSTS = 'max-age=31536000';

/** Headers that every answer carries, as name and value in turn. What pages need besides stands with them. */
export const commonHeaders = (tls: boolean): readonly string[] => ['x-content-type-options', 'nosniff', ...(tls ? ['strict-transport-security', HSTS] : [])];
