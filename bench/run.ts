/**
 * `npm run bench [-- name ...] [--json]`: measures and prints, one bench after the other so that
 * none disturbs another. Exits 0 when every bench ran, reached goals or not; 1 when one failed.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type BenchRow, formatRows, NotRun, reachesGoal } from './row.ts';

type Bench = () => Promise<BenchRow[]>;

/** Loaded only when asked for: a bench may pull in much of the program, which would add to its figures. */
const benches: Readonly<Record<string, () => Promise<Bench[]>>> = {
  rpc: async () => [(await import('./rpc.ts')).benchRpc],
  dht: async () => {
    const { benchHeld, benchLookups } = await import('./dht.ts');
    return [benchLookups, benchHeld];
  },
  flood: async () => [(await import('./flood.ts')).benchFlood],
  content: async () => [(await import('./content.ts')).benchLargeFile],
  files: async () => [(await import('./files.ts')).benchFiles],
  api: async () => [(await import('./api.ts')).benchApi],
  gateway: async () => [(await import('./gateway.ts')).benchGateway],
  dns: async () => [(await import('./dns.ts')).benchDns],
  web: async () => [(await import('./web.ts')).benchWeb],
  trust: async () => [(await import('./trust.ts')).benchTrust],
  node: async () => [(await import('./node.ts')).benchNode],
  reach: async () => [(await import('./reach.ts')).benchReach],
  wan: async () => [(await import('./wan.ts')).benchWan],
  'wan-content': async () => [(await import('./wan-content.ts')).benchWanContent],
};

async function runBench(name: string): Promise<BenchRow[]> {
  process.stderr.write(`bench: ${name} ...\n`);
  const rows: BenchRow[] = [];
  for (const bench of (await benches[name]?.()) ?? []) rows.push(...(await bench()));
  return rows;
}

function printSummary(rows: readonly BenchRow[]): void {
  console.log(formatRows(rows));
  const short = rows.filter((one) => reachesGoal(one) === false);
  const judged = rows.filter((one) => one.goal !== undefined).length;
  console.log(
    `\n${judged - short.length} of ${judged} goals reached` +
      (short.length === 0 ? '' : `; short of the goal: ${short.map((one) => one.name).join('; ')}`),
  );
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !(name in benches));
  if (unknown.length > 0) {
    const known = Object.keys(benches).join(', ');
    console.error(`no such bench: ${unknown.join(', ')}; there are: ${known}`);
    process.exitCode = 2;
    return;
  }
  const rows: BenchRow[] = [];
  for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
    try {
      rows.push(...(await runBench(name)));
    } catch (error) {
      if (error instanceof NotRun) {
        console.error(`bench: ${name} did not run: ${error.message}`);
        continue;
      }
      console.error(`bench ${name} failed:`, error);
      process.exitCode = 1;
    }
  }
  if (values.json) for (const one of rows) console.log(JSON.stringify(one));
  else printSummary(rows);
}

await main();
