/**
 * The measured node of bench/dht.ts: the product's own, started as a command without a running node
 * starts it, so it answers nobody and its CPU time is that of its own requests. Beside it a bare
 * transport, for what the same number of sealed requests costs without anything that asks them.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { quietNode } from '../src/cli/connect.ts';
import { formatEndpoint } from '../src/base/address.ts';
import type { Contact } from '../src/identity/contact.ts';
import { SigningKey } from '../src/identity/key.ts';
import { type RunningNode, startNode } from '../src/node/node.ts';
import { networkId, networkProfiles } from '../src/record/network.ts';
import { UdpTransport } from '../src/rpc/transport.ts';
import { answerWith } from './forked.ts';

export interface ClientTask {
  readonly do: 'lookup' | 'put' | 'get' | 'sealed';
  readonly times: number;
}

/** The first question: where the servers are. */
export interface StartClient {
  readonly data: string;
  readonly servers: readonly Contact[];
}

export interface ClientCost {
  readonly cpuMs: number;
  /** Requests that were sent, answered or not. */
  readonly requests: number;
}

/** As many requests at the same time as a lookup has. */
const sealedAtOnce = 5;

let client: Client | undefined;

class Client {
  readonly #node: RunningNode;
  readonly #transport: UdpTransport;
  readonly #servers: readonly Contact[];
  #puts = 0;
  #gets = 0;

  constructor(node: RunningNode, transport: UdpTransport, servers: readonly Contact[]) {
    this.#node = node;
    this.#transport = transport;
    this.#servers = servers;
  }

  async run({ do: what, times }: ClientTask): Promise<ClientCost> {
    const before = await this.#requests();
    const cpu = process.cpuUsage();
    if (what === 'sealed') await this.#sealed(times);
    else for (let i = 0; i < times; i++) await this.#once(what);
    const { user, system } = process.cpuUsage(cpu);
    const requests = what === 'sealed' ? times : (await this.#requests()) - before;
    return { cpuMs: (user + system) / 1000, requests };
  }

  async #once(what: 'lookup' | 'put' | 'get'): Promise<void> {
    const { services } = this.#node;
    if (what === 'lookup') {
      const found = await services.find(randomBytes(32).toString('hex'));
      if (found.length < 20) throw new Error(`a lookup found ${found.length} nodes`);
    } else if (what === 'put') {
      const target = 'https://mirror.example/driver.rar';
      const { stored } = await services.putLink({ url: urlOf(this.#puts++), target });
      if (stored < 2) throw new Error(`a link is stored on ${stored} nodes`);
    } else {
      let found = 0;
      for await (const line of services.getLinks(urlOf(this.#gets++))) {
        if ('target' in line) found++;
      }
      if (found !== 1) throw new Error(`${found} links are found instead of one`);
    }
  }

  async #sealed(times: number): Promise<void> {
    let left = times;
    const target = new Uint8Array(32);
    const lane = async (): Promise<void> => {
      for (let i = left--; i > 0; i = left--) {
        const server = this.#servers[i % this.#servers.length];
        if (server) await this.#transport.call(server, { method: 'find', target });
      }
    };
    await Promise.all(Array.from({ length: sealedAtOnce }, lane));
  }

  async #requests(): Promise<number> {
    const { requests } = await this.#node.services.dht();
    return Object.entries(requests)
      .filter(([name]) => /^(un)?answered\./.test(name))
      .reduce((sum, [, count]) => sum + count, 0);
  }
}

function urlOf(number: number): string {
  return `http://dead.example/${number}`;
}

async function start({ data, servers }: StartClient): Promise<Client> {
  const node = await startNode({
    ...quietNode,
    listen: '127.0.0.1:0',
    guest: true,
    bootstrap: servers.slice(0, 1).map(({ endpoint }) => formatEndpoint(endpoint)),
    network: 'local',
    data,
    keydir: path.join(data, 'keys'),
  });
  const transport = new UdpTransport(
    {
      world: systemWorld,
      key: new SigningKey('node', new Uint8Array(32).fill(1)),
      network: networkId(networkProfiles.local),
      log: silentLogger,
      contactRecord: () => undefined,
      isServer: () => false,
    },
    { listen: [{ host: '127.0.0.1', port: 0 }] },
  );
  await transport.start();
  return new Client(node, transport, servers);
}

answerWith(async (question: StartClient | ClientTask): Promise<ClientCost> => {
  if ('do' in question) {
    if (!client) throw new Error('the client was not started');
    return client.run(question);
  }
  client = await start(question);
  return { cpuMs: 0, requests: 0 };
});
