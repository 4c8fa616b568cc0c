/** `altnet setup dns` from its words to the files, with a DNS service that answers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { type DefinitionOutcome, runDefinition } from '../../../test/support/cli.ts';
import { startAnswering } from '../../../test/support/dns-answers.ts';
import { FixedServices } from '../../../test/support/node-services.ts';
import {
  failWith,
  succeed,
  type TestSystem,
  testSystem,
  type TestSystemOptions,
} from '../../../test/support/setup-system.ts';
import type { OptionValues } from '../values.ts';
import { defineSetupDns } from '../commands/setup-dns.ts';
import { otherHost, probeHost } from './dns-check.ts';

const services = new FixedServices();

function run(system: TestSystem, options: OptionValues, json = false): Promise<DefinitionOutcome> {
  return runDefinition(
    defineSetupDns(() => system),
    { services, options, json },
  );
}

/** A machine with dnsmasq, which knows names under .alt as soon as it was told where they are. */
function withDnsmasq(t: TestContext, options: TestSystemOptions = {}): TestSystem {
  const system = testSystem(t, {
    hosts: { [otherHost]: ['192.0.2.7'] },
    programs: {
      systemctl(words) {
        if (words[0] === 'is-active')
          return words.includes('dnsmasq') ? succeed() : failWith('', 3);
        const isTold = system.tree()['/etc/dnsmasq.d/altnet.conf'] !== undefined;
        if (isTold) system.hosts.set(probeHost, ['127.0.0.1']);
        else system.hosts.delete(probeHost);
        return succeed();
      },
    },
    ...options,
  });
  system.put('/etc/resolv.conf', 'nameserver 127.0.0.1\n');
  system.put('/etc/dnsmasq.conf', 'conf-dir=/etc/dnsmasq.d\n');
  return system;
}

test('it is made, found made, told of, and undone', async (t) => {
  const system = withDnsmasq(t);
  const before = system.tree();
  const { address: dns } = await startAnswering(t);
  const printed = await run(system, { dns, print: true });
  assert.match(printed.stdout, /^write \/etc\/dnsmasq\.d\/altnet\.conf \(mode 0644\):\n/);
  assert.deepEqual(system.tree(), before);
  const made = await run(system, { dns, yes: true });
  assert.equal(made.error, undefined);
  assert.equal(made.stdout, `dnsmasq was changed: names under .alt go to ${dns}\n`);
  assert.match(made.stderr, /checked: the system gets names under \.alt from this node/);
  assert.match(made.stderr, /secure DNS/);
  assert.match(made.stderr, /http:\/\/NAME\.alt:8080\/ opens; without a port it has to be at 80/);
  const again = await run(system, { dns, yes: true }, true);
  assert.equal((JSON.parse(again.stdout) as { outcome: string }).outcome, 'unchanged');
  const undone = await run(system, { undo: true, yes: true });
  assert.equal(undone.stdout, 'dnsmasq is as it was before\n');
  assert.deepEqual(system.tree(), before);
  const nothing = await run(system, { undo: true });
  assert.equal(nothing.stdout, 'nothing is set up\n');
});

test('the ending is that of the node, or as it is said', async (t) => {
  const system = withDnsmasq(t);
  const print = async (options: OptionValues): Promise<string> =>
    (await run(system, { dns: '127.0.0.1:5354', print: true, ...options })).stdout;
  assert.match(await print({}), /server=\/alt\/127/);
  assert.match(await print({ tld: 'Web' }), /server=\/web\/127/);
  const wrong = await run(system, { tld: 'a.b', print: true });
  assert.match(String(wrong.error), /"a\.b" is not a label/);
});

test('what breaks other names is taken back', async (t) => {
  const system = withDnsmasq(t, {
    programs: {
      systemctl(words) {
        if (words[0] === 'is-active')
          return words.includes('dnsmasq') ? succeed() : failWith('', 3);
        const isTold = system.tree()['/etc/dnsmasq.d/altnet.conf'] !== undefined;
        if (isTold) system.hosts.delete(otherHost);
        else system.hosts.set(otherHost, ['192.0.2.7']);
        return succeed();
      },
    },
  });
  const before = system.tree();
  const { error } = await run(system, { yes: true, dns: '127.0.0.1:1' });
  assert.match(String(error), /example\.com was not found any more, so everything was taken back/);
  assert.deepEqual(system.tree(), before);
  assert.ok(system.hosts.has(otherHost), 'and dnsmasq was told');
});

test('what does no good is taken back; without a node nobody can tell', async (t) => {
  const system = withDnsmasq(t);
  const useless = withDnsmasq(t, {
    programs: {
      systemctl: (words) =>
        words[0] === 'is-active' && !words.includes('dnsmasq') ? failWith('', 3) : succeed(),
    },
  });
  const before = useless.tree();
  const { address: dns } = await startAnswering(t);
  const { error } = await run(useless, { yes: true, dns });
  assert.match(String(error), /still the system does not know names under \.alt/);
  assert.deepEqual(useless.tree(), before);
  const { error: none, stderr } = await run(system, { yes: true, dns: '127.0.0.1:1' });
  assert.equal(none, undefined);
  assert.match(stderr, /nothing answers at 127\.0\.0\.1:1 yet; start the node with/);
});

test('without root, a terminal or a way it says what to do, and changes nothing', async (t) => {
  const system = withDnsmasq(t, { isRoot: false });
  const before = system.tree();
  const options = { dns: '[::1]:5354' };
  const asked: [TestSystem, OptionValues, RegExp][] = [
    [
      system,
      { ...options, yes: true },
      /root: sudo \S+\/bin\/altnet setup dns --dns '\[::1\]:5354'$/,
    ],
    [withDnsmasq(t), options, /there is no terminal to ask at/],
    [withDnsmasq(t), { ...options, undo: true, print: true }, /--undo or --print, not both/],
    [withDnsmasq(t), { dns: 'nonsense' }, /--dns: "nonsense" is not an address/],
  ];
  for (const [machine, given, message] of asked) {
    assert.match(String((await run(machine, given)).error), message);
  }
  assert.deepEqual(system.tree(), before);
  const plain = testSystem(t);
  plain.put('/etc/resolv.conf', 'nameserver 192.0.2.1\n');
  const { error, stderr } = await run(plain, { yes: true });
  assert.match(String(error), /cannot be set up here by itself: the programs here ask/);
  assert.match(stderr, /what to do:\n {2}install dnsmasq/);
  const { stdout } = await run(plain, { print: true }, true);
  const told = JSON.parse(stdout) as { outcome: string; steps: string[] };
  assert.equal(told.outcome, 'by-hand');
  assert.ok(told.steps.length > 1);
});

test('a plain resolv.conf is changed once, and again after another program wrote it', async (t) => {
  const system = testSystem(t, { hosts: { [otherHost]: ['192.0.2.7'] } });
  const file = '/etc/resolv.conf';
  const at = { dns: '127.0.0.1:53', yes: true };
  const plain = 'search home\nnameserver 192.0.2.1\n';
  system.put(file, plain);
  const before = system.tree();
  assert.match((await run(system, at)).stdout, /^resolv-conf was changed/);
  const lines = readFileSync(system.outside(file), 'utf8').split('\n');
  assert.equal(lines[1], 'nameserver 127.0.0.1');
  assert.match((await run(system, at)).stdout, /^resolv-conf is as it should be/);
  await run(system, { undo: true, yes: true });
  assert.deepEqual(system.tree(), before);
  await run(system, at);
  system.put(file, 'nameserver 192.0.2.2\n');
  assert.match((await run(system, at)).stdout, /^resolv-conf was changed/);
  system.put(file, plain);
  assert.equal((await run(system, { undo: true })).stdout, 'nothing is set up\n');
  assert.deepEqual(system.tree(), before);
  system.put(file, `# Generated by NetworkManager\n${plain}`);
  const { error, stderr } = await run(system, at);
  assert.match(String(error), /NetworkManager writes \/etc\/resolv\.conf anew/);
  assert.match(stderr, /dns=dnsmasq/);
});
