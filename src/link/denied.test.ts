import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CID } from 'multiformats/cid';
import { base36 } from 'multiformats/bases/base36';
import { collect } from '../../test/support/collect.ts';
import { LinkNet, MemoryLinkPublisher, MemoryNotes } from '../../test/support/link-net.ts';
import { type ManualWorld, manualWorld } from '../../test/support/manual-world.ts';
import { SwitchedDenials } from '../../test/support/switched-denials.ts';
import { toHex } from '../base/bytes.ts';
import { unixSeconds } from '../base/clock.ts';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { SigningKey } from '../identity/key.ts';
import { keyName } from '../record/label.ts';
import { networkId, networkProfiles } from '../record/network.ts';
import { nameKey } from '../record/zone.ts';
import { deniedTarget } from './denied-target.ts';
import { Links } from './links.ts';

const cid = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
const text = cid.toString();
const hash = cid.multihash.digest;
const owner = new SigningKey('author', new Uint8Array(32).fill(1)).publicKey;
const zone = new Uint8Array(32).fill(7);

function codeOf(target: string, deny: (denials: SwitchedDenials) => void): string | undefined {
  const denials = new SwitchedDenials();
  deny(denials);
  return deniedTarget({ target }, { denials, zones: () => [zone] })?.code;
}

describe('a target leads to what is denied', () => {
  const v0 = 'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR';
  const roots = [
    `ipfs://${text}`,
    `ipfs://${text}/a/b.html?x#y`,
    `IPFS://${v0}/a`,
    `ipfs:${cid.toString(base36)}`,
    `ipfs:/ipfs/${text}`,
    `dweb:/ipfs/${text}/a`,
    `ipld://${text}`,
    `https://gateway.example/ipfs/${text}/a`,
    `https://gateway.example/x/IPFS/${v0}`,
    `https://${text}.ipfs.gateway.example/a`,
    `http://${text}.localhost:8080/`,
    `http://${text}.ipfs.localhost/a`,
    `altnet://${text}/a`,
    `ipfs://${toHex(hash)}`,
  ];
  for (const target of roots) {
    test(`${target}: a root`, () => {
      assert.equal(
        codeOf(target, (denials) => denials.denyBlock(hash)),
        'CONTENT_BLOCKED',
      );
      assert.equal(
        codeOf(target, (denials) => denials.denyBlock(zone)),
        undefined,
      );
    });
  }

  const names = [
    'http://alice.alt',
    'https://blog.Alice.alt/page',
    'http://alice.localhost:8080/',
    'http://user@alice.alt/',
    'http://alice.alt./',
    'ipns://alice.alt/page',
    'dweb:/ipns/alice.alt',
    'http://localhost:8080/n/alice/page',
    'altnet://alice',
    'alt:alice.alt',
  ];
  for (const target of names) {
    test(`${target}: a name`, () => {
      assert.equal(
        codeOf(target, (denials) => denials.denyName('alice')),
        'NAME_BLOCKED',
      );
      for (const key of [nameKey('alice'), nameKey('alice', zone)]) {
        assert.equal(
          codeOf(target, (denials) => denials.denyName(key, 'revoked')),
          'NAME_REVOKED',
        );
      }
      assert.equal(
        codeOf(target, (denials) => denials.denyName('page')),
        undefined,
      );
    });
  }

  test('by a path, a key, a URL or what the content is', () => {
    assert.equal(
      codeOf(`ipfs://${text}/a%20b/c`, (denials) => denials.denyPath(hash, 'a b')),
      'CONTENT_BLOCKED',
    );
    const key = keyName(owner);
    assert.equal(
      codeOf(`http://${key}.alt/`, (denials) => denials.denyName(key)),
      'NAME_BLOCKED',
    );
    assert.equal(
      codeOf('HTTPS://Bad.example:443/x#y', (denials) => denials.denyUrl('//bad.example/x')),
      'URL_BLOCKED',
    );
    const denials = new SwitchedDenials();
    denials.denyBlock(hash);
    const link = { target: 'magnet:?xt=1', sha256: hash };
    assert.equal(deniedTarget(link, { denials, zones: () => [] })?.code, 'CONTENT_BLOCKED');
  });

  test('and others do not', () => {
    const others = ['magnet:?xt=x', 'mailto:a@b.example', 'https://www.example/', 'ipfs://x', 'x:'];
    const more = ['https://a.example/n/x', 'http://[::1]/', 'ipfs://%zz/%zz', 'https:ipns/x'];
    for (const target of [...others, ...more]) assert.equal(codeOf(target, denyMany), undefined);
    assert.equal(codeOf('http://127.0.0.1:8080/n/x', denyMany), 'NAME_BLOCKED');
  });
});

function denyMany(denials: SwitchedDenials): void {
  for (const name of ['', 'com', 'example', 'magnet', 'x']) denials.denyName(name);
}

interface Bench {
  readonly world: ManualWorld;
  readonly net: LinkNet;
  readonly denials: SwitchedDenials;
  readonly node: (fill: number) => Links;
}

/** Everybody's lists are the same. */
function setUp(): Bench {
  const world = manualWorld();
  const profile = networkProfiles.local;
  const denials = new SwitchedDenials();
  const judging = { profile, network: networkId(profile) };
  const net = new LinkNet(5, () => ({ ...judging, nowUnixSeconds: unixSeconds(world.clock) }));
  const node = (fill: number): Links =>
    new Links({
      dht: net,
      publisher: new MemoryLinkPublisher(net),
      notes: new MemoryNotes(),
      authorKey: new SigningKey('author', new Uint8Array(32).fill(fill)),
      profile,
      world,
      log: silentLogger,
      denied: { denials, zones: () => [] },
    });
  return { world, net, denials, node };
}

const url = 'http://dead.example/page';
const canonical = '//dead.example/page';

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isAltNetError(error, code);
}

async function targetsOf(links: Links, of = url): Promise<string[]> {
  return (await collect(links.get(of))).map(({ target }) => target);
}

describe('links', () => {
  test('to what is denied are not shown, also when they were found before', async () => {
    const { net, denials, node } = setUp();
    await node(1).put(url, { target: `ipfs://${text}` });
    await node(1).put(url, { target: 'https://b.example/' });
    const reader = node(2);
    assert.equal((await targetsOf(reader)).length, 2);
    denials.denyBlock(hash);
    assert.deepEqual(await targetsOf(reader), ['https://b.example/']);
    const other = 'http://www.dead.example/page';
    assert.deepEqual(await targetsOf(reader, other), ['https://b.example/'], 'as variant');
    net.cutOff = true;
    assert.deepEqual(await targetsOf(reader), ['https://b.example/'], 'from memory');
    const search = reader.get(url);
    for (let step = await search.next(); ; step = await search.next()) {
      if (step.done !== true) continue;
      assert.equal(step.value.found, 1, 'nor counted');
      break;
    }
  });

  test('for a denied URL are not searched, by whatever name', async () => {
    const { denials, node } = setUp();
    await node(1).put(url, { target: 'https://b.example/' });
    denials.denyUrl(canonical);
    await assert.rejects(targetsOf(node(2)), hasCode('URL_BLOCKED'));
    await assert.rejects(targetsOf(node(2), 'HTTPS://dead.example/page#x'), hasCode('URL_BLOCKED'));
    assert.deepEqual(await targetsOf(node(2), 'http://www.dead.example/page'), [], 'as variant');
    denials.allowAll();
    assert.equal((await targetsOf(node(2), 'http://www.dead.example/page')).length, 1);
  });

  test('are not put for a denied URL, nor to what is denied, and can be taken back', async () => {
    const { net, denials, node } = setUp();
    const links = node(1);
    const target = `ipfs://${text}`;
    await links.put(url, { target });
    denials.denyUrl(canonical);
    denials.denyBlock(hash);
    await assert.rejects(links.put(url, { target: 'https://b.example/' }), hasCode('URL_BLOCKED'));
    const other = 'http://other.example/';
    await assert.rejects(links.put(other, { target }), hasCode('CONTENT_BLOCKED'));
    const same = { target: 'https://c.example/', sha256: hash };
    await assert.rejects(links.put(other, same), hasCode('CONTENT_BLOCKED'));
    assert.equal((await links.remove(url, target)).stored, net.storers.length);
  });
});
