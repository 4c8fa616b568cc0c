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
const tests = (pattern: string, ...flags: string[]): string[] => [
  '--test',
  '--test-reporter=spec',
  '--test-timeout=180000',
  ...flags,
  pattern,
];

const steps: Record<string, string[]> = {
  browser: tests('test/browser/**/*.test.ts', '--test-concurrency=1'),
  integration: tests('test/integration/**/*.test.ts', '--test-concurrency=2'),
  sim: tests('sim/**/*.test.ts', '--test-concurrency=2'),
  unit: tests('{src,test/unit}/**/*.test.ts', '--test-isolation=none', ...coverage),
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

async function worker(): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const { code, output, ms } = await run(steps[name] ?? []);
    if (code !== 0) failed.push(name);
    const quiet = code === 0 && !process.argv.includes('--verbose');
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${(ms / 1000).toFixed(1)} s)`);
    if (!quiet) console.log(output.trimEnd());
  }
}
await Promise.all([worker(), worker()]);
console.log(
  `${failed.length === 0 ? 'all passed' : `failed: ${failed.join(', ')}`} in ${((performance.now() - began) / 1000).toFixed(1)} s`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
