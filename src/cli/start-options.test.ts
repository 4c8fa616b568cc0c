import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { parseCommand } from './program.ts';
import { relayDefaults } from '../node/options.ts';
import { parseStart, type StartInput } from './start-options.ts';

/** What `altnet` makes of these words. */
async function start(line: string, interactive = false): Promise<StartInput> {
  const argv = line.split(' ').filter((word) => word !== '');
  const parsed = await parseCommand(argv, { inShell: true, version: '0', write: assert.fail });
  assert.equal(parsed?.definition.needs, 'itself');
  return parseStart(parsed?.input.options ?? {}, { cwd: '/work', interactive });
}

test('without options everything has its documented default', async () => {
  const { options, headless } = await start('');
  const { data, keydir, ...rest } = options;
  assert.equal(keydir, path.join(data, 'keys'));
  assert.deepEqual(rest, {
    listen: '0.0.0.0:9000',
    listenExplicit: false,
    bootstrap: [],
    gateway: '127.0.0.1:8080',
    gatewayExplicit: false,
    registrar: '127.0.0.1:9090',
    registrarExplicit: false,
    metrics: '127.0.0.1:9999',
    metricsExplicit: false,
    registrarToken: undefined,
    gatewayTls: undefined,
    dns: { address: '127.0.0.1:5354', explicit: false, ips: ['127.0.0.1'], upstream: [] },
    tld: 'alt',
    relay: relayDefaults,
    mdns: true,
    portMapping: true,
    public: false,
    guest: false,
    network: 'main',
    logLevel: 'info',
    logFormat: 'text',
    storeBudgetBytes: 1_073_741_824,
    perPeerBudgetBytes: 67_108_864,
    replicas: 6,
    repairIntervalMs: 3_600_000,
    publishGuide: true,
  });
  assert.equal(headless, false);
});

test('the one-dash spellings of older command lines work as written', async () => {
  const { options, headless } = await start(
    '-listen 0.0.0.0:9000 -gateway 127.0.0.1:8080 -dns 127.0.0.1:5353 -data data/store -keydir data/keys -headless -bootstrap host:9000',
  );
  assert.equal(options.listenExplicit, true);
  assert.equal(options.gatewayExplicit, true);
  assert.equal(options.data, '/work/data/store');
  assert.equal(options.keydir, '/work/data/keys');
  assert.deepEqual(options.bootstrap, ['host:9000']);
  assert.deepEqual([headless, options.dns?.address], [true, '127.0.0.1:5353']);
});

test('a service is switched off with --no- or an empty value', async () => {
  const off = ['--no-gateway --no-registrar --no-metrics', '--gateway= -registrar= -metrics='];
  for (const words of off) {
    const { options } = await start(words);
    const { gateway, registrar, metrics } = options;
    assert.deepEqual([gateway, registrar, metrics], [undefined, undefined, undefined], words);
  }
});

test('how others reach the node is off, by itself, or as the user says', async () => {
  const { options } = await start(
    'start --relay a:1,b:2 --tld Web --ca-dir x --dns-ip ::1,10.0.0.1 --dns-upstream 9.9.9.9,[::1]:54 --gateway-tls 127.0.0.1:8443 --relay-listen 0.0.0.0:4001 --relay-data-limit 2MiB --relay-time-limit 60 --relay-slots 5',
  );
  assert.deepEqual(options.gatewayTls, {
    address: '127.0.0.1:8443',
    explicit: true,
    caDir: '/work/x',
  });
  assert.equal(options.tld, 'web');
  assert.deepEqual(options.dns?.ips, ['::1', '10.0.0.1']);
  assert.deepEqual(options.dns?.upstream, ['9.9.9.9:53', '[::1]:54']);
  assert.deepEqual(options.relay, {
    listen: '0.0.0.0:4001',
    via: ['a:1', 'b:2'],
    search: false,
    connectionBytesMax: 2 ** 21,
    connectionMs: 60_000,
    slotsMax: 5,
  });
  const none = await start('start --no-dns --no-relay --no-mdns --no-port-mapping --gateway-tls=');
  const { dns, gatewayTls, relay, mdns, portMapping } = none.options;
  assert.deepEqual([dns, gatewayTls, relay.search], [undefined, undefined, false]);
  assert.deepEqual([mdns, portMapping], [false, false]);
});

test('words that say nothing of reach are wrong usage', async () => {
  const wrong = [
    '--dns-ip x',
    '--dns-ip 1.1.1.1,1.1.1.2',
    '--tld a.b',
    '--relay-listen :1 --relay-data-limit 5',
    '--relay-listen :1 --relay-slots 0',
    '--dns-upstream x',
    '--dns-upstream :53',
    '--dns-upstream 192.0.2.1:0',
    '--relay a',
    '--relay a:1 --no-relay',
    '--no-relay --relay a:1',
  ];
  for (const words of wrong) await assert.rejects(start(words), { code: 'USAGE' }, words);
});

test('limits of a relay want one, and the error says how to have it', async () => {
  for (const words of ['--relay-slots 5', '--relay-data-limit 1GiB', '--relay-time-limit 60']) {
    const message = new RegExp(`^${words.split(' ')[0]} .*add --relay-listen ADDRESS$`);
    await assert.rejects(start(words), { code: 'USAGE', message }, words);
    await assert.rejects(start(`${words} --relay-listen=`), { code: 'USAGE' }, words);
  }
});

test('what one peer may store is a part of the budget', async () => {
  const budgets = async (line: string): Promise<[number, number]> => {
    const { options } = await start(line);
    return [options.storeBudgetBytes, options.perPeerBudgetBytes];
  };
  const mebibyte = 2 ** 20;
  assert.deepEqual(await budgets('--store-budget 16MiB'), [16 * mebibyte, 16 * mebibyte]);
  assert.deepEqual(await budgets('--store-budget 2GiB'), [2048 * mebibyte, 64 * mebibyte]);
  const both = '--store-budget 100MB --per-peer-budget 100MB';
  assert.deepEqual(await budgets(both), [1e8, 1e8]);
  assert.deepEqual(await budgets('-per-peer-budget 1GiB'), [2 ** 30, 2 ** 30]);
  const over = start('--per-peer-budget 2GiB');
  await assert.rejects(over, { code: 'USAGE', message: /2GiB is more than --store-budget \(1GiB/ });
});

test('bootstraps add up', async () => {
  const { options } = await start('start -b a:1,b:2 --bootstrap c:3');
  assert.deepEqual(options.bootstrap, ['a:1', 'b:2', 'c:3']);
});

test('at a prompt the log is quieter, unless a level was chosen', async () => {
  assert.equal((await start('', true)).options.logLevel, 'warn');
  assert.equal((await start('-headless', true)).options.logLevel, 'info');
  assert.equal((await start('--log-level debug', true)).options.logLevel, 'debug');
});

test('a value that can never work is refused, also for what is not there yet', async () => {
  for (const words of [
    '--listen nonsense',
    '--gateway 1.2.3.4',
    '--registrar x',
    '--bootstrap a',
    '--network test',
    '--log-level loud',
    '--log-format xml',
    '--store-budget many',
    '--store-budget 16000000',
    '--per-peer-budget 0',
    '--store-budget 20MiB --per-peer-budget 21MiB',
    '--repair-interval 0',
    '--repair-interval 3601',
    '--replicas -1',
    '--registrar-token short',
    '--dns x',
    '--dns-ip localhost',
    '--tld a.b',
    '--metrics x',
    '--relay x',
    '--relay-listen x',
    '--gateway-tls x',
  ]) {
    await assert.rejects(start(words), { code: 'USAGE' }, words);
  }
});
