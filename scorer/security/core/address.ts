/** Four numbers of an IPv4 address in an IPv6 one, as some systems write them: `::ffff:10.0.0.1`, or all groups spelt out. */
const MAPPED = /^(?:0{0,4}:){2,5}ffff:(?:(\d{1,3}(?:\.\d{1,3}){3})|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const IPV6 = /^[0-9a-f:]{2,39}$/i;

/** An address as it is compared and logged: IPv4 in dots, IPv6 in lower case with all groups; undefined where it is none. */
export function normalAddress(text: string): string | undefined {
  const mapped = MAPPED.exec(text);
  if (mapped !== null) return mapped[1] ?? dots(mapped[2]!, mapped[3]!);
  if (IPV4.test(text)) return text.split('.').every((part) => Number(part) <= 255) ? text : undefined;
  if (!IPV6.test(text)) return undefined;
  const [before = '', after, ...more] = text.toLowerCase().split('::');
  const left = groupsOf(before);
  const right = after === undefined ? [] : groupsOf(after);
  const missing = 8 - left.length - right.length;
  if (more.length > 0 || (after === undefined ? missing !== 0 : missing < 1)) return undefined;
  const groups = [...left, ...Array<string>(missing).fill('0'), ...right];
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group)) ? groups.map((group) => parseInt(group, 16).toString(16)).join(':') : undefined;
}

const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));

function dots(high: string, low: string): string {
  const [h, l] = [parseInt(high, 16), parseInt(low, 16)];
  return `${h >> 8}.${h & 255}.${l >> 8}.${l & 255}`;
}

/** What a limit is counted by: an IPv4 address, or the /64 that a customer of IPv6 has to himself. */
export const limitName = (normal: string): string => (normal.includes('.') ? normal : `${normal.split(':').slice(0, 4).join(':')}::/64`);

/**
 * Who asks, where proxies stand in front: from the right, the first hop that is not one of them. What stands further left could
 * have been written by anyone.
 * @param peer normal address at the other end of the connection
 * @param forwarded the X-Forwarded-For header
 */
export function clientAddress(peer: string, forwarded: string, proxies: ReadonlySet<string>): string {
  if (!proxies.has(peer)) return peer;
  let client = peer;
  for (const hop of forwarded.split(',').reverse()) {
    const address = normalAddress(hop.trim());
    if (address === undefined) return client;
    client = address;
    if (!proxies.has(address)) return client;
  }
  return client;
}
