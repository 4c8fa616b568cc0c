/** The file that tells other commands where this node's API is: <data>/node.json. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

export interface RunFile {
  /** "http://127.0.0.1:9090". */
  readonly api: string;
  readonly pid: number;
}

const fileName = 'node.json';

export async function writeRunFile(folder: string, api: string): Promise<void> {
  const file = path.join(folder, fileName);
  const draft = `${file}.${process.pid}`;
  const content: RunFile = { api, pid: process.pid };
  await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await rename(draft, file);
}

/** Undefined when no node has left one, or when it cannot be understood. */
export async function readRunFile(folder: string): Promise<RunFile | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(path.join(folder, fileName), 'utf8'));
    if (typeof content !== 'object' || content === null) return undefined;
    const { api, pid } = content as Partial<Record<keyof RunFile, unknown>>;
    return typeof api === 'string' && typeof pid === 'number' ? { api, pid } : undefined;
  } catch {
    return undefined;
  }
}

export async function removeRunFile(folder: string): Promise<void> {
  await rm(path.join(folder, fileName), { force: true });
}
