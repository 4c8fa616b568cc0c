/**
 * Processes that run the sources, not the bundle of `bin/`, take most of their start for stripping
 * types and compiling: what one of them did is kept for the others, in the folder that
 * `tools/compile-cache.mjs` uses.
 */
import path from 'node:path';
import process from 'node:process';

const root: string = path.resolve(import.meta.dirname, '../..');

/** The environment for such a process. */
export const sourcesEnv: Readonly<NodeJS.ProcessEnv> = {
  ...process.env,
  NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/altnet-tests'),
};
