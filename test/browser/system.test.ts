/**
 * A machine on which `altnet setup dns` and `altnet setup ca` were run: with no other setting its
 * Chromium and its curl open https://hello.alt/, and after --undo they do not. Root only: the machine is one of the test's own.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import {
  altnet,
  type ClusterNode,
  guideFolder,
  runProgram,
  startNode,
} from '../support/cluster.ts';
import { type OwnMachine, ownMachineMissing, startOwnMachine } from '../support/own-machine.ts';
import { programMissing } from '../support/programs.ts';

const reports: string = path.resolve(import.meta.dirname, '../../reports');
const site = 'https://hello.alt/';
const heading = 'Websites that their readers keep alive';

interface SetUp {
  readonly machine: OwnMachine;
  readonly node: ClusterNode;
  /** Runs `altnet setup` there. */
  readonly setup: (...words: readonly string[]) => Promise<void>;
}

async function startSetUp(t: TestContext): Promise<SetUp> {
  const machine = await startOwnMachine(t);
  const { within, env } = machine;
  const options = ['--dns=127.0.0.1:53', '--gateway=127.0.0.1:80', '--gateway-tls=127.0.0.1:443'];
  const node = await startNode(t, { name: '1', within, env, options });
  await altnet(node, 'publish', guideFolder, '--name', 'hello');
  return {
    machine,
    node,
    async setup(...words) {
      const all = ['setup', ...words, '--data', node.data];
      const { code, stdout, stderr } = await runProgram(all, '', { within, env });
      assert.equal(code, 0, `${all.join(' ')}: ${stdout}${stderr}`);
    },
  };
}

async function openSite(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  const answer = await page.goto(site, { waitUntil: 'load' });
  assert.equal(answer?.status(), 200);
  assert.equal(page.url(), site);
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), heading);
  assert.equal(await page.evaluate('isSecureContext'), true);
  assert.match((await answer?.securityDetails())?.issuer ?? '', /^AltNet local CA /);
  return page;
}

const missing = ownMachineMissing() || programMissing('chromium') || programMissing('certutil');

test('a machine that was set up opens sites by their names', { skip: missing }, async (t) => {
  const { machine, setup } = await startSetUp(t);
  const fails = async (reason: RegExp): Promise<void> => {
    const browser = await machine.browse();
    const page = await browser.newPage();
    await assert.rejects(page.goto(site), reason);
    await browser.close();
  };
  await fails(/ERR_NAME_NOT_RESOLVED/);
  await setup('dns', '--yes');
  await fails(/ERR_CERT_AUTHORITY_INVALID/);
  await setup('ca', '--yes');

  const browser = await machine.browse();
  const page = await openSite(browser);
  mkdirSync(reports, { recursive: true });
  await page.screenshot({ path: path.join(reports, 'https-hello-alt.png') });
  await browser.close();
  if (programMissing('curl') === false) {
    const { code, text } = await machine.run('curl', '-sS', site);
    assert.equal(code, 0, text);
    assert.ok(text.includes(heading));
  }

  await setup('ca', '--undo', '--yes');
  await fails(/ERR_CERT_AUTHORITY_INVALID/);
  await setup('dns', '--undo', '--yes');
  await fails(/ERR_NAME_NOT_RESOLVED/);
});
