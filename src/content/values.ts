/**
 * Values: a few octets under their SHA-256, kept, announced, copied and fetched as a site of one
 * block. It brings those parts together for what is small and wanted at once, and knows nothing of
 * what a value means.
 */
import { type Abortable, sleep } from '../base/abort.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { Background } from './background.ts';
import { cidOf, type Link } from './dag/root.ts';
import type { Blocks, Holdings } from './ports.ts';
import type { Announcer } from './provide.ts';
import type { Publishing } from './publishing.ts';

export const valueBytesMax: number = 64 * 1024;

export interface ValuesDeps {
  readonly blocks: Blocks;
  readonly holdings: Holdings;
  readonly publishing: Publishing;
  readonly announcer: Announcer;
  readonly background: Background;
  readonly world: World;
  /** Resolves when all of it is here, see `Sites.ensure`. */
  readonly ensure: (link: Link, signal: AbortSignal | undefined) => Promise<unknown>;
}

/** How long whoever puts a value waits for its copies; they are made all the same. */
const copiesWaitMs = 2000;

export class Values {
  readonly #deps: ValuesDeps;

  constructor(deps: ValuesDeps) {
    this.#deps = deps;
  }

  /** See `Sites.putValue`. */
  async put(value: Bytes, { signal }: Abortable = {}): Promise<{ hash: Bytes; stored: number }> {
    const { publishing, announcer, background } = this.#deps;
    if (value.length > valueBytesMax) throw tooBig(value.length);
    signal?.throwIfAborted();
    const link = await publishing.addValue(value.slice());
    const copying = publishing.replicate(link, {});
    background.add(copying);
    const stored = await announcer.provide(link, { signal });
    await this.#settledSoon(copying);
    return { hash: link.hash, stored };
  }

  /** See `Sites.getValue`. */
  async get(hash: Bytes, { signal }: Abortable = {}): Promise<Bytes> {
    const { holdings, ensure } = this.#deps;
    const link: Link = { codec: 'raw', hash };
    await using stack = new AsyncDisposableStack();
    stack.use(await holdings.open({ kind: 'visited', root: link }));
    await ensure(link, signal);
    const bytes = (await this.#intact(hash)) ?? (await this.#fetchedAgain(link, signal));
    if (bytes.length > valueBytesMax) throw tooBig(bytes.length);
    return bytes;
  }

  /** Whatever becomes of the copies is no concern of the caller's. */
  async #settledSoon(copying: Promise<unknown>): Promise<void> {
    const enough = new AbortController();
    const patience = sleep(this.#deps.world.timers, copiesWaitMs, enough.signal);
    await Promise.race([copying, patience]).catch(() => undefined);
    patience.catch(() => undefined);
    enough.abort();
  }

  /** What a disk has changed is forgotten. */
  async #intact(hash: Bytes): Promise<Bytes | undefined> {
    const { blocks } = this.#deps;
    const bytes = blocks.get(hash);
    if (bytes && equalBytes(sha256(bytes), hash)) return bytes;
    await blocks.forget?.(hash);
    return undefined;
  }

  async #fetchedAgain(link: Link, signal: AbortSignal | undefined): Promise<Bytes> {
    const root = cidOf(link).toString();
    const why = 'its block is damaged on the disk of this node, and no other node has it';
    const lost = new AltNetError('CONTENT_UNAVAILABLE', { root, why });
    try {
      await this.#deps.ensure(link, signal);
    } catch (error) {
      throw isAltNetError(error, 'NO_PROVIDERS') ? lost : error;
    }
    const bytes = await this.#intact(link.hash);
    if (!bytes) throw lost;
    return bytes;
  }
}

function tooBig(bytes: number): AltNetError<'VALUE_TOO_BIG'> {
  return new AltNetError('VALUE_TOO_BIG', { bytes, bytesMax: valueBytesMax });
}
