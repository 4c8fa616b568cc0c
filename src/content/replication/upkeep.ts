/**
 * Keeps up the number of copies: looks at intervals who still holds what this node keeps, and makes
 * new copies when there are too few. Of several holders the one nearest to the root goes first; the
 * others look again a little later, when there is mostly nothing left to do.
 */
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { compareDistance } from '../../dht/distance.ts';
import { repeat } from '../../dht/loops.ts';
import { keyId } from '../../identity/key.ts';
import { providerKey } from '../../record/provider.ts';
import type { Background } from '../background.ts';
import type { Connections, HeldRoot, Holdings } from '../ports.ts';
import type { ProviderContact } from '../fetching/providers.ts';
import { hashKey, multihashOf } from '../dag/root.ts';
import { type CopiesHealth, Looks } from './looks.ts';
import type { Recruiter } from './recruit.ts';
import { Rota, type Turn } from './rota.ts';
import type { Findings, Survey } from './survey.ts';

export interface UpkeepDeps {
  readonly holdings: Holdings;
  readonly connections: Pick<Connections, 'addresses'>;
  readonly survey: Survey;
  readonly recruiter: Recruiter;
  readonly background: Background;
  readonly world: World;
  readonly log: Logger;
  /** This node's own key. */
  readonly self: Bytes;
}

export interface UpkeepOptions {
  /** Full copies besides the publisher's. */
  readonly replicas: number;
  /** Each root is looked at at least so often. */
  readonly intervalMs: number;
}

/** Looked at together, so that a node that holds many of them is asked once. */
const rootsPerRound = 64;
/** Roots for which holders are being sought at the same time. */
const recruitingMax = 4;
/** A wall clock that gains so much on the other one means that this machine was asleep. */
const asleepMs = 60_000;

export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #options: UpkeepOptions;
  readonly #rota: Rota;
  readonly #looks: Looks;
  readonly #stopping = new AbortController();
  #recruiting = 0;
  #alone = false;
  #awakeMs: number;
  #loop: Promise<void> | undefined;

  constructor(deps: UpkeepDeps, options: UpkeepOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#rota = new Rota(deps.world, options.intervalMs);
    this.#looks = new Looks(deps.world.clock, options.replicas);
    this.#awakeMs = this.#gapMs();
    deps.holdings.onRemoved(({ hash }) => this.#looks.forget(hash));
  }

  start(): void {
    const { world, log } = this.#deps;
    const { intervalMs } = this.#options;
    const everyMs = Math.min(Math.max(intervalMs / 20, 100), 30_000);
    const context = { timers: world.timers, log, signal: this.#stopping.signal };
    const delayMs = (): number => everyMs * (0.75 + 0.5 * world.random.fraction());
    const run = (signal: AbortSignal): Promise<void> => this.#round(signal);
    this.#loop ??= repeat({ name: 'look after copies', delayMs, run }, context);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loop;
  }

  /** This node is back, or elsewhere: everything is looked at soon. */
  hasten(): void {
    this.#rota.hasten();
  }

  /** Copies were made, or tried to be made, of an own root. */
  published(hash: Bytes, copies: number): void {
    this.#looks.saw(hash, copies);
  }

  /** Of what is held at this moment. */
  health(): CopiesHealth {
    const { holdings } = this.#deps;
    return this.#looks.health((hash) => {
      const root = holdings.get(hash);
      return root !== undefined && root.kind === 'own' && isKept(root);
    });
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { holdings, connections, survey } = this.#deps;
    this.#noticeSleep();
    // Who cannot be connected to is here for a moment only, and no holder to anybody.
    if (connections.addresses().length === 0) return;
    const kept = [...holdings.list()].filter(isKept);
    this.#looks.keep(kept);
    const due = this.#rota.follow(kept, rootsPerRound);
    if (due.length === 0) return;
    const found = await survey.of(due, signal);
    for (const root of due) {
      const findings = found.get(hashKey(root.hash)) ?? { held: [], superseded: [] };
      await this.#judge(root, findings, signal);
    }
  }

  async #judge(root: HeldRoot, findings: Findings, signal: AbortSignal): Promise<void> {
    const turn = this.#rota.of(root);
    if (await this.#isSuperseded(root, findings)) return this.#rota.later(turn);
    const { replicas } = this.#options;
    // Those that will drop it hold it still: nobody replaces them before they do.
    const claimed = [...findings.held, ...findings.superseded];
    const others = await this.#deps.survey.checked(root, claimed, signal);
    const missing = replicas - others.length - (root.kind === 'replica' ? 1 : 0);
    if (root.kind === 'own') this.#looks.saw(root.hash, others.length);
    if (others.length > 0) this.#isBack();
    if (missing <= 0) return this.#rota.later(turn);
    const nearer = turn.waited ? 0 : this.#countNearer(root, others);
    if (nearer > 0) return this.#rota.afterOthers(turn, nearer);
    if (this.#recruiting >= recruitingMax) return this.#rota.soon(turn);
    this.#recruiting++;
    turn.busy = true;
    const work = this.#recruit(root, { turn, others, missing }).finally(() => {
      this.#recruiting--;
      turn.busy = false;
    });
    this.#deps.background.add(work);
  }

  async #recruit(
    root: HeldRoot,
    { turn, others, missing }: { turn: Turn; others: readonly ProviderContact[]; missing: number },
  ): Promise<void> {
    const { recruiter, log } = this.#deps;
    this.#rota.later(turn);
    const except = new Set(others.map(({ publicKey }) => toHex(publicKey)));
    const { signal } = this.#stopping;
    const job = { link: root, files: root.files, wanted: missing, except, signal };
    const { replicas, alone } = await recruiter.recruit(job);
    if (alone && others.length === 0) {
      this.#alone = true;
      return this.#rota.soon(turn);
    }
    this.#isBack();
    if (root.kind === 'own') this.#looks.saw(root.hash, others.length + replicas);
    log.debug('copies were made again', { missing, replicas });
  }

  /** The peer that this copy was made for says that a newer version stands in its place. */
  async #isSuperseded(root: HeldRoot, { superseded }: Findings): Promise<boolean> {
    const { holdings, world } = this.#deps;
    const { from, kind } = root;
    if (kind !== 'replica' || !from) return false;
    if (!superseded.some(({ publicKey }) => equalBytes(publicKey, from))) return false;
    await holdings.change(root.hash, { supersededMs: world.clock.unixMs() });
    return true;
  }

  #countNearer({ hash }: HeldRoot, others: readonly ProviderContact[]): number {
    const key = providerKey(multihashOf({ codec: 'raw', hash }));
    const self = keyId(this.#deps.self);
    const isNearer = ({ publicKey }: ProviderContact): boolean =>
      compareDistance(key, keyId(publicKey), self) < 0;
    return others.filter(isNearer).length;
  }

  #isBack(): void {
    if (this.#alone) this.hasten();
    this.#alone = false;
  }

  #noticeSleep(): void {
    const gapMs = this.#gapMs();
    if (gapMs - this.#awakeMs > asleepMs) this.hasten();
    this.#awakeMs = gapMs;
  }

  #gapMs(): number {
    const { clock } = this.#deps.world;
    return clock.unixMs() - clock.monotonicMs();
  }
}

/** What counts as one of the copies, and is still wanted. */
function isKept({ kind, complete, supersededMs }: HeldRoot): boolean {
  return complete && kind !== 'visited' && supersededMs === undefined;
}
