import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { sourcesEnv } from '../../test/support/compile-cache.ts';
import { openTestStore } from '../../test/support/store-folder.ts';
import { childBlock, childRecord } from '../../test/support/store-samples.ts';
import { equalBytes, toHex } from '../base/bytes.ts';
import type { Store } from './store.ts';

const rounds = 8;
const program = path.resolve(import.meta.dirname, '../../test/support/store-child.ts');

test('a store that is killed while it writes loses nothing that it acknowledged', async (t) => {
  const folder = temporaryFolder(t);
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round++) {
    acknowledged.push(...(await writeAndKill(folder, round)));
    await using store = await openTestStore(folder);
    for (const line of acknowledged) assertPresent(store, line);
    assertCountsExact(store, acknowledged);
  }
  assert.ok(acknowledged.length > rounds * 10, `only ${acknowledged.length} acknowledgements`);
});

/** What a writer acknowledged until it was killed, at another point of its work in each round. */
async function writeAndKill(folder: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder, 'write', String(round)], {
    env: sourcesEnv,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const killAt = 5 + ((round * 37) % 200);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'ready') lines.push(line);
    if (lines.length === killAt) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL', 'the writer ended by itself');
  return lines;
}

function assertPresent(store: Store, line: string): void {
  const [kind, name = ''] = line.split(' ');
  if (kind === 'block') {
    const { hash, bytes } = childBlock(name);
    assert.ok(equalBytes(store.blocks.get(hash) ?? new Uint8Array(), bytes), line);
  } else {
    const { stored } = childRecord(name);
    const [found] = store.records.list(stored.record.key);
    assert.ok(found && equalBytes(found.record.bytes, stored.record.bytes), line);
  }
}

/** Blocks that were written but not acknowledged any more may be there too: they count. */
function assertCountsExact(store: Store, acknowledged: readonly string[]): void {
  const held = new Map<string, number>();
  const acknowledgedLanes = acknowledged.filter((line) => line.startsWith('block '));
  for (const line of acknowledgedLanes) {
    const { hash, bytes } = childBlock(line.slice('block '.length));
    held.set(toHex(hash), bytes.length);
  }
  for (let round = 0; round < rounds; round++) {
    for (const lane of [0, 1]) {
      const prefix = `block ${round}/${lane}/`;
      const done = acknowledgedLanes.filter((line) => line.startsWith(prefix)).length / 4;
      // What a writer said last may never have come out of its pipe.
      for (let i = Math.floor(done), hasMore = true; hasMore; i++) {
        hasMore = false;
        for (const j of [0, 1, 2, 3]) {
          const { hash, bytes } = childBlock(`${round}/${lane}/${i}/${j}`);
          if (!store.blocks.has(hash)) continue;
          held.set(toHex(hash), bytes.length);
          hasMore = true;
        }
      }
    }
  }
  const bytes = [...held.values()].reduce((sum, size) => sum + size, 0);
  assert.deepEqual(store.blocks.stats(), { blocks: held.size, bytes });
}
