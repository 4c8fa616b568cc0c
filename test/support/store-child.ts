/**
 * A process that a test kills: `store-child.ts FOLDER wait` opens the store and waits;
 * `… write ROUND` writes blocks and records without end and prints a line for each
 * acknowledgement, so that the test knows what must still be there.
 */
import process from 'node:process';
import { systemWorld } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openStore } from '../../src/store/store.ts';
import { childBlock, childRecord, childRoot } from './store-samples.ts';

const [, , folder = '', mode, round = '0'] = process.argv;
const store = await openStore({ folder, world: systemWorld, log: silentLogger });
const writing =
  mode === 'write' ? await store.holdings.open({ kind: 'visited', root: childRoot }) : undefined;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say('ready');
if (mode === 'wait') setInterval(() => undefined, 60_000);

async function writeBlocks(lane: number): Promise<never> {
  for (let i = 0; ; i++) {
    const names = [0, 1, 2, 3].map((j) => `${round}/${lane}/${i}/${j}`);
    await writing?.putAll(names.map(childBlock));
    for (const name of names) say(`block ${name}`);
  }
}

async function writeRecords(): Promise<never> {
  for (let i = 0; ; i++) {
    const name = `${round}/${i}`;
    const { slot, stored } = childRecord(name);
    await store.records.put(slot, stored);
    say(`record ${name}`);
  }
}

if (mode === 'write') await Promise.all([writeBlocks(0), writeBlocks(1), writeRecords()]);
