/**
 * The node processes of bench/wan.ts: the product's own node, started as `altnet start` starts it,
 * that takes its commands as lines of JSON on stdin and answers each with one on stdout. Times are
 * taken here, around the same calls that the command line and the API make.
 */
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { quietNode } from '../src/cli/connect.ts';
import { startNode } from '../src/node/node.ts';
import type { RunningNode } from '../src/node/node.ts';
import type { WanAnswer, WanAnswerBody, WanCommand, WanNodeOptions } from './wan-hosts.ts';

const { data, address, bootstrap, guest } = JSON.parse(process.argv[2] ?? '{}') as WanNodeOptions;

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function put({ services }: RunningNode, url: string, target: string): Promise<WanAnswerBody> {
  const beganMs = performance.now();
  const { stored } = await services.putLink({ url, target });
  return { doneMs: performance.now() - beganMs, count: stored };
}

async function get({ services }: RunningNode, url: string): Promise<WanAnswerBody> {
  const beganMs = performance.now();
  let firstMs: number | undefined;
  let count = 0;
  for await (const line of services.getLinks(url)) {
    if ('done' in line) continue;
    firstMs ??= performance.now() - beganMs;
    count += 1;
  }
  return { firstMs, doneMs: performance.now() - beganMs, count };
}

async function run(node: RunningNode, command: WanCommand): Promise<WanAnswerBody> {
  if (command.do === 'put') return put(node, command.url, command.target);
  if (command.do === 'get') return get(node, command.url);
  return { doneMs: 0, count: (await node.services.stats()).table };
}

const node = await startNode({
  ...quietNode,
  listen: address,
  guest,
  bootstrap: bootstrap === undefined ? [] : [bootstrap],
  network: 'main',
  data,
  keydir: path.join(data, 'keys'),
});
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...command } = JSON.parse(line) as WanCommand & { id: number };
  run(node, command as WanCommand).then(
    (body) => say({ id, ...body } satisfies WanAnswer),
    (error: unknown) => say({ id, error: String(error) } satisfies WanAnswer),
  );
}
await node.stop();
