/** The page that the benches of the gateway serve. */

export const pageBytes: Buffer = Buffer.alloc(
  10 * 1024,
  'The quick brown fox jumps over the lazy dog. ',
);
