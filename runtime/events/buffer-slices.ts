/** Node's own slices: what toString ends up in, without its dispatch by the encoding's name. They are public, but not typed. */
declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
  }
}
export {};
