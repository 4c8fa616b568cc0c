/**
 * A node whose disk is full, first by its own work and then to the last byte: it must say so, stay
 * alive, go on serving, survive a kill, and work again once there is room. The disk is a small
 * tmpfs, so it takes Linux and root.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { NodeServices } from '../../src/api/ports.ts';
import { isAltNetError, systemCode } from '../../src/base/errors.ts';
import { RunningNode } from './running.ts';
import { type Digests, difference, digestsOf, writeSite } from './samples.ts';
import { type Bench, folderIn, type Scenario } from './scenario.ts';

const diskMiB = 48;
/** Taken away at the beginning, so that there is something to give back. */
const ballastBytes = 16 * 2 ** 20;
const siteBytes = 3_000_000;
/** More than is left free where a site was refused: sites and what the store needs besides vary. */
const otherBytes = 2 * siteBytes;
const sitesMax = 40;

interface Held {
  readonly root: string;
  readonly digests: Digests;
}

async function run(bench: Bench): Promise<void> {
  const disk = folderIn(bench, 'disk');
  const why = mountProblem(disk);
  if (why !== undefined) return bench.tally.skip(why);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => void execFileSync('umount', [disk]));
  await new DiskTrial(bench, disk, stack).run();
}

function mountProblem(folder: string): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'a disk to be filled needs Linux and root';
  }
  try {
    const words = ['-t', 'tmpfs', '-o', `size=${diskMiB}m,mode=700`, 'altnet-torture', folder];
    execFileSync('mount', words, { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'this kernel or container mounts no tmpfs';
  }
}

class DiskTrial {
  readonly #bench: Bench;
  readonly #disk: string;
  readonly #stack: AsyncDisposableStack;
  readonly #held: Held[] = []; // BOUNDED by sitesMax
  #count = 0;

  constructor(bench: Bench, disk: string, stack: AsyncDisposableStack) {
    this.#bench = bench;
    this.#disk = disk;
    this.#stack = stack;
  }

  async run(): Promise<void> {
    const { tally } = this.#bench;
    const steady = this.#start('steady', folderIn(this.#bench, 'steady'));
    const bootstrap = (await steady.ready()).listen;
    const other = await this.#publish(await steady.services(), otherBytes);
    const ballast = path.join(this.#disk, 'ballast');
    fill(ballast, ballastBytes);

    let node = this.#start('full', this.#data, bootstrap);
    await this.#fillByPublishing(await node.services());
    tally.fault('disk filled by publishing');
    await this.#requireRefused(await node.services(), other);
    await this.#serves(node, 'on a disk that publishing has filled');

    await node.kill();
    tally.fault('kill on a full disk');
    node = await this.#restart(node, bootstrap);
    await this.#serves(node, 'after a kill on a disk that publishing has filled');

    const rest = path.join(this.#disk, 'rest');
    fill(rest, Number.POSITIVE_INFINITY);
    tally.fault('disk filled to the last byte');
    await this.#serves(node, 'on a disk without a free byte');
    await node.kill();
    tally.fault('kill on a full disk');
    await this.#startWithoutSpace(bootstrap);

    rmSync(rest);
    rmSync(ballast);
    node = await this.#restart(node, bootstrap);
    await this.#serves(node, 'after space was made');
    this.#held.push(await this.#publish(await node.services()));
    await (await node.services()).fetch({ what: other.root, dest: this.#dest() });
    await this.#serves(node, 'after work on the space that was made');
    if ((await node.stop()) !== 0) this.#found('failure', 'did not end cleanly', 'at the end');
  }

  get #data(): string {
    return path.join(this.#disk, 'data');
  }

  #start(name: string, data: string, bootstrap?: string): RunningNode {
    const options = ['--store-budget', '1GiB', '--replicas', '0'];
    return this.#stack.use(RunningNode.start({ name, data, bootstrap, options }));
  }

  async #restart(node: RunningNode, bootstrap: string): Promise<RunningNode> {
    const begun = performance.now();
    const again = this.#start(node.plan.name, this.#data, bootstrap);
    await again.ready();
    this.#bench.tally.recovered(performance.now() - begun);
    return again;
  }

  async #fillByPublishing(services: NodeServices): Promise<void> {
    for (let i = 0; i < sitesMax; i++) {
      try {
        this.#held.push(await this.#publish(services));
      } catch (error) {
        if (isAltNetError(error, 'DISK_FULL')) return;
        throw error;
      }
    }
    throw new Error(`${sitesMax} sites did not fill a disk of ${diskMiB} MiB`);
  }

  async #publish(services: NodeServices, bytesMin = siteBytes): Promise<Held> {
    const folder = path.join(folderIn(this.#bench, 'sources'), `site-${this.#count++}`);
    const digests = writeSite(folder, this.#bench.random, { bytesMin });
    const { root } = await services.publish({ path: folder });
    this.#bench.tally.acknowledged('site');
    return { root, digests };
  }

  #dest(): string {
    return path.join(folderIn(this.#bench, 'fetched'), `${this.#count++}`);
  }

  async #requireRefused(services: NodeServices, other: Held): Promise<void> {
    try {
      await services.fetch({ what: other.root, dest: this.#dest() });
      this.#found('failure', 'fetched a site for which there is no room', 'on a full disk');
    } catch (error) {
      if (!isAltNetError(error, 'DISK_FULL')) {
        this.#found('failure', `a fetch said: ${String(error)}`, 'on a full disk');
      }
    }
  }

  /** Everything acknowledged can be read out of the node, which lives. */
  async #serves(node: RunningNode, where: string): Promise<void> {
    const services = await node.services();
    for (const { root, digests } of this.#held) {
      const dest = this.#dest();
      const problem = await services
        .fetch({ what: root, dest })
        .then(
          ({ peers }) => (peers > 0 ? 'fetched from others' : difference(digestsOf(dest), digests)),
          String,
        );
      rmSync(dest, { recursive: true, force: true });
      this.#bench.tally.checked();
      if (problem !== undefined) this.#found('loss', `site ${root}: ${problem}`, where);
    }
  }

  /** It may run or refuse to, and must say which; what it holds must not suffer. */
  async #startWithoutSpace(bootstrap: string): Promise<void> {
    const node = this.#start('no-space', this.#data, bootstrap);
    const { tally } = this.#bench;
    try {
      await node.ready();
      tally.note('Without a free byte on the disk a node starts and serves');
      await this.#serves(node, 'started without a free byte');
      await node.kill();
    } catch {
      await node.exited();
      tally.note('Without a free byte on the disk a node refuses to start, with DISK_FULL');
      if (node.ending === 1 && /no space left|DISK_FULL/.test(node.log)) return;
      const what = `start ended with ${node.ending}: ${node.log.slice(-1000)}`;
      this.#found('failure', what, 'without a free byte');
    }
  }

  #found(kind: 'loss' | 'failure', what: string, where: string): void {
    this.#bench.tally.found({ kind, what, where });
  }
}

/** Writes until the disk is full or the file has so many bytes. */
function fill(file: string, bytesMax: number): void {
  const piece = Buffer.alloc(64 * 1024);
  const fd = openSync(file, 'w');
  try {
    for (let bytes = 0; bytes < bytesMax;) bytes += writeSync(fd, piece);
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(fd);
  }
}

export const disk: Scenario = {
  name: 'disk',
  title: 'a disk that is full, by the node itself and to the last byte; kill -9 on it',
  run,
};
