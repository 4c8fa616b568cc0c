/**
 * Links over a wide-area network: node processes on emulated hosts with a median round trip of
 * 80 ms put and find links, while nothing is wrong, while packets get lost, after a third of the
 * hosts vanished, and long after a publisher left. Each figure stands beside what OpenDHT took on
 * the same emulator with the same hosts and seeds.
 *
 * Environment: ALTNET_WAN, the emulator (see wan-hosts.ts); ALTNET_WAN_SEEDS, "1,2";
 * ALTNET_WAN_AWAY_MINUTES, how long the publisher is gone: "1" for daily use, "20" to see that
 * values stay.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchRow, NotRun, row } from './row.ts';
import { findEmulator, type WanAnswer, type WanHost, WanNetwork } from './wan-hosts.ts';

const hosts = 64;
const rttMs = 80;
const operations = 100;
const vanishingShare = 0.3;
const lossShare = 0.01;
/** Commands at a time while hosts are missing: all shall be given right after they vanished. */
const hurriedMax = 4;

/** p50 and p90, milliseconds. */
type Pair = readonly [number, number];

/** What OpenDHT gave. */
const openDht: Readonly<Record<string, Pair>> = {
  'put done': [353, 494],
  'get first value': [100, 190],
  'get complete': [399, 568],
  '30 % vanished: get first value': [126, 248],
  '30 % vanished: get complete': [1454, 2387],
  '30 % vanished: put done': [1394, 2507],
  '1 % loss: put done': [391, 1511],
  '1 % loss: get complete': [437, 1185],
};

interface Tally {
  /** By the name of the figure. */
  readonly figures: Map<string, number[]>;
  /** By scenario: values that should have been found, or stored, and were not. */
  readonly missed: Map<string, number>;
}

export async function benchWan(): Promise<BenchRow[]> {
  const emulator = await findEmulator();
  if ('why' in emulator) throw new NotRun(emulator.why);
  const tally: Tally = { figures: new Map(), missed: new Map() };
  for (const seed of (process.env['ALTNET_WAN_SEEDS'] ?? '1,2').split(',').map(Number)) {
    process.stderr.write(`bench: wan, seed ${seed}\n`);
    await using network = new WanNetwork(emulator.program, { hosts, rttMs, seed });
    await network.start();
    await new Scenarios(network, { tally, seed }).run();
  }
  return rowsOf(tally);
}

interface Put {
  readonly url: string;
  readonly target: string;
}

class Scenarios {
  readonly #network: WanNetwork;
  readonly #tally: Tally;
  readonly #fraction: () => number;
  #puts = 0;

  constructor(network: WanNetwork, { tally, seed }: { tally: Tally; seed: number }) {
    this.#network = network;
    this.#tally = tally;
    this.#fraction = fractionsOf(seed);
  }

  async run(): Promise<void> {
    const before = await this.#putMany('', { atOnce: 1 });
    await this.#getMany('', before, { atOnce: 1 });
    await this.#network.setLoss(lossShare);
    const lossy = await this.#putMany('1 % loss: ', { atOnce: 1 });
    await this.#getMany('1 % loss: ', lossy, { atOnce: 1 });
    await this.#network.setLoss(0);
    await this.#leave();
    await this.#vanish(before);
  }

  /** One host puts values and is gone; the others still find them. */
  async #leave(): Promise<void> {
    const minutes = Number(process.env['ALTNET_WAN_AWAY_MINUTES'] ?? '1');
    const publisher = this.#host();
    const puts = await this.#putMany('', { atOnce: 1, publisher, measured: false });
    await this.#network.vanish([publisher]);
    process.stderr.write(`bench: the publisher is away for ${minutes} min\n`);
    await delay(minutes * 60_000);
    await this.#getMany(`publisher away ${minutes} min: `, puts, { atOnce: 1 });
  }

  async #vanish(before: readonly Put[]): Promise<void> {
    const all = this.#shuffled(this.#network.hosts);
    await this.#network.vanish(all.slice(0, Math.round(hosts * vanishingShare)));
    await this.#getMany('30 % vanished: ', before, { atOnce: hurriedMax });
    await this.#putMany('30 % vanished: ', { atOnce: hurriedMax });
  }

  async #putMany(
    scenario: string,
    {
      atOnce,
      publisher,
      measured = true,
    }: { atOnce: number; publisher?: WanHost; measured?: boolean },
  ): Promise<readonly Put[]> {
    const puts = Array.from({ length: operations }, () => {
      const url = `http://dead.example/${++this.#puts}`;
      return { url, target: `https://mirror.example/${this.#puts}` };
    });
    await forEachAtOnce(puts, atOnce, async (put) => {
      const answer = await (publisher ?? this.#host()).ask({ do: 'put', ...put });
      this.#noteMissed(scenario, answer);
      if (measured && 'doneMs' in answer) this.#note(`${scenario}put done`, answer.doneMs);
    });
    return puts;
  }

  async #getMany(
    scenario: string,
    puts: readonly Put[],
    { atOnce }: { atOnce: number },
  ): Promise<void> {
    await forEachAtOnce(puts, atOnce, async ({ url }) => {
      const answer = await this.#host().ask({ do: 'get', url });
      this.#noteMissed(scenario, answer);
      if (!('doneMs' in answer)) return;
      if (answer.firstMs !== undefined) this.#note(`${scenario}get first value`, answer.firstMs);
      this.#note(`${scenario}get complete`, answer.doneMs);
    });
  }

  #note(figure: string, ms: number): void {
    const values = this.#tally.figures.get(figure) ?? [];
    values.push(ms);
    this.#tally.figures.set(figure, values);
  }

  #noteMissed(scenario: string, answer: WanAnswer): void {
    const missed = 'error' in answer || answer.count === 0 ? 1 : 0;
    this.#tally.missed.set(scenario, (this.#tally.missed.get(scenario) ?? 0) + missed);
    if ('error' in answer) process.stderr.write(`bench: ${scenario}${answer.error}\n`);
  }

  #host(): WanHost {
    const [host] = this.#shuffled(this.#network.hosts);
    if (!host) throw new Error('no host is left');
    return host;
  }

  #shuffled(list: readonly WanHost[]): readonly WanHost[] {
    return list
      .map((host) => ({ host, at: this.#fraction() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ host }) => host);
  }
}

async function forEachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** The same choice of hosts for the same seed (mulberry32). */
function fractionsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

function rowsOf({ figures, missed }: Tally): BenchRow[] {
  const times = [...figures].flatMap(([name, values]) =>
    [50, 90].map((percent, i) => {
      const value = percentile(values, percent / 100);
      const theirs = openDht[name]?.[i];
      const common = { name: `wan ${name}, p${percent}`, value, unit: 'ms', lowerIsBetter: true };
      return theirs === undefined
        ? row({ ...common, limit: { name: 'median round trip', value: rttMs } })
        : row({ ...common, limit: { name: 'OpenDHT', value: theirs }, goal: theirs });
    }),
  );
  const gaps = [...missed].map(([scenario, value]) =>
    row({
      name: `wan ${scenario}missed`,
      value,
      unit: 'values',
      limit: { name: 'none', value: 0 },
      goal: 0,
      lowerIsBetter: true,
    }),
  );
  return [...times, ...gaps];
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
