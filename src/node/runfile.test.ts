import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { readRunFile, removeRunFile, writeRunFile } from './runfile.ts';

const api = 'http://127.0.0.1:9090';

test('what a node writes, a command reads, and nobody else', async (t) => {
  const folder = temporaryFolder(t);
  assert.equal(await readRunFile(folder), undefined);
  await writeRunFile(folder, api);
  assert.deepEqual(await readRunFile(folder), { api, pid: process.pid });
  await writeRunFile(folder, api, { token: 'a-token-of-the-user' });
  const token = 'a-token-of-the-user';
  assert.deepEqual(await readRunFile(folder), { api, pid: process.pid, token });
  const services = { gateway: '127.0.0.1:8080', gatewayTls: null, dns: '[::1]:53', metrics: null };
  await writeRunFile(folder, api, { services });
  assert.deepEqual(await readRunFile(folder), { api, pid: process.pid, services });
  assert.deepEqual(readdirSync(folder), ['node.json']);
  if (process.platform !== 'win32') {
    assert.equal(statSync(path.join(folder, 'node.json')).mode & 0o777, 0o600);
  }
  await writeRunFile(folder, undefined);
  assert.deepEqual(await readRunFile(folder), { api: undefined, pid: process.pid });
  await removeRunFile(folder);
  await removeRunFile(folder);
  assert.equal(await readRunFile(folder), undefined);
});

test('what a killed node had begun to write goes with the next start', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(path.join(folder, 'node.json.draft'), '{"api"', { mode: 0o644 });
  await writeRunFile(folder, api);
  assert.deepEqual(readdirSync(folder), ['node.json']);
});

test('nonsense is as good as no file', async (t) => {
  const folder = temporaryFolder(t);
  for (const text of ['', '{', 'null', '[]', '{"api":1,"pid":2}', `{"api":"${api}"}`]) {
    writeFileSync(path.join(folder, 'node.json'), text);
    assert.equal(await readRunFile(folder), undefined, text);
  }
});

const isRoot: boolean = process.getuid?.() === 0;

test('a service that is no text is none', async (t) => {
  const folder = temporaryFolder(t);
  const content = { api, pid: 7, services: { gateway: 1, dns: '127.0.0.1:5354' } };
  writeFileSync(path.join(folder, 'node.json'), JSON.stringify(content));
  const none = { gateway: null, gatewayTls: null, metrics: null };
  const services = { ...none, dns: '127.0.0.1:5354' };
  assert.deepEqual(await readRunFile(folder), { api, pid: 7, services });
});

test('the folder of another user is named', { skip: isRoot && 'root may read all' }, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(path.join(folder, 'node.json'), '{}', { mode: 0o000 });
  await assert.rejects(readRunFile(folder), /node\.json cannot be read: permission denied/);
});

test('a folder that cannot be written to is named', async (t) => {
  const folder = path.join(temporaryFolder(t), 'missing');
  await assert.rejects(writeRunFile(folder, api), { code: 'PATH_UNSUPPORTED' });
});
