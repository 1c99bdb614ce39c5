const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const VERSION_2_PROXY = 0x21;
const TCP_4 = 0x11;
const TCP_6 = 0x21;

/** The first bytes of a connection that is handed on, saying whose it is (PROXY protocol, version 2). @param address a normal address */
export function proxyHeader(address: string, port: number): Uint8Array {
  const four = address.includes('.');
  const source = four ? address.split('.').map(Number) : address.split(':').flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
  const length = 2 * source.length + 4;
  return Uint8Array.from([...SIGNATURE, VERSION_2_PROXY, four ? TCP_4 : TCP_6, 0, length, ...source, ...source.map(() => 0), port >> 8, port & 255, 0, 0]);
}
