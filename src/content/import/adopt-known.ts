/**
 * Files that an earlier import has read and that did not change since: their blocks are named for
 * the new holding instead of being made again. It opens no file.
 */
import { isAltNetError } from '../../base/errors.ts';
import { forEachOf } from '../../base/parallel.ts';
import { adoptAll } from '../dag/adopt.ts';
import type { BuiltFile } from '../dag/build.ts';
import type { KnownFiles } from './import-memory.ts';
import type { Blocks, Holding } from '../ports.ts';
import { hashKey } from '../dag/root.ts';
import type { ScannedFile } from './scan.ts';
import { Turns } from '../turns.ts';

/** A file that looks as it did when it was made into this. */
export interface RecognisedFile {
  readonly file: ScannedFile;
  readonly built: BuiltFile;
}

/** Which of `files` need not be read, as long as their blocks are here. */
export async function recognise(
  files: readonly ScannedFile[],
  { recalled, signal }: { recalled: KnownFiles; signal: AbortSignal | undefined },
): Promise<{ recognised: RecognisedFile[]; unread: ScannedFile[] }> {
  const recognised: RecognisedFile[] = []; // BOUNDED by filesMax
  const unread: ScannedFile[] = []; // BOUNDED likewise
  const turns = new Turns(signal);
  for (const file of files) {
    const turn = turns.next();
    if (turn) await turn;
    const built = recalled.find(file.stamp, file.bytes);
    if (built) recognised.push({ file, built });
    else unread.push(file);
  }
  return { recognised, unread };
}

const batchFiles = 1024;
/** Above `filesMax`; times 2^32 still an exact number. */
const placesMax = 2 ** 20;
/** What the store is asked while it still works on what it was asked before. */
const batchesAtOnce = 4;

/** Names the blocks of these files for the holding; gives back those whose blocks are not here. */
export async function adoptFiles(
  files: readonly RecognisedFile[],
  {
    blocks,
    holding,
    signal,
  }: { blocks: Blocks; holding: Pick<Holding, 'adopt'>; signal: AbortSignal | undefined },
): Promise<RecognisedFile[]> {
  const lost: RecognisedFile[] = []; // BOUNDED by filesMax
  const small = inOrderOfHash(files.filter(({ built }) => built.codec === 'raw'));
  const batches = Array.from({ length: Math.ceil(small.length / batchFiles) }, (_, i) =>
    small.slice(i * batchFiles, (i + 1) * batchFiles),
  );
  await forEachOf(batches, batchesAtOnce, async (batch) => {
    signal?.throwIfAborted();
    const missing = await holding.adopt(batch.map(({ built }) => built.hash));
    if (missing.length === 0) return;
    const gone = new Set(missing.map(hashKey));
    lost.push(...batch.filter(({ built }) => gone.has(hashKey(built.hash))));
  });
  for (const one of files) {
    if (one.built.codec === 'raw') continue;
    signal?.throwIfAborted();
    if (!(await adoptLarge(one, { blocks, holding }))) lost.push(one);
  }
  return lost;
}

/**
 * As far as the first four octets tell, which is enough: what lies together in the store is then
 * asked for and written together. Sorting numbers takes a tenth of the time that hashes would.
 */
function inOrderOfHash(files: readonly RecognisedFile[]): RecognisedFile[] {
  const keys = Float64Array.from(files, ({ built: { hash } }, i) => {
    return new DataView(hash.buffer, hash.byteOffset).getUint32(0) * placesMax + i;
  });
  const places = Array.from(keys.toSorted(), (key) => key % placesMax);
  return places.flatMap((place) => files[place] ?? []);
}

async function adoptLarge(
  { built }: RecognisedFile,
  { blocks, holding }: { blocks: Blocks; holding: Pick<Holding, 'adopt'> },
): Promise<boolean> {
  try {
    await adoptAll(blocks, built, holding);
    return true;
  } catch (error) {
    if (isAltNetError(error, 'CONTENT_UNAVAILABLE') || isAltNetError(error, 'CONTENT_BAD')) {
      return false;
    }
    throw error;
  }
}
