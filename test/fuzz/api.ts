/**
 * Fuzzing of the API of a running node over real sockets: every endpoint of its document, with
 * input that is nearly right, wrong, missing, huge or broken off, and requests that are hardly any.
 * Whatever comes, the answer must be an error of the caller or of the network, never of the node.
 */
import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../src/base/logger.ts';
import { forEachOf } from '../../src/base/parallel.ts';
import { startNode } from '../../src/node/node.ts';
import { nodeOptionsIn } from '../support/node-options.ts';
import { type ApiDocument, DocumentedAnswers, type Operation } from '../support/openapi.ts';
import { inputFor, type InputPlaces, tarFor } from './api-input.ts';
import type { Dice } from './dice.ts';

const token = 'fuzz-0123456789abcdef';
/** Nobody is there to answer for the network, and some work would wait for that. */
const patienceMs = 1000;
const atOnce = 8;
const networkStatuses: ReadonlySet<number> = new Set([502, 503, 504, 507]);

interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

interface Bench {
  readonly port: number;
  readonly answers: DocumentedAnswers;
  readonly endpoints: readonly Endpoint[];
  readonly places: InputPlaces;
}

/** How often each status was the answer, by "200" …; "left" where the caller went away. */
export async function fuzzApi(dice: Dice, runs: number): Promise<Record<string, number>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'altnet-fuzz-'));
  const site = path.join(folder, 'site');
  await mkdir(site);
  await writeFile(path.join(site, 'index.html'), 'a site');
  const data = path.join(folder, 'data');
  const api = { registrar: '127.0.0.1:0', registrarExplicit: true, registrarToken: token };
  const node = await startNode(nodeOptionsIn(data, api), { log: silentLogger });
  const counts: Record<string, number> = {};
  try {
    const port = Number((node.ready.registrar ?? '').split(':').at(-1));
    const bench = await openBench(port, { site, out: path.join(folder, 'out') });
    // What is asked depends on the dice alone, as each request is made when its turn comes.
    await forEachOf(Array.from({ length: runs }), atOnce, async () => {
      const status = await exchange(bench, dice);
      counts[status] = (counts[status] ?? 0) + 1;
    });
    const alive = await converse(port, requestText('GET', '/api/node', [bearer]));
    assert.match(alive, /^HTTP\/1\.1 200 /, 'it still answers');
    return counts;
  } finally {
    await node.stop();
    await rm(folder, { recursive: true });
  }
}

const bearer = `Authorization: Bearer ${token}`;

async function openBench(port: number, places: InputPlaces): Promise<Bench> {
  const text = await converse(port, requestText('GET', '/api/openapi.json', [bearer]));
  const document = JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as ApiDocument;
  const endpoints = Object.entries(document.paths).flatMap(([at, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: at,
      operation,
    })),
  );
  return { port, answers: new DocumentedAnswers(document), endpoints, places };
}

/** One request and its answer. Throws when the node breaks a promise. */
async function exchange(bench: Bench, dice: Dice): Promise<string> {
  const endpoint = dice.pick(bench.endpoints);
  const isOdd = dice.oneIn(8);
  const request = isOdd
    ? oddRequest(endpoint, dice)
    : orderlyRequest(endpoint, { dice, places: bench.places });
  const answer = await converse(bench.port, request, { dice });
  if (answer === '') return 'left';
  try {
    return checkAnswers(answer, isOdd ? undefined : { bench, endpoint });
  } catch (error) {
    const shown = Buffer.from(request).subarray(0, 4096).toString('latin1');
    throw new Error(`${shown}\n--\n${answer.slice(0, 4096)}`, { cause: error });
  }
}

function checkAnswers(
  text: string,
  asked: { readonly bench: Bench; readonly endpoint: Endpoint } | undefined,
): string {
  const [, digits = ''] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
  const status = Number(digits);
  assert.ok(status >= 200, 'an answer has a status');
  assert.ok(status < 500 || networkStatuses.has(status), `${status} is no fault of the node`);
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s);
  const [, type = ''] = /^content-type: (.*)$/im.exec(head) ?? [];
  assert.doesNotMatch(head, /access-control/i);
  if (!type.startsWith('application/json') || /^transfer-encoding/im.test(head)) return digits;
  if (body === '' && !asked) return digits; // of HEAD
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? body.length);
  const json = JSON.parse(Buffer.from(body).subarray(0, length).toString()) as object;
  if (status >= 400) assert.equal(typeof (json as { error?: unknown }).error, 'string');
  else asked?.bench.answers.check({ ...asked.endpoint, status, type, body: json });
  return digits;
}

/** Input of all kinds, in a request that is one. */
function orderlyRequest(
  { method, path: at, operation }: Endpoint,
  { dice, places }: { readonly dice: Dice; readonly places: InputPlaces },
): Uint8Array {
  const target = at.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    asText(inputFor(name, { type: 'string' }, { dice, places })),
  );
  const query = (operation.parameters ?? []).flatMap(({ name, in: place, schema }) => {
    if (place !== 'query' || dice.oneIn(2)) return [];
    const value = inputFor(name, schema, { dice, places });
    return [`${name}=${asText(value)}`];
  });
  const suffix = query.length > 0 ? `?${query.join('&')}` : '';
  const content = Object.entries(operation.requestBody?.content ?? {});
  if (content.length === 0) return requestText(method, target + suffix, [bearer]);
  const [type, { schema }] = dice.pick(content);
  const said = dice.oneIn(12) ? dice.pick(['text/html', 'application/json', '', 'x/y;']) : type;
  const body = bodyFor(type, schema, { dice, places });
  const accept = dice.oneIn(4) ? ['Accept: application/x-ndjson'] : [];
  const headers = [bearer, ...accept, `Content-Type: ${said}`, `Content-Length: ${body.length}`];
  return Buffer.concat([requestText(method, target + suffix, headers), body]);
}

/** As a part of a URL. */
function asText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return encodeURIComponent(text.toWellFormed());
}

function bodyFor(
  type: string,
  schema: object,
  { dice, places }: { readonly dice: Dice; readonly places: InputPlaces },
): Uint8Array {
  if (type === 'application/json') {
    return Buffer.from(JSON.stringify(inputFor('', schema, { dice, places })) ?? '');
  }
  if (type.includes('tar') || type.includes('gzip')) return tarFor(dice);
  return dice.bytes(dice.below(70_000));
}

/** Requests that are hardly any, or that others should not be able to make. */
function oddRequest({ method, path: at }: Endpoint, dice: Dice): Uint8Array {
  const odd: readonly (() => string | Uint8Array)[] = [
    () => requestText(dice.pick(['PUT', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'get']), at, [bearer]),
    () => requestText(method, at, dice.pick([[], ['Authorization: Bearer'], ['Authorization: x']])),
    () => requestText(method, at, [`Authorization: Bearer ${'x'.repeat(dice.below(3000))}`]),
    () => requestText(method, at, [bearer, bearer]),
    () => requestText(method, at, [bearer, 'Origin: http://evil.example']),
    () => requestText(method, at, [bearer, 'Host: evil.example']),
    () => requestText(method, at, [bearer, 'Content-Length: 5', 'Content-Length: 6']),
    () => requestText(method, at, [bearer, 'Content-Length: 99', 'Content-Type: application/json']),
    () => requestText(method, at, [bearer, 'Transfer-Encoding: chunked', 'Content-Type: a/b']),
    () => requestText(method, at, [bearer, `X-Long: ${'x'.repeat(20_000)}`]),
    () => requestText(method, `${at}/${'a'.repeat(dice.below(9000))}`, [bearer]),
    () => requestText(method, dice.pick(['*', '//', '/%', '/api/%ff', 'http://x/']), [bearer]),
    () => `${method} ${at} HTTP/1.1\r\nHost: localhost\r\n${bearer}\r\n`,
    () => dice.bytes(1 + dice.below(600)),
    () => Buffer.concat([false, false, true].map((isLast) => nodeRequest(isLast))),
  ];
  return Buffer.from(dice.pick(odd)());
}

function nodeRequest(isLast: boolean): Buffer {
  return requestText('GET', '/api/node', [bearer], isLast);
}

function requestText(
  method: string,
  target: string,
  headers: readonly string[],
  isLast = true,
): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: localhost', ...headers];
  if (isLast) lines.push('Connection: close');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** All that comes back until the node hangs up; '' when the caller has lost its patience. */
function converse(
  port: number,
  request: Uint8Array,
  { dice }: { dice?: Dice } = {},
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const chunks: Uint8Array[] = [];
  const socket = connect(port, '127.0.0.1');
  const timer = setTimeout(() => socket.destroy(), patienceMs);
  socket.on('data', (chunk: Uint8Array) => chunks.push(chunk)).on('error', () => undefined);
  socket.once('close', () => {
    clearTimeout(timer);
    resolve(Buffer.concat(chunks).toString());
  });
  const how = dice?.below(16) ?? 2;
  const cut = dice === undefined ? 0 : dice.below(request.length + 1);
  if (how === 0) {
    socket.end(request.subarray(0, cut)); // half of it, and half closed
  } else if (how === 1) {
    socket.write(request.subarray(0, cut));
    setImmediate(() => socket.write(request.subarray(cut)));
  } else if (how === 3) {
    socket.end(request);
  } else {
    socket.write(request);
  }
  return promise;
}
