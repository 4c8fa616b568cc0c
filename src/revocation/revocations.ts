/**
 * Signed revocation as the rest of the program uses it: the lists of trusted revokers are followed,
 * this node's own is written, and what is new is passed on. It puts the parts of this folder
 * together. What follows from a revocation on this node, those decide who ask `lists`.
 */
import { withDeadline } from '../base/abort.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { Background } from '../content/background.ts';
import { repeat } from '../dht/loops.ts';
import type { RecordReader } from '../record/acceptance.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { NetworkProfile } from '../record/network.ts';
import type { Revocation } from '../record/revocations.ts';
import type { Signer } from '../record/stamp.ts';
import { type AnnounceConnections, AnnounceStreams } from './announce-streams.ts';
import { CatchUp, type CatchUpOptions } from './catch-up.ts';
import { type Freshness, freshnessOf, stateOf } from './freshness.ts';
import { Intake, type TakenRecord } from './intake.ts';
import { ListFetch } from './list-fetch.ts';
import type { RevokerLists } from './lists.ts';
import { OwnList, type Revoked } from './own-list.ts';
import { PassOn } from './pass-on.ts';
import type { ListClock, ListFiles, ListNetwork, ListPublisher } from './ports.ts';
import type { RevokerList } from './revoker-list.ts';
import { StateWatch } from './state-watch.ts';

export interface RevocationsDeps {
  /** Started before: what it knows is in force before the node serves anybody. */
  readonly lists: RevokerLists;
  readonly network: ListNetwork;
  readonly publisher: ListPublisher;
  readonly files: ListFiles;
  /** Left out: nobody is told over connections. */
  readonly connections?: AnnounceConnections | undefined;
  /** The author key, and the network's ID. */
  readonly signer: Signer;
  readonly profile: NetworkProfile;
  readonly clock: ListClock;
  readonly world: World;
  readonly reader?: RecordReader | undefined;
  readonly log: Logger;
}

const stateLookMs = 60_000;
/** So long the first revocation waits for what this author may have revoked elsewhere. */
const recallMs = 5000;

export class Revocations implements AsyncDisposable {
  readonly #deps: RevocationsDeps;
  readonly #intake: Intake;
  readonly #own: OwnList;
  readonly #catchUp: CatchUp;
  readonly #fetch: ListFetch;
  readonly #streams: AnnounceStreams | undefined;
  readonly #passOn: PassOn;
  readonly #watch: StateWatch;
  readonly #background: Background;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #stopListening: (() => void) | undefined;

  constructor(deps: RevocationsDeps, options: Partial<CatchUpOptions> = {}) {
    this.#deps = deps;
    const { connections, network, world, signer, log } = deps;
    this.#background = new Background(log);
    this.#watch = new StateWatch(log);
    this.#streams =
      connections &&
      new AnnounceStreams(connections, world, (record, from) => this.announced(record, from));
    const { signal } = this.#stopping;
    const passing = { network, streams: this.#streams, background: this.#background, signal };
    this.#passOn = new PassOn(passing);
    this.#intake = new Intake({ ...deps, network: signer.network }, (taken) =>
      this.#onTaken(taken),
    );
    const intake = this.#intake;
    this.#own = new OwnList({ ...deps, intake, onSigned: (signed) => this.#passOn.pass(signed) });
    const isStale = (list: RevokerList): boolean => stateOf(list, this.#now()) === 'stale';
    this.#catchUp = new CatchUp({ ...deps, intake, isStale }, options);
    this.#fetch = new ListFetch({ ...deps, intake });
  }

  async start(): Promise<void> {
    const { lists, world, log } = this.#deps;
    const { signal } = this.#stopping;
    this.#stopListening ??= lists.onRevokers(() => this.wake());
    await this.#streams?.start();
    this.#own.start();
    this.#catchUp.start();
    this.#fetch.start();
    const look = { name: 'look at revocations', delayMs: () => stateLookMs };
    const run = async (): Promise<void> => this.#watch.look(lists.all(), this.#now());
    this.#loop ??= repeat({ ...look, run }, { timers: world.timers, log, signal });
  }

  /** Idempotent. What is in force stays so. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    this.#stopListening?.();
    this.#intake.stop();
    await Promise.all([this.#own.stop(), this.#catchUp.stop(), this.#fetch.stop(), this.#loop]);
    await this.#background.settled();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Somebody sent this unasked; `from` is its node ID. Never throws. */
  announced(record: Bytes, from: Bytes): void {
    this.#background.add(this.#intake.offer(record, 'announced', [from]));
  }

  /** The machine slept, its clock jumped, or its network is another one. */
  wake(): void {
    this.#catchUp.wake();
  }

  /**
   * Revokes, or takes back, in the name of this node's author. In force here when it resolves.
   * Rejects with DISK_FULL or BAD_ARGUMENT; that nobody can be told yet is no failure.
   */
  async revoke(
    entries: readonly Revocation[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Revoked> {
    const { lists } = this.#deps;
    const own = await lists.openOwn();
    if (!own.record && own.count === 0) await this.#recallOwn(signal);
    return this.#own.revoke(entries, signal);
  }

  freshness(): Freshness {
    const now = this.#now();
    return {
      ...this.#intake.counts,
      lists: this.#deps.lists.all().map((list) => freshnessOf(list, now)),
      ...this.#passOn.counts,
      rounds: this.#catchUp.rounds,
    };
  }

  #now(): number {
    return Math.floor(this.#deps.clock.unixMs() / 1000);
  }

  /** The key may have been used on another machine, or this one lost its folder. */
  async #recallOwn(signal: AbortSignal | undefined): Promise<void> {
    const { network, signer, world, log } = this.#deps;
    if (network.table.size === 0) return;
    const { publicKey } = signer.key;
    const limits = { timers: world.timers, ms: recallMs, what: 'the list of this author', signal };
    try {
      await withDeadline(limits, (inTime) => this.#catchUp.ask(publicKey, inTime));
    } catch (error) {
      signal?.throwIfAborted();
      log.debug('an earlier list of this author was not looked for', { why: reasonOf(error) });
    }
  }

  #onTaken(taken: TakenRecord): void {
    const { signer } = this.#deps;
    const { list, record, way } = taken;
    if (list.isLacking) this.#fetch.wake();
    else this.#background.add(this.#compare(list, record));
    const isOwn = equalBytes(list.revoker, signer.key.publicKey);
    if (isOwn) this.#background.add(this.#own.reclaim(list));
    // Who asked is not the first to know: others ask as well.
    if (way === 'announced') this.#passOn.pass(taken);
  }

  /** What a record shows continues what is known; only the root tells whether that is unchanged. */
  async #compare(list: RevokerList, record: SignedRecord): Promise<void> {
    const { files } = this.#deps;
    const root = list.body?.list;
    if (!root || root.equals(await files.rootOf(list.entries()))) return;
    await this.#intake.inTurn(list.revoker, () => list.doubt(record));
    this.#fetch.wake();
  }
}
