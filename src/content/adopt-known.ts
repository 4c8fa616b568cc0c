/**
 * Files that an earlier import has read and that did not change since: their blocks are named for
 * the new holding instead of being made again. It opens no file.
 */
import type { Bytes } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { adoptAll } from './adopt.ts';
import type { BuiltFile } from './build.ts';
import { type KnownFiles, printOf } from './import-memory.ts';
import type { Blocks, Holding } from './ports.ts';
import { hashKey } from './root.ts';
import type { ScannedFile } from './scan.ts';
import { Turns } from './turns.ts';

/** A file whose blocks are all here and named for the holding. */
export interface AdoptedFile {
  readonly file: ScannedFile;
  readonly print: string;
  readonly built: BuiltFile;
}

export interface Adoption {
  readonly recalled: KnownFiles;
  readonly blocks: Blocks;
  readonly holding: Pick<Holding, 'adopt'>;
  readonly signal: AbortSignal | undefined;
}

const batchFiles = 1024;

/** Those of `files` that need not be read. */
export async function adoptKnown(
  files: readonly ScannedFile[],
  { recalled, blocks, holding, signal }: Adoption,
): Promise<AdoptedFile[]> {
  const adopted: AdoptedFile[] = []; // BOUNDED by filesMax
  const turns = new Turns(signal);
  let batch: AdoptedFile[] = []; // BOUNDED by batchFiles
  for (const file of files) {
    await turns.next();
    const print = printOf(file);
    const known = recalled.find(print);
    if (!known) continue;
    const one = { file, print, built: { ...known, size: file.bytes } };
    if (known.codec === 'raw') batch.push(one);
    else if (await adoptLarge(blocks, known, holding)) adopted.push(one);
    if (batch.length < batchFiles) continue;
    adopted.push(...(await adoptSmall(batch, holding)));
    batch = [];
  }
  adopted.push(...(await adoptSmall(batch, holding)));
  return adopted;
}

async function adoptSmall(
  files: readonly AdoptedFile[],
  holding: Pick<Holding, 'adopt'>,
): Promise<readonly AdoptedFile[]> {
  if (files.length === 0) return files;
  const missing = await holding.adopt(files.map(({ built }) => built.hash));
  if (missing.length === 0) return files;
  const gone = new Set(missing.map(hashKey));
  return files.filter(({ built }) => !gone.has(hashKey(built.hash)));
}

async function adoptLarge(
  blocks: Blocks,
  link: { readonly codec: 'dag-pb' | 'raw'; readonly hash: Bytes },
  holding: Pick<Holding, 'adopt'>,
): Promise<boolean> {
  try {
    await adoptAll(blocks, link, holding);
    return true;
  } catch (error) {
    if (isAltNetError(error, 'CONTENT_UNAVAILABLE') || isAltNetError(error, 'CONTENT_BAD')) {
      return false;
    }
    throw error;
  }
}
