/**
 * `npm test`: all checks, two at a time, slowest first. `npm test -- unit lint` runs only those named.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

const root: string = path.resolve(import.meta.dirname, '..');
const bin = (pkg: string, file: string): string => path.join('node_modules', pkg, file);
const coverage: string[] = [
  '--experimental-test-coverage',
  '--test-coverage-include=src/**/*.ts',
  '--test-coverage-exclude=src/**/*.test.ts',
  '--test-coverage-lines=80',
  '--test-coverage-branches=75',
  '--test-coverage-functions=75',
];
const testArgs = (pattern: string, ...flags: string[]): string[] => [
  '--test',
  '--test-reporter=spec',
  '--test-timeout=180000',
  ...flags,
  pattern,
];

const steps: Record<string, string[]> = {
  browser: testArgs('test/browser/**/*.test.ts', '--test-concurrency=1'),
  integration: testArgs('test/integration/**/*.test.ts', '--test-concurrency=2'),
  sim: testArgs('sim/**/*.test.ts', '--test-concurrency=2'),
  unit: testArgs('{src,test/unit}/**/*.test.ts', '--test-isolation=none', ...coverage),
  lint: [bin('oxlint', 'bin/oxlint'), '--deny-warnings'],
  types: [bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json'],
  format: [bin('oxfmt', 'bin/oxfmt'), '--check', '.'],
};

interface Outcome {
  code: number;
  output: string;
  ms: number;
}

function run(args: string[]): Promise<Outcome> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  child.on('error', (error) => (output += error.message));
  child.on('close', (code) => {
    resolve({ code: code ?? 1, output, ms: performance.now() - started });
  });
  return promise;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(
    `no such check: ${unknown.join(', ')}; there are: ${Object.keys(steps).join(', ')}`,
  );
  process.exit(2);
}
const queue = Object.keys(steps).filter((name) => asked.length === 0 || asked.includes(name));
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

/** Of a failure what explains it; of a success only which tests did not run, and why. */
function worthReading({ code, output }: Outcome): string {
  if (code !== 0) return output.slice(Math.max(0, output.indexOf('✖ failing tests:'))).trimEnd();
  return output
    .split('\n')
    .filter((line) => line.trimStart().startsWith('﹣'))
    .map((line) => `       not run: ${line.trim().slice(2)}`)
    .join('\n');
}

const totals = { pass: 0, fail: 0, skipped: 0 };

async function worker(): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const outcome = await run(steps[name] ?? []);
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

await Promise.all([worker(), worker()]);
const outcome = failed.length === 0 ? 'all passed' : `failed: ${failed.join(', ')}`;
console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.skipped} skipped`);
console.log(`${outcome} in ${seconds(performance.now() - began)}`);
process.exitCode = failed.length === 0 ? 0 : 1;
