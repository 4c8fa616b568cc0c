import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { type ManualWorld, manualWorld } from '../../test/support/manual-world.ts';
import { type FindRouter, type MappingStatus, PortMapping } from './port-mapping.ts';
import { type MappingWish, type Router, RouterRefusal } from './router.ts';

const home = { gateway: '192.168.1.1', local: '192.168.1.2' };
const port = 4001;
const minuteMs = 60_000;

/** Lets all promises that can settle do so; nothing here waits for the system. */
async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

interface Given {
  /** External ports that somebody else has. */
  readonly taken?: readonly number[];
  readonly externalIp?: string;
  readonly local?: string;
  /** What the router says no to. */
  refuses?: (wish: MappingWish) => boolean;
  isGone?: boolean;
}

interface Scene {
  readonly mapping: PortMapping;
  readonly world: ManualWorld;
  readonly held: Map<string, MappingWish>;
  /** How often something was asked of the router. */
  readonly asked: { count: number };
}

const silent: FindRouter = async () => {
  throw new RouterRefusal('it does not answer');
};

function scene(t: TestContext, given: Given = {}): Scene {
  const world = manualWorld();
  const held = new Map<string, MappingWish>();
  const asked = { count: 0 };
  const answer = (): void => {
    asked.count++;
    if (given.isGone === true) throw new RouterRefusal('it does not answer');
  };
  const router: Router = {
    language: 'NAT-PMP',
    async externalIp() {
      answer();
      return given.externalIp ?? '45.1.2.3';
    },
    async map(wish) {
      answer();
      if (given.refuses?.(wish) === true) throw new RouterRefusal('it refused (606)');
      if (given.taken?.includes(wish.externalPort) === true) {
        throw new RouterRefusal('the port is taken', { isConflict: true });
      }
      held.set(wish.protocol, wish);
      return wish;
    },
    async unmap({ protocol }) {
      answer();
      held.delete(protocol);
    },
  };
  const find: FindRouter = async () => {
    answer();
    return router;
  };
  const mapping = new PortMapping(
    {
      world,
      log: silentLogger,
      route: async () => ({ ...home, local: given.local ?? home.local }),
      routers: [silent, find],
    },
    { port, listensAt: (address) => address !== '192.168.1.77' },
  );
  t.after(() => mapping.stop());
  return { mapping, world, held, asked };
}

async function started(at: Scene): Promise<MappingStatus> {
  at.mapping.start();
  await settled();
  return at.mapping.status();
}

test('both ports are mapped, renewed while the node runs, and taken back', async (t) => {
  const at = scene(t);
  assert.deepEqual(await started(at), {
    kind: 'mapped',
    language: 'NAT-PMP',
    externalIp: '45.1.2.3',
    tcpPort: port,
    udpPort: port,
  });
  const { count } = at.asked;
  await at.world.advanceAsync(29 * minuteMs);
  assert.equal(at.asked.count, count, 'a lease of an hour is not renewed before half of it');
  await at.world.advanceAsync(2 * minuteMs);
  await settled();
  assert.equal(at.asked.count, count + 3, 'address, TCP, UDP');
  await at.mapping.stop();
  assert.equal(at.held.size, 0);
  await at.world.advanceAsync(120 * minuteMs);
  assert.equal(at.asked.count, count + 5, 'nothing is asked after the two that take it back');
});

test('a number that is taken: TCP gets another one, UDP none', async (t) => {
  const at = scene(t, { taken: [port] });
  const status = await started(at);
  assert.equal(status.kind, 'mapped');
  assert.ok(status.tcpPort >= 20_000 && status.tcpPort < 60_000);
  assert.equal(status.udpPort, undefined);
});

test('a router that maps only TCP is worth having', async (t) => {
  const at = scene(t, { refuses: ({ protocol }) => protocol === 'udp' });
  const status = await started(at);
  assert.equal(status.kind === 'mapped' && status.udpPort, undefined);
});

test('a router behind another one maps nothing', async (t) => {
  const at = scene(t, { externalIp: '100.64.1.2' });
  const status = await started(at);
  assert.deepEqual(status, { kind: 'none', why: 'it is behind a NAT itself' });
  assert.equal(at.held.size, 0);
});

test('nothing is asked with a public address, or where this node does not listen', async (t) => {
  for (const local of ['45.9.9.9', '192.168.1.77']) {
    const at = scene(t, { local });
    assert.deepEqual(await started(at), { kind: 'unneeded' });
    assert.equal(at.asked.count, 0);
  }
});

test('a router that goes away is asked again later, and when the network changes', async (t) => {
  const given: Given = {};
  const at = scene(t, given);
  await started(at);
  given.isGone = true;
  await at.world.advanceAsync(31 * minuteMs);
  await settled();
  assert.equal(at.mapping.status().kind, 'none');
  given.isGone = false;
  await at.world.advanceAsync(16 * minuteMs);
  await settled();
  assert.equal(at.mapping.status().kind, 'mapped');
  given.isGone = true;
  at.mapping.wake();
  await settled();
  assert.equal(at.mapping.status().kind, 'none');
});
