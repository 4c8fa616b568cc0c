/** How the program is run, as users run it. */
import path from 'node:path';
import process from 'node:process';

export const checkout: string = path.resolve(import.meta.dirname, '../..');

/** Windows cannot run a shell script, and takes the sources. */
const program: readonly string[] =
  process.platform === 'win32'
    ? [process.execPath, path.join(checkout, 'src/cli/main.ts')]
    : [path.join(checkout, 'bin/altnet')];

/** The words that run it, in a network namespace if one is given. */
export function commandLine(host: string | undefined, words: readonly string[]): string[] {
  const prefix = host === undefined ? [] : ['ip', 'netns', 'exec', host];
  return [...prefix, ...program, ...words];
}
