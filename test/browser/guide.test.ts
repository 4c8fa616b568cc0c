/**
 * A real browser opens the example site through another node than its author's, also when that one
 * is dead, and on a node that has never seen it.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { atEnd } from '../support/cleanup.ts';
import {
  altnet,
  type ClusterNode,
  eventually,
  guideFolder,
  startCluster,
} from '../support/cluster.ts';

const reports: string = path.resolve(import.meta.dirname, '../../reports');

/** A page that remembers everything that went wrong on it. */
async function openPage(browser: Browser): Promise<{ page: Page; troubles: string[] }> {
  const page = await (await browser.newContext()).newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`page: ${error.message}`));
  page.on('requestfailed', (request) => troubles.push(`failed: ${request.url()}`));
  page.on('response', (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()}: ${response.url()}`);
  });
  return { page, troubles };
}

function addressOn(node: ClusterNode): string {
  return `http://hello.localhost:${node.ready.gateway.split(':').at(-1)}/`;
}

/** The first page with its images, then a followed link and its anchor. */
async function visit(browser: Browser, node: ClusterNode, shot: string): Promise<void> {
  const { page, troubles } = await openPage(browser);
  await page.goto(addressOn(node), { waitUntil: 'load' });
  const heading = page.getByRole('heading', { level: 1 });
  assert.equal(await heading.textContent(), 'Websites that their readers keep alive');
  const box = await heading.boundingBox();
  assert.ok(box && box.width > 100 && box.height > 20, 'the heading is drawn: there is a font');
  const images = page.locator('img');
  assert.ok((await images.count()) >= 3);
  for (const image of await images.all()) {
    const width = await image.evaluate((element) =>
      'naturalWidth' in element ? Number(element.naturalWidth) : 0,
    );
    assert.ok(width > 0, `${await image.getAttribute('src')} is shown`);
  }
  mkdirSync(reports, { recursive: true });
  await page.screenshot({ path: path.join(reports, `${shot}.png`), fullPage: true });
  await page.getByRole('link', { name: 'Publish your first site' }).first().click();
  await page.waitForURL('**/publish.html');
  assert.equal(
    await page.getByRole('heading', { level: 1 }).textContent(),
    'Publish your first site',
  );
  assert.deepEqual(troubles, []);
  await page.context().close();
}

/** The gateway fetches the rest of a site in the background; only then does the node provide it. */
async function holdsAll(node: ClusterNode, blocks: unknown): Promise<void> {
  await eventually(`${node.name} holds the whole site`, async () => {
    const stats = await altnet(node, 'stats');
    return Number(stats['blocks']) >= Number(blocks);
  });
}

test('the guide opens in a browser, and goes on doing so without its author', async (t) => {
  const nodes = await startCluster(t, 4);
  const [a, h, newcomer] = [nodes[0], nodes[3], nodes[2]];
  assert.ok(a && h && newcomer);
  await altnet(a, 'publish', guideFolder, '--name', 'hello.alt');
  const { blocks } = await altnet(a, 'stats');
  const browser = await launchBrowser();
  atEnd(t, () => browser.close());

  await visit(browser, h, 'guide');
  await holdsAll(h, blocks);
  await a.end('SIGKILL');
  await visit(browser, h, 'guide-without-author');
  await visit(browser, newcomer, 'guide-on-a-newcomer');

  const missing = await openPage(browser);
  const response = await missing.page.goto(`${addressOn(newcomer)}no/such/page.html`);
  assert.equal(response?.status(), 404);
  assert.equal(await missing.page.getByRole('heading', { level: 1 }).textContent(), 'No such page');
});
