/**
 * A process of a bench as users run the program: a bundle, with the options of tools/launch.sh. The
 * sources themselves hold 35 MB more, most of it for taking the types off them, which no user has.
 * It knows nothing of what is measured.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

/** As in tools/launch.sh. */
export const nodeFlags: readonly string[] = ['--max-semi-space-size=2'];

const root: string = path.resolve(import.meta.dirname, '..');

/** The path of the bundle of `file`, which is beside this one; it is removed when this process ends. */
export async function bundled(file: string): Promise<string> {
  const { rolldown } = await import('rolldown');
  const dist = path.join(root, 'dist');
  await mkdir(dist, { recursive: true });
  const folder = mkdtempSync(path.join(dist, 'bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const entry = path.parse(file).name;
  await using build = await rolldown({
    cwd: root,
    input: {
      [entry]: path.join(import.meta.dirname, file),
      // Threads, as in tools/build.ts.
      'disk-worker': 'src/store/disk-worker.ts',
      'reception-worker': 'src/content/reception/reception-worker.ts',
    },
    platform: 'node',
    external: ['lmdb'], // finds its binary beside itself
    logLevel: 'silent',
  });
  await build.write({ dir: folder, format: 'esm', entryFileNames: '[name].js' });
  return path.join(folder, `${entry}.js`);
}
