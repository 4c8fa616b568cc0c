/** Comparing folders, as publishing sees them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Every file by its path with forward slashes, without what publishing leaves out: dot names. */
export function readFolder(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  return new Map(
    files
      .map((file) => file.split(path.sep))
      .filter((parts) => !parts.some((part) => part.startsWith('.')))
      .map((parts) => [parts.join('/'), readFileSync(path.join(folder, ...parts))] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
