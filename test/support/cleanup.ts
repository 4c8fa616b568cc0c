/**
 * What a test must undo, in reverse order: the folder goes after the process that uses it. (The
 * runner itself calls `after` hooks in the order in which they were registered.)
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What ends, and then calls what was registered with it: a test, or another piece of work. */
export interface Ending {
  after(undo: () => Promise<void>): void;
}

const stacks = new WeakMap<Ending, AsyncDisposableStack>();

/** Calls `undo` when the test is over, before what was registered earlier. */
export function atEnd(t: Ending, undo: () => unknown): void {
  let stack = stacks.get(t);
  if (!stack) {
    const created = new AsyncDisposableStack();
    stacks.set(t, created);
    t.after(() => created.disposeAsync());
    stack = created;
  }
  stack.defer(async () => {
    await undo();
  });
}

/** A folder under the system's temporary one, removed after the test. */
export function temporaryFolder(t: Ending): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'altnet-test-'));
  atEnd(t, () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return folder;
}
