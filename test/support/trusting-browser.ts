/**
 * The Chromium of this machine with a home of its own, in which an authority is trusted: the packaged
 * one of browser.ts cannot show https. Nothing that the machine itself trusts is changed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { atEnd, temporaryFolder } from './cleanup.ts';

const executablePath = '/usr/bin/chromium';
const certutil = '/usr/bin/certutil';

/** Why there can be no such browser here; undefined when there can. */
export function trustingBrowserMissing(): string | undefined {
  if (!existsSync(executablePath)) return 'chromium is not installed';
  return existsSync(certutil) ? undefined : 'certutil (libnss3-tools) is not installed';
}

/** Trusts the certificates in `caFile`. `args`: more words of its command line. */
export async function launchTrusting(
  t: TestContext,
  { caFile, args }: { readonly caFile: string; readonly args: readonly string[] },
): Promise<Browser> {
  const home = temporaryFolder(t);
  const database = path.join(home, '.pki/nssdb');
  mkdirSync(database, { recursive: true });
  const run = (...words: string[]): unknown =>
    execFileSync(certutil, ['-d', `sql:${database}`, ...words], { stdio: 'pipe' });
  run('-N', '--empty-password');
  run('-A', '-n', 'AltNet', '-t', 'C,,', '-i', caFile);
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({
    executablePath,
    args: [...sandbox, ...args],
    env: { ...process.env, HOME: home, LANG: 'en_US.UTF-8' },
  });
  atEnd(t, () => browser.close());
  return browser;
}
