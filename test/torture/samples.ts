/** Folders whose every byte follows from a seed, and what came out of a node compared with them. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SeededRandom } from '../../sim/random.ts';
import { readFolder } from '../support/folders.ts';

/** SHA-256 of each file by its path. */
export type Digests = ReadonlyMap<string, string>;

/** Few of each size: the store keeps blocks of up to 4 KiB, larger ones and large files apart. */
const lengths = [0, 40, 900, 4096, 4097, 20_000, 70_000, 262_144, 300_000] as const;

/**
 * Quick bytes that no other seed gives: one random block of 997 bytes, repeated. 997 is prime, so
 * that no two pieces of a file are equal and become one block.
 */
function content(random: SeededRandom, length: number): Buffer {
  return Buffer.alloc(length, random.bytes(997));
}

/** A new folder of 3 to 14 files, about 0.5 MB; or `bytesMin` and more. */
export function writeSite(
  folder: string,
  random: SeededRandom,
  { bytesMin = 0 }: { readonly bytesMin?: number } = {},
): Digests {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, 'sub/folder'), { recursive: true });
  writeFileSync(
    path.join(folder, 'index.html'),
    `<!doctype html><h1>${random.below(2 ** 32)}</h1>`,
  );
  const count = 3 + random.below(12);
  let bytes = 0;
  for (let i = 0; i < count || bytes < bytesMin; i++) {
    const length = lengths[random.below(lengths.length)] ?? 0;
    const where = random.below(3) === 0 ? 'sub/folder' : '.';
    writeFileSync(path.join(folder, where, `file-${i}.bin`), content(random, length));
    bytes += length;
  }
  return digestsOf(folder);
}

/** Another version of the site in this folder: one file changed, one added, the rest as it was. */
export function changeSite(folder: string, random: SeededRandom): Digests {
  writeFileSync(
    path.join(folder, 'index.html'),
    `<!doctype html><h2>${random.below(2 ** 32)}</h2>`,
  );
  const name = `added-${random.below(4)}.bin`;
  writeFileSync(path.join(folder, name), content(random, 1000 + random.below(200_000)));
  return digestsOf(folder);
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function digestsOf(folder: string): Digests {
  return new Map([...readFolder(folder)].map(([name, bytes]) => [name, digestOf(bytes)]));
}

/** In a few words, how the two differ; undefined when they do not. */
export function difference(have: Digests, want: Digests): string | undefined {
  for (const [name, digest] of want) {
    if (!have.has(name)) return `${name} is missing`;
    if (have.get(name) !== digest) return `${name} is another`;
  }
  const more = [...have.keys()].find((name) => !want.has(name));
  return more === undefined ? undefined : `${more} is too much`;
}

/** For a value: what is put, and nothing else in the run equals it. */
export function sampleValue(random: SeededRandom): Buffer {
  return content(random, 1 + random.below(60_000));
}
