/**
 * `npm run build`: bundles the commands into a new folder of dist/ and names it in dist/current,
 * which tools/launch.sh reads. Node.js would run the sources as they are; the bundle starts in half
 * the time and holds less memory.
 *
 * A build never touches another one: two of them may run at once, and a node that still runs from
 * an older one can load the rest of it.
 */
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import type { Plugin } from 'rolldown';

const root: string = path.resolve(import.meta.dirname, '..');
const dist: string = path.join(root, 'dist');
const buildsKept = 5;
/** File times lag behind the clock by a tick of the system. */
const clockLagMs = 20;

/**
 * Node.js reads every export of a module of its own that is imported, and one of node:http's loads
 * all of fetch: 0.03 s of each start. In the bundle the module is asked for, not imported.
 */
const httpWithoutFetch: Plugin = {
  name: 'http-without-fetch',
  resolveId: (source, _importer, { kind }) =>
    source === 'node:http' && kind === 'import-statement' ? `\0${source}` : null,
  load(id) {
    if (id !== '\0node:http') return null;
    // Those that load something are no plain values.
    const plain = Object.entries(Object.getOwnPropertyDescriptors(http))
      .filter(([, property]) => 'value' in property)
      .map(([name]) => name);
    return [
      "const http = process.getBuiltinModule('node:http');",
      'export default http;',
      `export const { ${plain.join(', ')} } = http;`,
    ].join('\n');
  },
};

async function bundle(folder: string): Promise<void> {
  // Loaded here, so that an installation without it gets the one line like every other failure.
  const { rolldown } = await import('rolldown');
  await using build = await rolldown({
    cwd: root,
    input: {
      altnet: 'src/cli/main.ts',
      alternate: 'src/cli/alternate-main.ts',
      // Threads: beside the chunk that starts them.
      'disk-worker': 'src/store/disk-worker.ts',
      'reception-worker': 'src/content/reception/reception-worker.ts',
    },
    platform: 'node',
    external: ['lmdb'], // finds its binary beside itself
    plugins: [httpWithoutFetch],
    logLevel: 'silent',
  });
  await build.write({
    dir: folder,
    format: 'esm',
    // Two levels below the checkout, like src/*/: a path relative to the file is the same there.
    chunkFileNames: '[name].js',
    entryFileNames: '[name].js',
    // Names and lines stay, so that a stack trace can be read as it is; with
    // NODE_OPTIONS=--enable-source-maps it names the sources (not by default: that takes 40 MB).
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
    comments: { legal: true, annotation: false, jsdoc: false },
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
}

/** As old as the sources that were read: what was changed during the build is newer. */
async function makeCurrent(name: string, beganMs: number): Promise<void> {
  const file = path.join(dist, `current-${name}`);
  await writeFile(file, `${name}\n`);
  const seconds = (beganMs - clockLagMs) / 1000;
  await utimes(file, seconds, seconds);
  await rename(file, path.join(dist, 'current'));
}

/** `own`: of this run. What a wrong clock has dated later would else take its place for ever. */
async function removeOld(own: string): Promise<void> {
  const nowMs = Date.now();
  const isFromLater = (name: string): boolean => Number(name.split('-')[1]) > nowMs;
  const builds = (await readdir(dist)).filter((name) => name.startsWith('build-')).toSorted();
  const kept = new Set(builds.filter((name) => !isFromLater(name)).slice(-buildsKept)).add(own);
  for (const name of builds) {
    if (!kept.has(name)) await rm(path.join(dist, name), { recursive: true, force: true });
  }
}

const beganMs: number = Date.now();
const name = `build-${beganMs}-${process.pid}`;
const folder: string = path.join(dist, name);
try {
  await mkdir(folder, { recursive: true });
  await bundle(folder);
  await makeCurrent(name, beganMs);
  await removeOld(name).catch(() => undefined); // another build may be removing them, too
} catch (error) {
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  const why = error instanceof Error ? error.message : String(error);
  process.stderr.write(`altnet: the commands could not be bundled: ${why}\n`);
  process.exitCode = 1;
}
