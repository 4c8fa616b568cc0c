/**
 * The node processes of bench/wan-content.ts: the product's own node with its gateway, and the
 * browser in front of it. Commands come as lines of JSON on stdin, each is answered with one on
 * stdout. Times are taken here: around the calls of the command line, and at the browser's socket.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { quietNode } from '../src/cli/connect.ts';
import type { Progress } from '../src/content/types.ts';
import { startNode, type RunningNode } from '../src/node/node.ts';
import { readTcp, serveTcp } from './wan-tcp.ts';
import type { TableCommand, WanAnswer, WanAnswerBody, WanNodeOptions } from './wan-hosts.ts';

export type ContentCommand =
  | TableCommand
  | { readonly do: 'publish'; readonly path: string; readonly name?: string }
  /** A page as a browser gets it. `host` is a name or a CID. */
  | {
      readonly do: 'page';
      readonly host: string;
      readonly path: string;
      /** Bytes, both inclusive. */
      readonly range?: readonly [from: number, to: number];
    }
  | { readonly do: 'fetch'; readonly what: string; readonly dest: string }
  /** How many connections for streams to other nodes are open. */
  | { readonly do: 'connections' }
  /** The same bytes over plain TCP from these hosts. */
  | { readonly do: 'tcp'; readonly bytes: number; readonly from: readonly string[] }
  /** The most memory that the process ever held, in megabytes. */
  | { readonly do: 'peak' };

/** More than what any node of the bench holds. */
const storeBudgetBytes = 4 * 1024 ** 3;

const tcpPort = 9100;

function hostOf(text: string): string {
  return text.slice(0, text.lastIndexOf(':'));
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function openPage(
  { ready }: RunningNode,
  { host, path: at, range }: ContentCommand & { do: 'page' },
): Promise<WanAnswerBody> {
  const beganMs = performance.now();
  const [hostname, port] = (ready.gateway ?? '').split(':');
  const asked = request({
    host: hostname,
    port,
    path: at,
    agent: false,
    headers: {
      host: `${host}.localhost:${port}`,
      ...(range && { range: `bytes=${range[0]}-${range[1]}` }),
    },
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let firstMs: number | undefined;
  let count = 0;
  for await (const chunk of response) {
    firstMs ??= performance.now() - beganMs;
    count += (chunk as Buffer).length;
  }
  const wanted = range ? 206 : 200;
  if (response.statusCode !== wanted) throw new Error(`the gateway said ${response.statusCode}`);
  return { firstMs, doneMs: performance.now() - beganMs, count };
}

/** What is answered, and how. Times are taken here. */
type Answers = {
  readonly [D in ContentCommand['do']]: (
    node: RunningNode,
    command: ContentCommand & { do: D },
  ) => Promise<Omit<WanAnswerBody, 'doneMs'> & { readonly doneMs?: number }>;
};

const answers: Answers = {
  table: async ({ services }) => ({ count: (await services.stats()).table }),
  publish: async ({ services }, command) => {
    const { announced, cid } = await services.publish(command);
    return { count: announced, root: cid };
  },
  page: openPage,
  fetch: async ({ services }, command) => {
    const beganMs = performance.now();
    let firstMs: number | undefined;
    const onProgress = ({ bytes: got }: Progress): void => {
      if (got > 0) firstMs ??= performance.now() - beganMs;
    };
    const { bytes, peers } = await services.fetch(command, { onProgress });
    return { firstMs, count: bytes, peers };
  },
  connections: async ({ services }) => {
    const peers = await services.peers();
    return { count: peers.filter(({ via }) => via === 'connection').length };
  },
  tcp: (_, { bytes, from }) => {
    const servers = from.map((host) => `${host}:${tcpPort}`);
    return readTcp(bytes, servers);
  },
  peak: async () => {
    const status = await readFile('/proc/self/status', 'utf8');
    return { count: Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024 };
  },
};

async function run<D extends ContentCommand['do']>(
  node: RunningNode,
  command: ContentCommand & { do: D },
): Promise<WanAnswerBody> {
  const beganMs = performance.now();
  const answer = await answers[command.do](node, command);
  return { doneMs: performance.now() - beganMs, ...answer };
}

const { data, address, bootstrap, guest } = JSON.parse(process.argv[2] ?? '{}') as WanNodeOptions;
const node = await startNode({
  ...quietNode,
  listen: address,
  guest,
  bootstrap: bootstrap === undefined ? [] : [bootstrap],
  gateway: '127.0.0.1:0',
  network: 'local',
  // Who provides what is for the bench to say, and copies in the background would share the lines.
  replicas: 0,
  storeBudgetBytes,
  data,
  keydir: path.join(data, 'keys'),
});
await serveTcp({ host: hostOf(address), port: tcpPort });
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...command } = JSON.parse(line) as ContentCommand & { id: number };
  run(node, command as ContentCommand).then(
    (body) => say({ id, ...body } satisfies WanAnswer),
    (error: unknown) => say({ id, error: String(error) } satisfies WanAnswer),
  );
}
await node.stop();
