/**
 * Notices when a relay through which this node reaches others is gone without a word: its circuits
 * would else stand until each of them is found to be dead. It opens a link to a relay as long as
 * some connection leads through it, and takes no place there.
 */
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { CancelTimer, World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { peerIdText } from '../peer-address.ts';
import { relayProtocol } from './relay-frames.ts';
import type { RelayHost } from './relay-client.ts';
import { RelayLink } from './relay-link.ts';

export interface WatchedHost extends Pick<RelayHost, 'open' | 'drop'> {
  connections(): readonly { readonly address: string; readonly isRelayed: boolean }[];
  onRelayUsed(listener: (publicKey: Bytes) => void): void;
}

/** Relays that are watched at the same time; with more, the rest is noticed later. */
const linksMax = 64;
const lookMs = 10_000;

export class RelayWatch {
  readonly #host: WatchedHost;
  readonly #world: World;
  /** By node key; undefined while it is being opened. BOUNDED by linksMax. */
  readonly #links = new Map<string, { readonly key: Bytes; link: RelayLink | undefined }>();
  #cancelLook: CancelTimer | undefined;
  #isStopped = false;

  constructor(host: WatchedHost, world: World) {
    this.#host = host;
    this.#world = world;
  }

  start(): void {
    this.#host.onRelayUsed((key) => void this.#watch(key));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelLook?.();
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.allSettled(links.map(async ({ link }) => link?.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Never rejects: a relay that speaks only the protocol of circuits is not watched. */
  async #watch(key: Bytes): Promise<void> {
    const name = toHex(key);
    this.#links.get(name)?.link?.check();
    if (this.#isStopped || this.#links.has(name) || this.#links.size >= linksMax) return;
    const watched: { readonly key: Bytes; link: RelayLink | undefined } = { key, link: undefined };
    this.#links.set(name, watched);
    if (!this.#cancelLook) this.#lookLater();
    try {
      const target = { publicKey: key, addresses: [] };
      const stream = await this.#host.open(target, relayProtocol, { direct: true });
      if (this.#links.get(name) !== watched) {
        stream.abort(new AltNetError('ABORTED', {}));
        return;
      }
      const link = new RelayLink(stream, this.#world);
      watched.link = link;
      link.start();
      link.check();
      const how = await link.ended;
      if (how === 'silent') this.#host.drop(key, new Error('the relay is silent'));
    } catch {
      // Its connection is gone, and what led through it.
    } finally {
      if (this.#links.get(name) === watched) this.#links.delete(name);
    }
  }

  #lookLater(): void {
    this.#cancelLook = this.#world.timers.after(lookMs, () => {
      this.#cancelLook = undefined;
      this.#closeUnused();
      if (this.#links.size > 0) this.#lookLater();
    });
  }

  #closeUnused(): void {
    const used = this.#host.connections().filter(({ isRelayed }) => isRelayed);
    for (const [name, { key, link }] of this.#links) {
      const id = peerIdText(key);
      if (!link || used.some(({ address }) => address.includes(`/p2p/${id}/p2p-circuit`))) continue;
      this.#links.delete(name);
      void link.close();
    }
  }
}
