/**
 * The check `unit`: runs the test files that these patterns match, all in this process, with
 * coverage. It does what `node --test --test-isolation=none` does, except that the test runner does
 * not follow promises. It would, to know which test an error belongs to that nobody caught: every
 * promise is then entered into a map and watched until it is collected, which took a sixth of the
 * time of all unit tests. Such an error fails the check all the same; `node --test FILE` names the
 * test. What is tested is no business of this file.
 */
import { createHook } from 'node:async_hooks';
import process from 'node:process';
import { type EventData, run } from 'node:test';
import { spec } from 'node:test/reporters';

const patterns = process.argv.slice(2);
/** What one test may take. */
const timeoutMs = 180_000;

const coverage = {
  coverage: true,
  coverageIncludeGlobs: ['src/**/*.ts'],
  coverageExcludeGlobs: ['src/**/*.test.ts'],
  lineCoverage: 80,
  branchCoverage: 75,
  functionCoverage: 75,
} as const;

type Hook = ReturnType<typeof createHook>;

/**
 * Calls `start` so that hooks which it enables follow no promises, as if they had been created with
 * `trackPromises: false`. The runner has no option for that, so the mark of such a hook is found by
 * comparison, and set as a hook is enabled. A Node.js that marks them otherwise follows promises.
 */
function withoutPromises<T>(start: () => T): T {
  const [following, not] = [true, false].map((trackPromises) => createHook({ trackPromises })) as [
    Hook,
    Hook,
  ];
  const isMark = (key: symbol): boolean =>
    Reflect.get(not, key) === true && Reflect.get(following, key) === false;
  const mark = Object.getOwnPropertySymbols(not).find(isMark);
  const kind = Object.getPrototypeOf(not) as Hook;
  const enable = Reflect.get(kind, 'enable');
  kind.enable = function (this: Hook): Hook {
    if (mark) Reflect.set(this, mark, true);
    return enable.call(this);
  };
  try {
    return start();
  } finally {
    kind.enable = enable;
  }
}

const tests = withoutPromises(() =>
  run({ isolation: 'none', globPatterns: patterns, timeout: timeoutMs, ...coverage }),
);

const running = new Map<number, EventData.TestDequeue>(); // BOUNDED by the depth of tests
tests.on('test:dequeue', (test) => running.set(test.testId, test));
tests.on('test:complete', ({ testId }) => running.delete(testId));
tests.on('test:summary', ({ success }) => {
  if (!success) process.exitCode = 1;
});
tests.compose(spec).pipe(process.stdout);
/** The runner says what it was, not where it came from. */
for (const kind of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(kind, (error: unknown) => console.error(`${kind} in one of the tests:`, error));
}

/** As the runner does it where it is a program: check-step.ts reads this. */
process.on('SIGTERM', () => {
  const parents = new Set([...running.values()].map(({ parentId }) => parentId));
  const lines = [...running.values()]
    .filter(({ testId }) => !parents.has(testId))
    .map(({ name, file, line, column }) => `⚠ ${name} (${file}:${line}:${column})`);
  process.stdout.write(`${['', 'Interrupted while running:', ...lines].join('\n')}\n`, () =>
    process.exit(1),
  );
});
