/**
 * Sites as blocks, for whoever checks everything himself: what stands at a path, and the blocks
 * that prove it. What is not here is fetched. Which blocks belong to an answer, and in what order,
 * the walk says, as between nodes.
 */
import type { CID } from 'multiformats/cid';
import type { Abortable } from '../../base/abort.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import { type Denials, noDenials } from '../../base/denial.ts';
import { AltNetError } from '../../base/errors.ts';
import { missingOf } from '../dag/missing.ts';
import { cidOf, type Link, requireLink } from '../dag/root.ts';
import { decodeNode } from '../dag/unixfs.ts';
import { DagWalk, type Want } from '../dag/walk.ts';
import { fitsWant } from '../exchange/frames.ts';
import { Delivery } from '../fetching/delivery.ts';
import type { Fetcher } from '../fetching/fetch.ts';
import { requireBlock, requirePath } from '../guarded-store.ts';
import type { Blocks, Holding, Holdings } from '../ports.ts';
import { Turns } from '../turns.ts';
import type { DagBlock, DagScope, OpenedDag } from '../types.ts';
import { PathCheck } from './path-check.ts';
import { noPath, walkTo } from './site-reader.ts';

export class SiteDags {
  readonly #holdings: Pick<Holdings, 'open' | 'touch'>;
  readonly #fetcher: Fetcher;
  readonly #denials: Pick<Denials, 'ofPath' | 'ofBlock'>;

  constructor(
    holdings: Pick<Holdings, 'open' | 'touch'>,
    fetcher: Fetcher,
    denials: Pick<Denials, 'ofPath' | 'ofBlock'> = noDenials,
  ) {
    this.#holdings = holdings;
    this.#fetcher = fetcher;
    this.#denials = denials;
  }

  async open(root: CID, path: string, { signal }: Abortable = {}): Promise<OpenedDag> {
    const link = requireLink(root);
    const names = path.split('/').filter((name) => name !== '');
    requirePath(this.#denials, link, names.join('/'));
    this.#holdings.touch(link.hash);
    if (!fitsWant(names)) throw noPath(link, names);
    const want: Want = { link, level: 0, path: names, scope: 'block' };
    const blocks = this.#fetcher.blocks(link);
    const delivery = this.#deliver(want, blocks, signal);
    const target = await delivery.until(() => walkTo(blocks, want));
    const bytes = requireBytes(blocks, target);
    requireBlock(this.#denials, target.hash);
    const node = decodeNode(target, bytes);
    return {
      cid: cidOf(target),
      bytes,
      fileBytes: node.kind === 'file' ? node.size : undefined,
      blocks: (scope, options) => this.#read({ ...want, ...scope }, target, options),
    };
  }

  async *#read(
    want: Want & DagScope,
    target: Link,
    { signal }: Abortable = {},
  ): AsyncGenerator<DagBlock, void, undefined> {
    const root = toHex(want.link.hash);
    const blocks = this.#fetcher.blocks(want.link);
    // What is open is not evicted: the rest stays until it has been read.
    await using stack = new AsyncDisposableStack();
    stack.use(await this.#into(want.link));
    const delivery = this.#deliver(want, blocks, signal);
    stack.defer(() => delivery.stop());
    const turns = new Turns(signal);
    const walk = new DagWalk(want);
    const { link: top, path, scope } = want;
    const paths = scope === 'all' ? new PathCheck(this.#denials, top, { target, path }) : undefined;
    for (let link = walk.next(); link !== undefined; link = walk.next()) {
      const turn = turns.next();
      if (turn) await turn;
      requireBlock(this.#denials, link.hash); // lists change while somebody reads
      const { hash } = link;
      const bytes = blocks.get(hash) ?? (await delivery.until(() => blocks.get(hash)));
      const why = walk.accept(bytes);
      if (why !== undefined) throw new AltNetError('CONTENT_BAD', { root, why });
      paths?.accept(link, bytes);
      yield { cid: cidOf(link), bytes };
    }
    if (walk.full) throw new AltNetError('CONTENT_BAD', { root, why: 'it has too many blocks' });
  }

  #deliver(want: Want, blocks: Blocks, signal: AbortSignal | undefined): Delivery {
    const missing = (): ReturnType<typeof missingOf> => missingOf(blocks, want);
    const into = (): Promise<Holding> => this.#into(want.link);
    return new Delivery(this.#fetcher, { root: want.link, missing, into }, signal);
  }

  #into(root: Link): Promise<Holding> {
    return this.#holdings.open({ kind: 'visited', root });
  }
}

function requireBytes(blocks: Blocks, { hash }: Link): Bytes {
  const bytes = blocks.get(hash);
  if (bytes) return bytes;
  const why = 'a block was lost meanwhile';
  throw new AltNetError('CONTENT_UNAVAILABLE', { root: toHex(hash), why });
}
