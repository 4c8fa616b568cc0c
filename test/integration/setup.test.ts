/**
 * `altnet setup dns` on real resolvers, each with an /etc of its own: names under .alt go to the
 * node, no other name does, and --undo leaves every file as it was.
 */
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import { programMissing } from '../support/programs.ts';

const support: string = path.join(import.meta.dirname, '../support');
const timeoutMs = 60_000;

function resolvedMissing(): string | false {
  const root = process.env['ALTNET_TEST_RESOLVED'] ?? '/';
  if (existsSync(path.join(root, 'lib/systemd/systemd-resolved'))) {
    return programMissing('dbus-daemon');
  }
  return 'this needs systemd-resolved, installed or unpacked at $ALTNET_TEST_RESOLVED';
}

const resolvers: Readonly<Record<string, string | false>> = {
  dnsmasq: programMissing('dnsmasq'),
  unbound: programMissing('unbound') || programMissing('unbound-checkconf'),
  'systemd-resolved': resolvedMissing(),
};

for (const [resolver, missing] of Object.entries(resolvers)) {
  test(
    `${resolver} is set up and left as it was`,
    { skip: namespacesMissing() || missing },
    (t) => {
      const own = ['--mount', '--net', '--propagation', 'private'];
      // What runs in it ends with it.
      const words = [...own, '--pid', '--fork', '--kill-child', '--mount-proc', 'sh'];
      const script = [path.join(support, 'setup-namespace.sh'), temporaryFolder(t), resolver];
      const child = [process.execPath, path.join(support, 'setup-child.ts'), resolver];
      const { status, stdout, stderr } = spawnSync('unshare', [...words, ...script, ...child], {
        timeout: timeoutMs,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
      });
      assert.equal(status, 0, `${stdout}${stderr}`);
    },
  );
}
