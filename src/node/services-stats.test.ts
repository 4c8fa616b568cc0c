/** Visits through a real gateway, as the services of the node tell them, across a restart. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import { keyName } from '../record/label.ts';
import { type RunningNode, startNode } from './node.ts';

function open({ ready }: RunningNode, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const [, port] = (ready.gateway ?? '').split(':');
  const target = { host: '127.0.0.1', port, path: '/', headers: { host }, agent: false };
  request(target, (response) => {
    response.resume().on('end', () => resolve(response.statusCode ?? 0));
  })
    .on('error', reject)
    .end();
  return promise;
}

test('visits of a named site are counted, and kept across a restart', async (t) => {
  const site = temporaryFolder(t);
  writeFileSync(path.join(site, 'index.html'), '<h1>Hello</h1>');
  const options = nodeOptions(t, { gateway: '127.0.0.1:0' });
  const first = await startNode(options);
  atEnd(t, () => first.stop());
  const own = keyName(Buffer.from(first.services.keys().authorPublicKey, 'hex'));
  const published = first.services.publish({ path: site, name: own });
  await published.catch(() => undefined); // nobody else is there to take the record
  const before = await first.services.siteStats(own);
  assert.deepEqual([before.requests, before.days], [0, []]);
  while ((await open(first, `${own}.localhost`)) !== 200) await delay(50);
  await until(async () => (await first.services.siteStats(own)).requests > 0);
  const counted = await first.services.siteStats(`blog.${own}.alt`);
  assert.equal(counted.name, `${own}.alt`);
  assert.deepEqual([counted.requests, counted.bytes, counted.unique_ips], [1, 14, 1]);
  assert.equal(counted.days.length, 1);
  await first.stop();

  const second = await startNode(options);
  atEnd(t, () => second.stop());
  assert.deepEqual(await second.services.siteStats(own), counted);
  await assert.rejects(second.services.siteStats('a b'), { code: 'BAD_NAME' });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10);
}
