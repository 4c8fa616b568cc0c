/**
 * `npm test`: all checks, three at a time, slowest first. `npm test -- unit lint` runs only those
 * named.
 */
import path from 'node:path';
import process from 'node:process';
import { runStep, type Step, worthReading } from './check-step.ts';

const root: string = path.resolve(import.meta.dirname, '..');
const bin = (pkg: string, file: string): string => path.join('node_modules', pkg, file);
const testArgs = (pattern: string, ...flags: string[]): string[] => [
  '--test',
  '--test-reporter=spec',
  ...flags,
  pattern,
];
/** What one test may take. */
const minutes = (count: number): string => `--test-timeout=${count * 60_000}`;
/** Each file in a process of its own. Compiled code is kept, which would blur coverage. */
const inProcesses = (atOnce: number): string[] => [
  `--test-concurrency=${atOnce}`,
  '--import=./tools/compile-cache.mjs',
];

/** `unit` takes 5 minutes of a processor, and was seen to take 8.5 where others use it as well. */
const limitMs = 14 * 60_000;
/** Beyond what a single test of it may take. */
const simLimitMs = 16 * 60_000;

const steps: Record<string, Omit<Step, 'limitMs'> & { readonly limitMs?: number }> = {
  integration: { args: testArgs('test/integration/**/*.test.ts', minutes(3), ...inProcesses(2)) },
  unit: { args: ['tools/unit.ts', '{src,test/unit}/**/*.test.ts'] },
  sim: {
    args: testArgs('sim/**/*.test.ts', minutes(15), ...inProcesses(2)),
    inBackground: true,
    limitMs: simLimitMs,
  },
  browser: { args: testArgs('test/browser/**/*.test.ts', minutes(3), ...inProcesses(1)) },
  lint: { args: [bin('oxlint', 'bin/oxlint'), '--deny-warnings'] },
  types: { args: [bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json'] },
  format: { args: [bin('oxfmt', 'bin/oxfmt'), '--check', '.'] },
};

/** So many checks at the same time keep two cores busy. */
const lanes = 3;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(
    `no such check: ${unknown.join(', ')}; there are: ${Object.keys(steps).join(', ')}`,
  );
  process.exit(2);
}
const queue = Object.entries(steps).filter(([name]) => asked.length === 0 || asked.includes(name));
const failed: string[] = [];
const began = performance.now();

/** How many tests a step ran, by the closing lines of Node's test runner; zeros for other checks. */
function countTests(output: string): Record<'pass' | 'fail' | 'skipped', number> {
  const total = (what: string): number => Number(lastMatch(output, `^ℹ ${what} (\\d+)$`) ?? 0);
  return { pass: total('pass'), fail: total('fail'), skipped: total('skipped') };
}

function lastMatch(text: string, pattern: string): string | undefined {
  return [...text.matchAll(new RegExp(pattern, 'gm'))].at(-1)?.[1];
}

const totals = { pass: 0, fail: 0, skipped: 0 };

/** Each check has a process group of its own, which the terminal does not reach. */
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort());
}

async function worker(): Promise<void> {
  const { signal } = interrupted;
  for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
    const [name, step] = next;
    const outcome = await runStep({ limitMs, ...step }, { cwd: root, signal });
    const { code, output, ms } = outcome;
    if (code !== 0) failed.push(name);
    const { pass, fail, skipped } = countTests(output);
    totals.pass += pass;
    totals.fail += fail;
    totals.skipped += skipped;
    const tests = pass + fail === 0 ? '' : `, ${pass} of ${pass + fail} tests passed`;
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds(ms)}${tests})`);
    const text = worthReading(outcome);
    if (text !== '') console.log(text);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

await Promise.all(Array.from({ length: lanes }, worker));
const outcome = failed.length === 0 ? 'all passed' : `failed: ${failed.join(', ')}`;
console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.skipped} skipped`);
console.log(`${outcome} in ${seconds(performance.now() - began)}`);
process.exitCode = failed.length === 0 ? 0 : 1;
