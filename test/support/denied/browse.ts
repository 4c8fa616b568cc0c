/** A browser that asks a gateway for a host without asking the system where that is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly location: string | undefined;
}

interface Asked {
  readonly gateway: { readonly host: string; readonly port: number };
}

/** The path as it is, whatever it holds. */
export async function browse(node: Asked, host: string, path = '/'): Promise<Answer> {
  const response = await ask(node, host, path);
  const pieces: string[] = []; // BOUNDED by one page
  for await (const piece of response.setEncoding('utf8')) pieces.push(String(piece));
  const { statusCode: status, headers } = response;
  return { status, body: pieces.join(''), location: headers.location };
}

/** What comes of an answer until it is broken off, as it has to be; that may be nothing. */
export async function browseBroken(node: Asked, host: string, path: string): Promise<string> {
  const pieces: string[] = []; // BOUNDED by one small archive
  await assert.rejects(async () => {
    const response = await ask(node, host, path);
    for await (const piece of response.setEncoding('utf8')) pieces.push(String(piece));
  });
  return pieces.join('');
}

async function ask({ gateway }: Asked, host: string, path: string): Promise<IncomingMessage> {
  const asked = request({ ...gateway, path, headers: { host }, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}
