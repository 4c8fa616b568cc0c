/**
 * Tests of simulated networks run in a thread of their own. The test runner follows every promise
 * of its thread, to know which test an error belongs to; a simulation is made of promises, and
 * spent more than a third of its time on that. Here the runner's thread only hears what happens:
 * begun, said, ended. What is tested is no business of this file.
 *
 * A test file is loaded twice, so its top level does nothing but define tests:
 *
 *   const test = testsOf(import.meta.url);
 *   test('a name', async (t) => { … });
 */
import { on } from 'node:events';
import { after, test as register, type TestContext } from 'node:test';
import { isMainThread, type MessagePort, parentPort, Worker } from 'node:worker_threads';

/** What a test in its own thread can ask of the runner. */
export interface SimTest {
  diagnostic(text: string): void;
  /** A part of the test under a name of its own; when it fails, the test goes on, and fails. */
  test(name: string, body: TestBody): Promise<void>;
}

export type TestBody = (t: SimTest) => Promise<void> | void;
export type DefineTest = (name: string, body: TestBody) => void;

/** What the thread says of the test that it runs: of its parts as well, one within the other. */
type Report =
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'begun'; readonly name: string }
  | { readonly kind: 'ended'; readonly error: Error | undefined };

/** Defines the tests of the file with this URL, which is the caller's own. */
export function testsOf(fileUrl: string): DefineTest {
  return isMainThread || !parentPort ? registering(fileUrl) : answering(parentPort);
}

/** In the runner's thread: all tests of the file share a thread, one after another. */
function registering(fileUrl: string): DefineTest {
  let worker: Worker | undefined;
  let count = 0;
  after(() => worker?.terminate());
  return (name, _body) => {
    const index = count++;
    register(name, async (t) => {
      worker ??= new Worker(new URL(fileUrl));
      try {
        const reports = on(worker, 'message', { signal: t.signal, close: ['exit'] });
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
        worker.postMessage(index);
        await follow(t, reports);
      } catch (error) {
        // A failed simulation may go on for ever, and an error that nobody caught ended the thread.
        await worker.terminate();
        worker = undefined;
        throw error;
      }
    });
  };
}

/** Until the test, or the part of it that `t` stands for, has ended; fails as that does. */
async function follow(t: TestContext, reports: AsyncIterator<unknown>): Promise<void> {
  for (;;) {
    const next = await reports.next();
    if (next.done === true) throw new Error('the thread of this test ended');
    const [report] = next.value as [Report];
    if (report.kind === 'said') t.diagnostic(report.text);
    else if (report.kind === 'begun') await t.test(report.name, (part) => follow(part, reports));
    else if (report.error === undefined) return;
    else throw report.error;
  }
}

/** In the thread: runs the test whose number comes. */
function answering(port: MessagePort): DefineTest {
  const bodies: TestBody[] = []; // BOUNDED by the file
  const say = (report: Report): void => port.postMessage(report);
  const run = async (body: TestBody): Promise<void> => {
    try {
      await body({
        diagnostic: (text) => say({ kind: 'said', text }),
        test(name, part) {
          say({ kind: 'begun', name });
          return run(part);
        },
      });
      say({ kind: 'ended', error: undefined });
    } catch (error) {
      say({ kind: 'ended', error: error instanceof Error ? error : new Error(String(error)) });
    }
  };
  port.on('message', (index: number) => {
    const body = bodies[index];
    if (!body) throw new Error(`there is no test ${index}`);
    void run(body);
  });
  return (_name, body) => bodies.push(body);
}
