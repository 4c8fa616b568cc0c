/**
 * DNS with other people's programs: a name that one node published is found through another one by
 * dig and kdig over UDP and TCP, over HTTPS, where dig sends no name in the handshake, and by
 * dnsmasq and unbound that forward .alt there. Each needs its program.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import { altnet, guideFolder, knowsPeers, startNode } from '../support/cluster.ts';
import {
  freePort,
  outputOf,
  programsMissing,
  startDnsmasq,
  startResolver,
} from '../support/dns-programs.ts';
import {
  addressOf,
  type FakeResolver,
  replyTo,
  startFakeResolver,
} from '../support/fake-resolver.ts';

interface Served {
  readonly dnsPort: number;
  /** Of the HTTPS gateway. */
  readonly tlsPort: number;
  readonly caFile: string;
  /** The CID of what is published. */
  readonly cid: string;
  /** Whom the node asks for foreign names. */
  readonly upstream: FakeResolver;
}

const portOf = (address: string | null | undefined): number => {
  const port = Number(address?.split(':').at(-1));
  assert.ok(port > 0, `a port in ${address}`);
  return port;
};

/** A network of two: hello.alt is published at one, DNS is asked at the other. */
async function serve(t: TestContext): Promise<Served> {
  const upstream = await startFakeResolver(t, (query) => {
    const isLarge = query.name.startsWith('large.');
    if (isLarge && query.transport === 'udp') return replyTo(query, { isTruncated: true });
    const count = isLarge ? 100 : 1;
    const all = Array.from({ length: count }, (_, i) => addressOf(query.name, `192.0.2.${i + 1}`));
    return replyTo(query, query.type === 'A' ? { answers: all } : {});
  });
  const publisher = await startNode(t, { name: 'publisher' });
  const reader = await startNode(t, {
    name: 'reader',
    bootstrap: publisher.ready.listen,
    options: `--dns 127.0.0.1:0 --dns-ip 127.0.0.1,::1 --gateway-tls 127.0.0.1:0`
      .split(' ')
      .concat('--dns-upstream', `127.0.0.1:${upstream.address.port}`),
  });
  await knowsPeers(publisher, 1);
  const { cid } = await altnet(publisher, 'publish', guideFolder, '--name', 'hello');
  return {
    dnsPort: portOf(reader.ready.dns),
    tlsPort: portOf(reader.ready.gatewayTls),
    caFile: path.join(reader.data, 'ca', 'ca.pem'),
    cid: String(cid),
    upstream,
  };
}

/** "STATUS flags: answers" of what dig and kdig print. */
function summaryOf(output: string): string {
  const [, status = ''] = /opcode: QUERY[,;] status: (\w+)/.exec(output) ?? [];
  const [, flags = ''] = /[Ff]lags: ([a-z ]+);/.exec(output) ?? [];
  const section = /;; ANSWER SECTION:\n([\s\S]*?)(?:\n\n|\n;;|$)/.exec(output)?.[1] ?? '';
  const records = section
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/).slice(3).join(' '));
  return `${status} ${flags.trim()}: ${records.join(', ')}`;
}

async function dig(port: number, ...words: readonly string[]): Promise<string> {
  const args = ['@127.0.0.1', '-p', String(port), '+tries=2', '+time=5', ...words];
  return summaryOf(await outputOf('dig', ...args));
}

async function kdig(port: number, ...words: readonly string[]): Promise<string> {
  const at = ['@127.0.0.1', '-p', String(port)];
  return summaryOf(await outputOf('kdig', ...at, ...words, 'hello.alt', 'A'));
}

test('names are found with ordinary programs', async (t) => {
  const needed = ['dig', 'kdig', 'dnsmasq', 'unbound'].map((one) => programsMissing(one));
  if (needed.every((missing) => missing !== false)) {
    t.skip('it needs dig, kdig, dnsmasq or unbound');
    return;
  }
  const served = await serve(t);
  const { dnsPort, tlsPort } = served;
  const found = 'NOERROR qr aa rd ra: A 127.0.0.1';

  await t.test('dig', { skip: programsMissing('dig') }, async () => {
    for (const words of [[], ['+tcp'], ['+noedns'], ['+dnssec'], ['+bufsize=512'], ['+cookie']]) {
      assert.equal(await dig(dnsPort, 'HELLO.alt', ...words), found, words.join());
    }
    assert.equal(await dig(dnsPort, 'hello.alt', 'AAAA'), 'NOERROR qr aa rd ra: AAAA ::1');
    assert.equal(await dig(dnsPort, 'hello.alt', 'TYPE65'), 'NOERROR qr aa rd ra: ');
    assert.equal(await dig(dnsPort, `${served.cid}.alt`), found);
    assert.equal(await dig(dnsPort, 'nobody-has-this.alt'), 'NXDOMAIN qr aa rd ra: ');
    assert.equal(await dig(dnsPort, 'alt', 'NS'), 'NOERROR qr aa rd ra: ');
    assert.equal(
      await dig(dnsPort, 'hello.alt', '+edns=1', '+noednsnegotiation'),
      'BADVERS qr rd ra: ',
    );
    assert.equal(await dig(dnsPort, 'hello.alt', 'CH', 'TXT'), 'REFUSED qr rd ra: ');
  });

  await t.test('dig over HTTPS', { skip: programsMissing('dig') }, async () => {
    for (const way of ['+https', '+https-get']) {
      assert.equal(await dig(served.tlsPort, 'hello.alt', way), found, way);
    }
  });

  await t.test('dig, foreign names', { skip: programsMissing('dig') }, async () => {
    const { upstream } = served;
    const before = upstream.seen.length;
    assert.equal(await dig(dnsPort, 'example.com'), 'NOERROR qr rd ra: A 192.0.2.1');
    assert.equal(await dig(dnsPort, 'example.com'), 'NOERROR qr rd ra: A 192.0.2.1');
    assert.equal(upstream.seen.length, before + 1);
    const large = await dig(dnsPort, 'large.example.com');
    assert.equal(large.split(', ').length, 100, 'dig came again by TCP, as we did before');
    assert.equal(await dig(dnsPort, 'www.gns.alt'), 'NOERROR qr rd ra: A 192.0.2.1');
    const asked = upstream.seen.map(({ name }) => name).filter((name) => name.endsWith('.alt'));
    assert.deepEqual(asked, ['www.gns.alt'], 'nobody else was told of names of ours');
  });

  await t.test('kdig', { skip: programsMissing('kdig') }, async () => {
    assert.equal(await kdig(dnsPort), found);
    assert.equal(await kdig(dnsPort, '+tcp'), found);
    const secure = ['+https=https://localhost.alt/dns-query', `+tls-ca=${served.caFile}`];
    const who = ['+tls-hostname=localhost.alt', '+tls-sni=localhost.alt'];
    for (const way of ['+nohttps-get', '+https-get']) {
      assert.equal(await kdig(tlsPort, ...secure, ...who, way), found);
    }
  });

  await t.test('dnsmasq in front', { skip: programsMissing('dnsmasq', 'dig') }, async (of) => {
    const options = [`--server=/alt/127.0.0.1#${dnsPort}`, '--cache-size=100'];
    const { port } = await startDnsmasq(of, options, 'hello.alt');
    assert.match(await dig(port, 'hello.alt'), /^NOERROR .*: A 127\.0\.0\.1$/);
    assert.match(await dig(port, 'hello.alt', 'AAAA'), /^NOERROR .*: AAAA ::1$/);
    assert.match(await dig(port, 'nobody-has-this.alt', '+tcp'), /^NXDOMAIN .*: $/);
  });

  await t.test('unbound in front', { skip: programsMissing('unbound', 'dig') }, async (of) => {
    const port = await startUnbound(of, dnsPort);
    assert.match(await dig(port, 'hello.alt'), /^NOERROR .*: A 127\.0\.0\.1$/);
    assert.match(await dig(port, 'hello.alt', 'AAAA', '+tcp'), /^NOERROR .*: AAAA ::1$/);
    assert.match(await dig(port, 'hello.alt', 'TYPE65'), /^NOERROR .*: $/);
    assert.match(await dig(port, 'nobody-has-this.alt'), /^NXDOMAIN .*: $/);
  });
});

async function startUnbound(t: TestContext, dnsPort: number): Promise<number> {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const file = path.join(folder, 'unbound.conf');
  const lines = [
    'server:',
    `  interface: 127.0.0.1@${port}`,
    '  do-daemonize: no',
    '  use-syslog: no',
    '  username: ""',
    '  chroot: ""',
    '  pidfile: ""',
    `  directory: "${folder}"`,
    '  num-threads: 1',
    '  do-not-query-localhost: no',
    '  domain-insecure: "alt"',
    'remote-control:',
    '  control-enable: no',
    'forward-zone:',
    '  name: "alt."',
    `  forward-addr: 127.0.0.1@${dnsPort}`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  await startResolver(t, ['unbound', '-d', '-c', file], { port, name: 'hello.alt' });
  return port;
}
