/**
 * Another machine, as far as names, trust and ports go: programs that run in it have an /etc, a store
 * of certificates, a home and a loopback interface of their own, and reach nobody else. Linux and
 * root only.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type Browser, chromium } from 'playwright-core';
import { atEnd, type Ending, temporaryFolder } from './cleanup.ts';
import { namespacesMissing } from './namespaces.ts';
import { programMissing } from './programs.ts';

const script: string = path.join(import.meta.dirname, 'machine-namespace.sh');

/** In one line, why there can be no such machine here; false where there can. */
export function ownMachineMissing(): string | false {
  return namespacesMissing() || programMissing('unshare') || programMissing('nsenter');
}

export interface Said {
  readonly code: number;
  readonly text: string;
}

export interface OwnMachine {
  /** Words before those of a command, to run it there. */
  readonly within: readonly string[];
  /** What tells programs of their home there. */
  readonly env: Readonly<Record<string, string>>;
  /** What a program of the system printed there, and how it ended. */
  run(program: string, ...words: readonly string[]): Promise<Said>;
  /** Chromium as its user has it, with what its home and its machine trust. */
  browse(...words: readonly string[]): Promise<Browser>;
}

export async function startOwnMachine(t: Ending): Promise<OwnMachine> {
  const folder = temporaryFolder(t);
  const own = ['--mount', '--net', '--propagation', 'private', 'sh', script, folder];
  const holder = spawn('unshare', own, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  atEnd(t, async () => {
    holder.stdin.end();
    await ended;
  });
  const [said] = await Promise.race([once(holder.stdout, 'data'), ended]);
  assert.match(String(said), /^ready/);
  const within = ['nsenter', `--target=${holder.pid}`, '--mount', '--net', '--'];
  const home = path.join(folder, 'home');
  mkdirSync(home);
  const env = { HOME: home, LANG: 'en_US.UTF-8' };
  return {
    within,
    env,
    run: (program, ...words) => run([...within, program, ...words], env),
    browse: (...words) => browse(t, { launcher: writeLauncher(folder, within), env, words }),
  };
}

function run(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Said> {
  const { promise, resolve } = Promise.withResolvers<Said>();
  const [program = '', ...rest] = words;
  const options = { env: { PATH: process.env['PATH'], ...env }, timeout: 60_000 };
  execFile(program, rest, options, (error, stdout, stderr) => {
    resolve({ code: Number(error?.code ?? (error ? 1 : 0)), text: stdout + stderr });
  });
  return promise;
}

/** A browser is started by the name of a file alone. */
function writeLauncher(folder: string, within: readonly string[]): string {
  const file = path.join(folder, 'chromium');
  writeFileSync(file, `#!/bin/sh\nexec ${within.join(' ')} chromium "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

interface Browsing {
  readonly launcher: string;
  readonly env: Readonly<Record<string, string>>;
  readonly words: readonly string[];
}

async function browse(t: Ending, { launcher, env, words }: Browsing): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: launcher,
    args: ['--no-sandbox', ...words], // root's has none
    env: { PATH: process.env['PATH'], ...env },
  });
  atEnd(t, () => browser.close());
  return browser;
}
