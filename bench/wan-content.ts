/**
 * Sites over a wide-area network: node processes on emulated hosts, every pair with a round trip of
 * 80 ms, every host on a line of 50 Mbit/s. How long a page takes to begin, how much of its line a
 * reader fills, and what a seek in a video costs. The limits are plain TCP over the same lines in
 * the same run.
 *
 * Environment: ALTNET_WAN, the emulator (see wan-hosts.ts).
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { bundled } from './bundled.ts';
import { type BenchRow, NotRun } from './row.ts';
import { inFolder } from './turns.ts';
import type { ContentCommand } from './wan-content-node.ts';
import { rowsOf, WanTally } from './wan-content-rows.ts';
import { findEmulator, type WanAnswerBody, type WanHost, WanNetwork } from './wan-hosts.ts';

type Host = WanHost<ContentCommand>;

const rttMs = 80;
const lineMegabits = 50;
const slowUplinkMegabits = 15;
const hosts = 16;
const providersWanted = 4;
const browsingWanted = 4;
const fetchingWanted = 3;
/**
 * Those who read. In a network this small a server holds every record itself, and would have to look
 * for nothing.
 */
const guests: number = browsingWanted + fetchingWanted;
const megabyte = 1_000_000;
const siteBytes = 20 * megabyte;
const siteFiles = 20;
const videoBytes = 1000 * megabyte;
const rangeBytes = megabyte;
const pageBytes = 10_000;
/** What a player may be given besides what it asked for. */
const aheadBytesMax = 8 * megabyte;
/** How long after a seek bytes still count as its own. */
const afterSeekMs = 10_000;
/** A node closes a connection on which nothing happens for a minute; more than that is a fault. */
const untilClosedMs = 150_000;

export async function benchWanContent(): Promise<BenchRow[]> {
  const emulator = await findEmulator();
  if ('why' in emulator) throw new NotRun(emulator.why);
  const line = `${lineMegabits}mbit`;
  return inFolder(async (folder) => {
    const script = await bundled('wan-content-node.ts');
    const plan = { hosts, guests, rttMs, seed: 1, flat: true, line, script };
    await using network = new WanNetwork<ContentCommand>(emulator.program, plan);
    await network.start();
    const scenarios = new Scenarios(network, folder);
    await scenarios.run();
    const lines = { rttMs, lineMegabits, slowUplinkMegabits, providers: providersWanted };
    return rowsOf(scenarios.tally, lines, { bytes: rangeBytes, aheadBytesMax });
  });
}

class Scenarios {
  readonly tally = new WanTally();
  readonly #network: WanNetwork<ContentCommand>;
  readonly #folder: string;
  readonly #providers: readonly Host[];
  readonly #namer: Host | undefined;
  readonly #browsing: readonly Host[];
  readonly #fetching: readonly Host[];
  #sites = 0;

  constructor(network: WanNetwork<ContentCommand>, folder: string) {
    this.#network = network;
    this.#folder = folder;
    const all = network.hosts.toSorted((a, b) => a.index - b.index);
    const servers = all.slice(0, -guests);
    this.#providers = servers.slice(1, 1 + providersWanted);
    this.#namer = servers.at(-1);
    this.#browsing = all.slice(-guests, -fetchingWanted);
    this.#fetching = all.slice(-fetchingWanted);
  }

  /** Some pages come last: their connections must grow old in between. */
  async run(): Promise<void> {
    const closed = await this.#pages();
    await this.#names();
    await this.#downloads();
    await this.#seek();
    await this.#untilClosed();
    for (const { reader, root } of closed) {
      await this.#page('known, connection closed', reader, root);
    }
    await this.#peaks();
  }

  async #untilClosed(): Promise<void> {
    const untilMs = performance.now() + untilClosedMs;
    for (const reader of this.#browsing) {
      while ((await this.#ask(reader, { do: 'connections' })).count > 0) {
        if (performance.now() > untilMs) throw new Error('a connection does not close');
        await delay(1000);
      }
    }
  }

  /** Each reader meets each provider; the sites to be opened when the connections are closed. */
  async #pages(): Promise<{ reader: Host; root: string }[]> {
    const later: { reader: Host; root: string }[] = [];
    for (const provider of this.#providers) {
      for (const reader of this.#browsing) {
        const [cold, warm, closed] = await this.#publishSites(provider, 3);
        if (!cold || !warm || !closed) continue;
        await this.#page('cold', reader, cold);
        await this.#page('known, connection open', reader, warm);
        later.push({ reader, root: closed });
        this.tally.note('plain TCP request', await this.#tcp(reader, pageBytes, [provider]));
      }
    }
    return later;
  }

  /** A name that nobody has heard of, at a provider that this reader has not met. */
  async #names(): Promise<void> {
    const provider = this.#namer;
    if (!provider) return;
    for (const [i, reader] of this.#browsing.entries()) {
      const name = `bench-${i}`;
      await this.#ask(provider, { do: 'publish', path: await this.#writeSite(), name });
      await this.#page('cold, by name', reader, name);
    }
  }

  async #page(figure: string, reader: Host, host: string): Promise<void> {
    this.tally.note(figure, await this.#ask(reader, { do: 'page', host, path: '/' }));
    await delay(1000); // the rest of the site follows in the background
  }

  /** Every site is another one: who fetched a site provides it from then on. */
  async #downloads(): Promise<void> {
    const [first] = this.#providers;
    if (!first) return;
    for (const reader of this.#fetching.slice(0, -1)) {
      process.stderr.write('bench: wan-content, downloads\n');
      for (const from of [[first], this.#providers]) await this.#download('', reader, from);
      await this.#network.setUplink(this.#providers, `${slowUplinkMegabits}mbit`);
      await this.#download(', slow uplinks', reader, this.#providers);
      await this.#network.setUplink(this.#providers, `${lineMegabits}mbit`);
    }
  }

  async #download(scenario: string, reader: Host, from: readonly Host[]): Promise<void> {
    const site = await this.#writeLargeSite();
    const roots = await Promise.all(
      from.map((host) => this.#ask(host, { do: 'publish', path: site })),
    );
    const what = roots[0]?.root ?? '';
    await delay(1000);
    const figure = `from ${from.length}${scenario}`;
    const dest = path.join(this.#folder, `fetched-${++this.#sites}`);
    const fetched = await this.#ask(reader, { do: 'fetch', what, dest });
    this.tally.note(`site ${figure}`, fetched);
    this.tally.note(`TCP ${figure}`, await this.#tcp(reader, siteBytes, from));
  }

  async #seek(): Promise<void> {
    const [provider] = this.#providers;
    const reader = this.#fetching.at(-1);
    if (!provider || !reader) return;
    process.stderr.write('bench: wan-content, seek\n');
    const { root = '' } = await this.#ask(provider, {
      do: 'publish',
      path: await this.#writeVideo(),
    });
    const before = await this.#network.received(reader);
    const from = videoBytes / 2;
    const range = [from, from + rangeBytes - 1] as const;
    const sought = await this.#ask(reader, { do: 'page', host: root, path: '/video.mp4', range });
    this.tally.note('seek', sought);
    const atEnd = await this.#network.received(reader);
    await delay(afterSeekMs);
    const later = await this.#network.received(reader);
    this.tally.note('bytes until the end of a seek', { doneMs: 0, count: atEnd - before });
    this.tally.note('bytes some time after a seek', { doneMs: 0, count: later - before });
    this.tally.note('TCP seek', await this.#tcp(reader, rangeBytes, [provider]));
  }

  async #peaks(): Promise<void> {
    for (const host of this.#network.hosts) {
      this.tally.note('peak', await this.#ask(host, { do: 'peak' }));
    }
  }

  #tcp(reader: Host, bytes: number, from: readonly Host[]): Promise<WanAnswerBody> {
    return this.#ask(reader, { do: 'tcp', bytes, from: from.map(({ ip }) => ip) });
  }

  async #publishSites(provider: Host, count: number): Promise<string[]> {
    const roots: string[] = [];
    for (let i = 0; i < count; i++) {
      const site = await this.#writeSite();
      const { root } = await this.#ask(provider, { do: 'publish', path: site });
      if (root !== undefined) roots.push(root);
    }
    return roots;
  }

  async #ask(host: Host, command: ContentCommand): Promise<WanAnswerBody> {
    const answer = await host.ask(command);
    if ('error' in answer) throw new Error(`host ${host.index}, ${command.do}: ${answer.error}`);
    return answer;
  }

  /** A page with what belongs to it. */
  async #writeSite(): Promise<string> {
    const site = path.join(this.#folder, `site-${++this.#sites}`);
    await mkdir(site);
    for (const name of ['index.html', 'style.css', 'script.js', 'image.png']) {
      await writeFile(path.join(site, name), randomBytes(pageBytes));
    }
    return site;
  }

  async #writeLargeSite(): Promise<string> {
    const site = path.join(this.#folder, `site-${++this.#sites}`);
    await mkdir(site);
    for (let i = 0; i < siteFiles; i++) {
      await writeFile(path.join(site, `${i}.bin`), randomBytes(siteBytes / siteFiles));
    }
    return site;
  }

  async #writeVideo(): Promise<string> {
    const site = path.join(this.#folder, `site-${++this.#sites}`);
    await mkdir(site);
    await writeFile(path.join(site, 'index.html'), '<video src="video.mp4" controls></video>');
    await using video = await open(path.join(site, 'video.mp4'), 'w');
    for (let done = 0; done < videoBytes; done += 4 * megabyte) {
      await video.write(randomBytes(4 * megabyte));
    }
    return site;
  }
}
