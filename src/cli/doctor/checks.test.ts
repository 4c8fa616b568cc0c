import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { atEnd } from '../../../test/support/cleanup.ts';
import { FixedServices, samples } from '../../../test/support/node-services.ts';
import type { OwnName, ResolveResult } from '../../api/ports-names.ts';
import type { StatsResult } from '../../api/ports-network.ts';
import type { NodeServices } from '../../api/ports.ts';
import type { CertificateInfo, RevocationListInfo } from '../../api/ports-trust.ts';
import { systemWorld, type World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { silentLogger } from '../../base/logger.ts';
import { SigningKey } from '../../identity/key.ts';
import { askBootstraps } from '../../node/ask-bootstraps.ts';
import { parseBootstrapAddress } from '../../node/bootstrap.ts';
import { formatEndpoint } from '../../base/address.ts';
import { networkId, networkProfiles } from '../../record/network.ts';
import { UdpTransport } from '../../rpc/transport.ts';
import { judgeAddresses } from './browser.ts';
import { clock } from './clock.ts';
import { examine } from './doctor.ts';
import type { Check, CheckContext, Finding } from './finding.ts';
import { certificates } from './certificates.ts';
import { names } from './names.ts';
import { findNode } from './node-state.ts';
import { reachability } from './reachability.ts';
import { revocations } from './revocations.ts';
import { judgeRuntime } from './runtime.ts';

const nowSeconds = 1_800_000_000;
const day = 86_400;

/** A running node that answers like this. */
function contextOf({
  services = {},
  stats = {},
}: { services?: object; stats?: Partial<StatsResult> } = {}): CheckContext {
  const own: NodeServices = Object.assign(new FixedServices(), services);
  return {
    version: '0.0.0',
    folders: { data: '/none', keydir: '/none/keys' },
    node: { state: 'running', pid: 1, services: own, stats: { ...samples.stats, ...stats } },
    ports: [],
    budgetBytes: 1,
    bootstraps: async () => [],
    nowMs: () => nowSeconds * 1000,
    signal: new AbortController().signal,
  };
}

async function lines(check: Check, context: CheckContext): Promise<string[]> {
  return (await check.run(context)).map(({ status, found }) => `${status} ${found}`);
}

const judgedNode = (node: string): string => judgeRuntime(node, '0.1.0').status;

test('runtime: an even version from 24.15 on', () => {
  assert.deepEqual(['22.20.0', '24.14.9', '25.9.0'].map(judgedNode), ['fail', 'fail', 'fail']);
  assert.deepEqual(['24.15.0', '24.21.0', '26.0.0'].map(judgedNode), ['ok', 'ok', 'ok']);
});

/** A node whose clock is off by so much. */
async function startOff(t: Parameters<typeof atEnd>[0], seconds: number): Promise<string> {
  const world: World = {
    ...systemWorld,
    clock: { ...systemWorld.clock, unixMs: () => systemWorld.clock.unixMs() + seconds * 1000 },
  };
  const transport = new UdpTransport(
    {
      world,
      key: new SigningKey('node', world.random.bytes(32)),
      network: networkId(networkProfiles.local),
      log: silentLogger,
      contactRecord: () => undefined,
      isServer: () => true,
    },
    { listen: [{ host: '127.0.0.1', port: 0 }] },
  );
  transport.serve(() => ({ method: 'ping', contactRecord: undefined }));
  await transport.start();
  atEnd(t, () => transport.stop());
  return transport.address().map(formatEndpoint)[0] ?? '';
}

test('clock: compared with bootstrap nodes whose clocks are off', async (t) => {
  const { signal } = new AbortController();
  const judge = async (seconds: number): Promise<string> => {
    const address = parseBootstrapAddress(await startOff(t, seconds));
    const options = { networks: ['main', 'local'], world: systemWorld, timeoutMs: 5000 } as const;
    const answers = await askBootstraps([address], { ...options, signal });
    assert.equal(answers[0]?.answer?.network, 'local', String(answers[0]?.error));
    const context = {
      ...contextOf(),
      node: { state: 'none' },
      bootstraps: async () => answers,
    } as const;
    return (await lines(clock, context)).join();
  };
  assert.match(await judge(0), /^ok /);
  assert.match(await judge(120), /^warn it is 2 min 0 s behind|^warn it is 1 min 59 s behind/);
  assert.match(await judge(-7200), /^fail it is 2 h 0 min ahead of the bootstrap nodes/);
});

async function judgeOffset(clockOffsetSeconds: number): Promise<string> {
  return (await lines(clock, contextOf({ stats: { clockOffsetSeconds } }))).join();
}

test('clock: the peers of a running node know better', async () => {
  assert.equal(await judgeOffset(-20), 'ok it agrees with the peers of the node');
  assert.match(await judgeOffset(61), /^warn .* behind the peers/);
  assert.match(await judgeOffset(-301), /^fail .* ahead of the peers/);
});

test('reachability: a server is well, a client hears why', async () => {
  assert.match((await lines(reachability, contextOf())).join(), /^ok server; seen at 51\.0\.0\.1/);
  const client = { mode: 'client', reason: 'nobody knocks', listen: '0.0.0.0:9123' } as const;
  const [finding] = await reachability.run(contextOf({ stats: client }));
  assert.match(finding?.found ?? '', /^client, as nobody knocks/);
  assert.ok(finding && 'advice' in finding && finding.advice.includes('9123'));
});

const name = (label: string): OwnName => ({
  name: `${label}.alt`,
  root: '',
  cid: '',
  owner: '',
  registered_at: 0,
  updated_at: 0,
  version: 1,
});

test('names: those that were not renewed, were lost, or cannot be asked for', async () => {
  const answers: Record<string, Partial<ResolveResult>> = {
    'good.alt': { state: 'ok', expires: nowSeconds + 40 * day },
    'late.alt': { state: 'ok', expires: nowSeconds + 3 * day },
    'lost.alt': { state: 'contested' },
  };
  const services = {
    names: async () => [
      ...['good', 'late', 'lost', 'mute'].map(name),
      { ...name('lent'), certified_until: nowSeconds + day },
    ],
    resolve: async (what: string) => {
      const answer = answers[what];
      if (!answer) throw new AltNetError('NO_ANSWER', { what, answered: 0, wanted: 1 });
      return answer;
    },
  };
  const found = await lines(names, contextOf({ services }));
  assert.match(found[0] ?? '', /^warn late\.alt expires .* and was not renewed/);
  assert.equal(found[1], 'warn lost.alt does not resolve: contested');
  assert.match(found[2] ?? '', /^warn mute\.alt: of those who would know, too few answered/);
  assert.match(found[3] ?? '', /^warn the certificate of lent\.alt ends /);
  assert.equal(found[4], 'ok 1 name of yours in order');
});

test('certificates: expired ones fail, withdrawn ones do not matter', async () => {
  const certificate = (over: Partial<CertificateInfo>): CertificateInfo => ({
    name: 'a.alt',
    zone: '',
    owner: '',
    serial: 1,
    not_before: 0,
    not_after: nowSeconds + 100 * day,
    state: 'valid',
    certificate: '',
    ...over,
  });
  const given = [
    certificate({}),
    certificate({ name: 'b.alt', not_after: nowSeconds + day }),
    certificate({ name: 'c.alt', state: 'expired', not_after: 1 }),
    certificate({ name: 'd.alt', state: 'withdrawn' }),
  ];
  const services = { certificates: async () => given };
  assert.deepEqual(await lines(certificates, contextOf({ services })), [
    'fail expired: c.alt',
    'warn about to expire: b.alt',
    'ok 1 certificate of yours in order',
  ]);
});

const revokerList = (over: Partial<RevocationListInfo>): RevocationListInfo => ({
  revoker: 'ab'.repeat(32),
  entries: 1,
  issued: nowSeconds,
  state: 'fresh',
  ...over,
});

test('revocations: stale, unseen and contradicting lists are worth a look', async () => {
  const followed = [
    revokerList({}),
    revokerList({ state: 'stale' }),
    { revoker: 'cd'.repeat(32), entries: 0, state: 'unknown' },
    revokerList({ equivocated: true }),
  ];
  const found = await lines(
    revocations,
    contextOf({ services: { revocations: async () => followed } }),
  );
  assert.deepEqual(
    found.map((line) => line.split(' ')[0]),
    ['ok', 'warn', 'warn', 'warn'],
  );
  assert.deepEqual(
    await lines(revocations, contextOf({ services: { revocations: async () => [] } })),
    ['ok no revoker is trusted'],
  );
});

function judgedAddresses(...addresses: string[]): Finding['status'] {
  return judgeAddresses(addresses).status;
}

test('browser: NAME.localhost must lead here', () => {
  assert.equal(judgedAddresses('127.0.0.1', '::1'), 'ok');
  assert.equal(judgedAddresses('127.0.0.1', '192.0.2.7'), 'fail');
});

test('a check that does not end, or throws, is a finding; the others go on', async () => {
  const { promise: never } = Promise.withResolvers<readonly Finding[]>();
  const list: Check[] = [
    { name: 'stuck', run: () => never },
    { name: 'broken', run: () => Promise.reject(new AltNetError('BUSY', { what: 'it' })) },
    { name: 'good', run: async () => [{ status: 'ok', found: 'yes' }] },
  ];
  const findings = await examine(contextOf(), { list, timeoutMs: 30 });
  assert.deepEqual(
    findings.map(({ check, status }) => `${status} ${check}`),
    ['warn stuck', 'fail broken', 'ok good'],
  );
});

test('at the prompt of a node, that one is looked at', async () => {
  const node = await findNode({
    shell: undefined,
    folders: { data: '/none', keydir: '/none' },
    services: async () => new FixedServices(),
    signal: new AbortController().signal,
  });
  assert.deepEqual([node.state, node.state === 'running' && node.pid], ['running', process.pid]);
});

test('Ctrl-C ends it', async () => {
  const { promise: never } = Promise.withResolvers<readonly Finding[]>();
  const stopping = new AbortController();
  const work = examine(contextOf(), {
    list: [{ name: 'stuck', run: () => never }],
    signal: stopping.signal,
  });
  stopping.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(work, { code: 'ABORTED' });
});
