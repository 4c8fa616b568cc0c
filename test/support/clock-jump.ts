/**
 * A preload that moves the wall clock of a process while it runs; its monotonic clock goes on. Usage:
 *
 *   const clock = clockFile(temporaryFolder(t));       // in the test; says 0
 *   spawn(…, { env: { ...process.env, ...clock.env } });
 *   clock.set(-86_400_000);                           // one day back, within pollMs
 *
 * The process reads the offset (milliseconds to add, as text) from the file that ALTNET_TEST_CLOCK
 * names: before anything else runs, so that a restart with another offset starts in another time,
 * and then every pollMs. Without that variable, or where the file cannot be read, nothing changes.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const variable = 'ALTNET_TEST_CLOCK';
const pollMs = 50;

export interface ClockFile {
  /** For the environment of the process; in place of its NODE_OPTIONS. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on the process is so many milliseconds ahead of the real clock. */
  set(offsetMs: number): void;
}

/** The file is made in `folder`, which is the caller's to remove. */
export function clockFile(folder: string): ClockFile {
  const file = path.join(folder, 'clock');
  const set = (offsetMs: number): void => {
    // Renamed into place: a process that reads meanwhile must not see half a number.
    writeFileSync(`${file}.new`, String(offsetMs));
    renameSync(`${file}.new`, file);
  };
  set(0);
  const preload = `--import=${pathToFileURL(import.meta.filename).href}`;
  return { env: { NODE_OPTIONS: preload, [variable]: file }, set };
}

function shiftClock(file: string): void {
  const RealDate = Date;
  let offsetMs = 0;
  const read = (): void => {
    try {
      const said = Number(readFileSync(file, 'utf8'));
      if (Number.isFinite(said)) offsetMs = said;
    } catch {
      // It goes with the test, perhaps before this process does.
    }
  };
  const now = (): number => RealDate.now() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[]) => Reflect.construct(target, args.length ? args : [now()]),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, receiver): unknown =>
      name === 'now' ? now : Reflect.get(target, name, receiver),
  });
  read();
  setInterval(read, pollMs).unref();
}

const named = process.env[variable];
if (named !== undefined) shiftClock(named);
