/**
 * What a node's part in the DHT costs: the CPU of a lookup, of putting and of getting a link, on a
 * network of 40 nodes over real sockets, beside that of the same number of sealed requests alone;
 * and the memory of what it holds, beside the octets that this says.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Contact } from '../src/identity/contact.ts';
import type { ClientCost, ClientTask, StartClient } from './dht-client.ts';
import type { MemoryCost, MemoryTask } from './dht-memory.ts';
import type { MeetOthers, StartedServers, StartServers } from './dht-servers.ts';
import { Forked } from './forked.ts';
import { type BenchRow, row } from './row.ts';

const serverProcesses = 4;
const serversEach = 10;
/** Of a lookup: k. */
const nearest = 20;
const rounds = 3;
const times = { lookup: 200, put: 100, get: 100, sealed: 4000 } as const;
const entries = 10_000;

type Work = ClientTask['do'];
type Client = Forked<StartClient | ClientTask, ClientCost>;

/** CPU milliseconds and requests of one of its kind. */
interface UnitCost {
  readonly cpuMs: number;
  readonly requests: number;
}

export async function benchLookups(): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const data = await temporaryFolder(stack);
  const servers = await startServers(stack);
  const client: Client = stack.use(new Forked('dht-client.ts'));
  await client.ask({ data, servers });
  const costs = await measure(client);
  const alone = costs.sealed.cpuMs;
  return [
    ...lookupRows(costs.lookup, alone),
    cpuRow('put a link', costs.put, alone),
    cpuRow('get a link', costs.get, alone),
  ];
}

const works: readonly Work[] = ['lookup', 'put', 'get', 'sealed'];

/** Medians; the kinds of work take turns, so that a slow spell of the machine meets all. */
async function measure(client: Client): Promise<Record<Work, UnitCost>> {
  const costs: Record<Work, UnitCost[]> = { lookup: [], put: [], get: [], sealed: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const what of works) {
      const { cpuMs, requests } = await client.ask({ do: what, times: times[what] });
      if (round === 0) continue; // warms up
      costs[what].push({ cpuMs: cpuMs / times[what], requests: requests / times[what] });
    }
  }
  const middle = (what: Work): UnitCost => ({
    cpuMs: median(costs[what].map(({ cpuMs }) => cpuMs)),
    requests: median(costs[what].map(({ requests }) => requests)),
  });
  return {
    lookup: middle('lookup'),
    put: middle('put'),
    get: middle('get'),
    sealed: middle('sealed'),
  };
}

function lookupRows(lookup: UnitCost, aloneMs: number): BenchRow[] {
  const limitMs = lookup.requests * aloneMs;
  return [
    row({
      name: 'lookup, requests',
      value: lookup.requests,
      unit: 'requests',
      limit: { name: 'the nearest alone', value: nearest },
      lowerIsBetter: true,
    }),
    cpuRow('lookup', lookup, aloneMs),
    row({
      name: 'lookups',
      value: 1000 / lookup.cpuMs,
      unit: 'lookups/s per core',
      limit: { name: 'their sealed requests alone', value: 1000 / limitMs },
    }),
  ];
}

function cpuRow(name: string, { cpuMs, requests }: UnitCost, aloneMs: number): BenchRow {
  const limit = {
    name: `${requests.toFixed(1)} sealed requests alone`,
    value: requests * aloneMs,
  };
  return row({ name: `${name}, CPU`, value: cpuMs, unit: 'ms', limit, lowerIsBetter: true });
}

type Servers = Forked<StartServers | MeetOthers, StartedServers>;

async function startServers(stack: AsyncDisposableStack): Promise<readonly Contact[]> {
  const contacts: Contact[] = [];
  const all: Servers[] = [];
  for (let i = 0; i < serverProcesses; i++) {
    const servers: Servers = stack.use(new Forked('dht-servers.ts'));
    all.push(servers);
    const number = i * serversEach;
    const seeds = contacts.slice(0, 1);
    contacts.push(...(await servers.ask({ number, count: serversEach, seeds })).contacts);
  }
  for (const servers of all) await servers.ask({ meet: contacts.slice(0, 1) });
  return contacts;
}

async function temporaryFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'altnet-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Octets of memory for each of 10,000 entries. */
export async function benchHeld(): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack);
  const rows: BenchRow[] = [];
  for (const what of ['table', 'records'] as const) {
    await using process = new Forked<MemoryTask, MemoryCost>('dht-memory.ts', {
      // A small nursery, and code stays: else the figures are mostly about other things.
      flags: ['--expose-gc', '--max-semi-space-size=1', '--no-flush-bytecode'],
    });
    const { heap, resident, content } = await process.ask({ of: what, entries, folder });
    const name = what === 'table' ? 'contact in the table' : 'record held';
    const common = { unit: 'B', limit: { name: 'what it says', value: content } };
    rows.push(
      row({ ...common, name: `${name}, heap`, value: heap, lowerIsBetter: true }),
      row({ ...common, name: `${name}, resident`, value: resident, lowerIsBetter: true }),
    );
  }
  return rows;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
