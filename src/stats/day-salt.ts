/**
 * The secret of one day, under which its visitors are hashed: in a file of its own, so that a
 * restart does not count them again, and overwritten when the day is over, so that nothing on the
 * disk leads back to an address (docs/spec/stats.md, "Privacy").
 */
import { open, readFile, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { Random } from '../base/clock.ts';
import { systemCode } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { Logger } from '../base/logger.ts';
import { saltBytes } from './visitor.ts';

/** day, salt, beginning of the SHA-256 of both. */
const checkBytes = 4;
const fileBytes = 4 + saltBytes + checkBytes;

export interface DaySaltDeps {
  /** Absolute. */
  readonly file: string;
  readonly random: Random;
  readonly log: Logger;
}

export class DaySalt {
  readonly #deps: DaySaltDeps;
  #current: { readonly day: number; readonly salt: Bytes } | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWarned = false;

  constructor(deps: DaySaltDeps) {
    this.#deps = deps;
  }

  /** Takes up the secret of `day`, if an earlier run left it, and wipes that of any other day. */
  async start(day: number): Promise<void> {
    const octets = await readFile(this.#deps.file).catch(() => undefined);
    if (!octets) return;
    this.#current = decodeSalt(octets);
    if (this.#current?.day !== day) await this.end();
  }

  /** The same one all day long; made when it is asked for first. */
  of(day: number): Bytes {
    if (this.#current?.day === day) return this.#current.salt;
    const salt = this.#deps.random.bytes(saltBytes);
    this.#current = { day, salt };
    this.#then(() => this.#write(encodeSalt(day, salt)));
    return salt;
  }

  /** Forgets it: what was hashed with it can never be compared with anything again. */
  async end(): Promise<void> {
    this.#current = undefined;
    this.#then(() => this.#wipe());
    await this.#writing;
  }

  /** Resolves when the disk has what `of` gave. */
  get saved(): Promise<void> {
    return this.#writing;
  }

  /** One after the other, and never rejects: without its file a secret is good until a restart. */
  #then(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work).catch((error: unknown) => {
      if (this.#isWarned) return;
      this.#isWarned = true;
      const why = systemCode(error) ?? 'unknown';
      this.#deps.log.warn('the salt of site statistics cannot be written or removed', { why });
    });
  }

  async #write(octets: Bytes): Promise<void> {
    await using file = await openFor(this.#deps.file);
    await file.write(octets, 0, octets.length, 0);
    await file.datasync();
  }

  /** Over the very octets, as far as the file system lets us: what is removed stays readable. */
  async #wipe(): Promise<void> {
    await this.#write(new Uint8Array(fileBytes));
    await rm(this.#deps.file, { force: true });
  }
}

/** For writing in place; made when missing. */
async function openFor(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return open(path, 'wx', 0o600);
  }
}

function encodeSalt(day: number, salt: Bytes): Bytes {
  const octets = new Uint8Array(fileBytes);
  new DataView(octets.buffer).setUint32(0, day);
  octets.set(salt, 4);
  octets.set(sha256(octets.subarray(0, 4 + saltBytes)).subarray(0, checkBytes), 4 + saltBytes);
  return octets;
}

/** Undefined for a file that was written in part. */
function decodeSalt(octets: Bytes): { day: number; salt: Bytes } | undefined {
  if (octets.length !== fileBytes) return undefined;
  const content = octets.subarray(0, 4 + saltBytes);
  const check = sha256(content).subarray(0, checkBytes);
  if (!equalBytes(check, octets.subarray(4 + saltBytes))) return undefined;
  const day = new DataView(octets.buffer, octets.byteOffset).getUint32(0);
  return { day, salt: new Uint8Array(octets.subarray(4, 4 + saltBytes)) };
}
