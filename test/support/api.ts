/** The API with a node that is none behind it, for tests of what lies between a caller and a node. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { Api, type ApiLimits } from '../../src/api/api.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { atEnd } from './cleanup.ts';
import { FixedServices } from './node-services.ts';

export const token = 'correct-horse-battery-staple';
export const bearer: Readonly<Record<string, string>> = { authorization: `Bearer ${token}` };

export interface Init {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  signal?: AbortSignal;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: Record<string, unknown>;
}

export interface Running {
  readonly services: FixedServices;
  readonly api: Api;
  readonly port: number;
  readonly call: (path: string, init?: Init) => Promise<Answer>;
  readonly post: (path: string, body: unknown) => Promise<Answer>;
}

/** An API in front of fixed services. */
export async function running(t: TestContext, limits: Partial<ApiLimits> = {}): Promise<Running> {
  const services = new FixedServices();
  const api = new Api(
    { services, token, log: silentLogger },
    { host: '127.0.0.1', port: 0, limits },
  );
  await api.start();
  atEnd(t, () => api.stop());
  const { port } = api.address();
  const call: Running['call'] = async (path, init = {}) => {
    const headers = { ...bearer, ...init.headers };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json');
    const json = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
    return { status: answer.status, headers: answer.headers, text, json };
  };
  const post: Running['post'] = (path, body) =>
    call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { services, api, port, call, post };
}

/** Sends `head` as it is and gives all that comes back until the server hangs up. */
export async function raw(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(head);
  const chunks: Uint8Array[] = [];
  socket.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}
