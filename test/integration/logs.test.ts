/**
 * The log of real nodes (docs/LOGS.md): JSON is one object a line and nothing else, and what peers,
 * readers and callers write gets into no line at info or above, in either format.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import { type ClusterNode, runProgram, startNode, tryAltnet } from '../support/cluster.ts';

/** In everything that a stranger writes; nobody else would. */
const marker = 'qzxmark';

interface LogLine {
  readonly level: string;
  readonly time: number;
  readonly msg: string;
}

function parseLog(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const parsed = JSON.parse(line) as LogLine;
      assert.deepEqual(
        [typeof parsed.level, typeof parsed.time, typeof parsed.msg],
        ['string', 'number', 'string'],
        line,
      );
      return parsed;
    });
}

test('--log-format json: every line on standard error is one object, remarks and failures too', async (t) => {
  const options = ['--log-format', 'json', '--log-level', 'debug'];
  const node = await startNode(t, {
    name: 'A',
    options,
    bootstrap: '127.0.0.1:9',
    hasGuide: true,
  });
  await node.end();
  const messages = parseLog(node.log()).map(({ level, msg }) => `${level} ${msg}`);
  assert.ok(messages.includes('info ready'), messages.join('\n'));
  assert.ok(messages.includes('warn note'), 'where the example site is');
  const secrets = ['registrar-token.txt', 'keys/author.key', 'keys/node.key'].map((name) => {
    const lines = readFileSync(path.join(node.data, name), 'utf8').trimEnd().split('\n');
    return lines.at(-1) ?? '';
  });
  for (const secret of secrets) {
    assert.ok(secret.length >= 32 && !node.log().includes(secret), 'no secret, not even at debug');
  }
  const file = path.join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  const failed = await runProgram(['start', '-log-format=json', '--data', file]);
  const [last] = parseLog(failed.stderr).slice(-1);
  assert.deepEqual([failed.code, last?.level, last?.msg], [1, 'error', 'failed']);
  assert.equal(failed.stdout, '');
});

test('nothing that strangers write gets into the log at info and above', async (t) => {
  const stranger = await startNode(t, { name: 'stranger' });
  const nodes: ClusterNode[] = [];
  for (const format of ['json', 'text']) {
    const options = ['--log-format', format, '--log-level', 'info'];
    const bootstrap = stranger.ready.listen;
    nodes.push(await startNode(t, { name: format, options, bootstrap }));
  }
  await publishAsStranger(stranger, path.join(temporaryFolder(t), marker));
  for (const node of nodes) await useAsStranger(node, temporaryFolder(t));
  await stranger.end('SIGKILL'); // amid what it has told the others
  for (const node of nodes) {
    await tryAltnet(node, 'resolve', `${marker}.alt`, '--fresh');
    await sendNonsense(node);
    await node.end();
    const log = node.log();
    assert.match(log, /ready/, 'it says something');
    assert.doesNotMatch(log, new RegExp(marker, 'i'), node.name);
    if (node.name === 'json') parseLog(log);
    else assert.doesNotMatch(log.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}]/u);
  }
});

/** A name, a site with odd file names, links with notes. */
async function publishAsStranger(node: ClusterNode, folder: string): Promise<void> {
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'index.html'), `<title>${marker}</title>`);
  writeFileSync(path.join(folder, `${marker}\u001b[2J\n{"level":"error"}.txt`), marker);
  const published = await tryAltnet(node, 'publish', folder, '--name', marker);
  assert.equal(published.code, 0, published.stderr);
  const note = `${marker}\n\u202E${marker}`;
  const [url, target] = [`http://${marker}.example/`, `https://${marker}.example/${marker}`];
  await tryAltnet(node, 'link', 'put', url, target, '--note', note);
  await tryAltnet(node, 'link', 'put', url, `http://${marker}.alt/none`);
}

/** All that a reader and a caller can do with these. */
async function useAsStranger(node: ClusterNode, folder: string): Promise<void> {
  await tryAltnet(node, 'resolve', `${marker}.alt`);
  await tryAltnet(node, 'resolve', `no${marker}.alt`);
  await tryAltnet(node, 'fetch', `${marker}.alt`, path.join(folder, 'fetched'));
  await tryAltnet(node, 'register', marker, 'ab'.repeat(32));
  await tryAltnet(node, 'link', 'get', `http://${marker}.example/`);
  await tryAltnet(node, 'link', 'get', `http://${marker}.example/`, '--fetch', `${folder}/file`);
  const hosts = [`${marker}.localhost`, `no${marker}.localhost`, `${marker}.${marker}.localhost`];
  for (const host of hosts) {
    for (const place of ['/', `/${marker}`, `/%1b${marker}`, `/${marker}?${marker}`]) {
      await open(node.ready.gateway, { host, place });
    }
  }
  await open(node.ready.registrar, { host: marker, place: `/api/resolve/${marker}` });
  await open(node.ready.registrar, { host: marker, place: `/api/${marker}` });
}

/** Resolves when there is an answer, or none. */
async function open(
  address: string,
  { host, place }: { host: string; place: string },
): Promise<void> {
  const [hostname, port] = address.replace(/^http:\/\//, '').split(':');
  const headers = {
    host,
    'user-agent': marker,
    referer: marker,
    authorization: `Bearer ${marker}`,
  };
  const asked = request({ hostname, port, path: place, headers });
  const { promise, resolve } = Promise.withResolvers<void>();
  asked.on('response', (response) => response.resume().on('close', resolve));
  asked.on('error', () => resolve());
  asked.end();
  await promise;
}

/** Datagrams and connections that speak no protocol. */
async function sendNonsense({ ready }: ClusterNode): Promise<void> {
  const [host = '', port = ''] = ready.listen.split(':');
  const socket = createSocket('udp4');
  for (let type = 0; type < 8; type++) {
    const datagram = Buffer.alloc(1200, marker);
    datagram[0] = type;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.send(datagram, Number(port), host, () => resolve());
    await promise;
  }
  socket.close();
  for (const address of [ready.listen, ready.gateway, ready.registrar]) {
    const [name = '', at = ''] = address.replace(/^http:\/\//, '').split(':');
    const connection = connect(Number(at), name);
    connection.on('error', () => undefined);
    connection.end(`${marker} ${marker}\r\n\r\n`.repeat(100));
    connection.resume();
    await once(connection, 'close');
  }
}
