import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, concatBytes, parseHex, toHex, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { parseLine, type Rule } from './rule.ts';
import { isSameRule, RuleSet } from './rule-set.ts';

const seed = sha256(Uint8Array.of(9));

function rulesOf(...lines: readonly string[]): RuleSet {
  const rules = new RuleSet(seed);
  for (const line of lines) rules.add(...ruleOf(line));
  return rules;
}

function ruleOf(line: string): [rule: Rule, allow: boolean] {
  const parsed = parseLine(line);
  assert.equal(parsed.is, 'rule', line);
  return parsed.is === 'rule' ? [parsed.rule, parsed.allow] : assert.fail();
}

function digestOf(cid: string): Bytes {
  return CID.parse(cid).multihash.digest;
}

const site = 'QmUboz9UsQBDeS6Tug1U8jgoFkgYxyYood9NDyVURAY9pK';
const other = 'bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq';
const [siteHash, otherHash] = [digestOf(site), digestOf(other)];

/** Which of these paths of the site are denied. */
function deniedOf(rules: RuleSet, ...paths: readonly string[]): string[] {
  return paths.filter((path) => rules.deniesPath(siteHash, path));
}

test('an empty list denies nothing', () => {
  const rules = rulesOf();
  assert.equal(rules.deniesBlock(siteHash), false);
  assert.equal(rules.deniesPath(siteHash, 'a'), false);
  assert.equal(rules.deniesName('alice'), false);
  assert.equal(rules.deniesUrl('//a/'), false);
  assert.equal(rules.count, 0);
});

test('a denied block is denied with everything below it, and nothing else is', () => {
  const rules = rulesOf(`/ipfs/${site}`);
  assert.equal(rules.deniesBlock(siteHash), true);
  assert.deepEqual(deniedOf(rules, '', 'a', 'a/b'), ['', 'a', 'a/b']);
  assert.equal(rules.deniesBlock(otherHash), false);
  assert.equal(rules.deniesPath(otherHash, 'a'), false);
});

test('a denied path is denied with what is below it, not with its site', () => {
  const rules = rulesOf(`/ipfs/${site}/a/b.html`);
  const paths = ['', 'a', 'a/b', 'a/b.html', 'a/b.html/c', 'a/b.html2', 'x/a/b.html'];
  assert.deepEqual(deniedOf(rules, ...paths), ['a/b.html', 'a/b.html/c']);
  assert.deepEqual(deniedOf(rules, '/a//b.html/'), ['/a//b.html/'], 'spelt otherwise');
  assert.equal(rules.deniesBlock(siteHash), false);
  assert.equal(rules.deniesPath(otherHash, 'a/b.html'), false, 'of this site only');
});

test('letters before a star deny what begins with them', () => {
  for (const rule of [`/ipfs/${site}/test*`, `/ipfs/${site}/test/*`]) {
    const rules = rulesOf(rule);
    const paths = ['', 'tes', 'test', 'test2', 'test/one', 'one/test'];
    assert.deepEqual(deniedOf(rules, ...paths), ['test', 'test2', 'test/one'], rule);
  }
});

test('of the rules that fit, the last decides', () => {
  const rules = rulesOf(
    `/ipfs/${site}/blocked*`,
    `!/ipfs/${site}/blockednot`,
    `!/ipfs/${site}/blocked/not`,
    `!/ipfs/${site}/blocked/exceptions*`,
    `/ipfs/${site}/blocked/exceptions/but`,
  );
  const allowed = ['blockednot', 'blocked/not', 'blocked/not/x', 'blocked/exceptions2'];
  assert.deepEqual(deniedOf(rules, ...allowed), []);
  const denied = [
    'blocked',
    'blocked2',
    'blockednot2',
    'blocked/exceptions/but',
    'blocked/nothing',
  ];
  assert.deepEqual(deniedOf(rules, ...denied), denied);
  assert.equal(rulesOf('!/name/alice', '/name/alice').deniesName('alice'), true);
  assert.equal(rulesOf('/name/alice', '!/ipns/alice.alt').deniesName('alice'), false);
});

test('an exception below a denied root changes nothing', () => {
  const rules = rulesOf(`/ipfs/${site}/*`, `!/ipfs/${site}/public*`);
  assert.deepEqual(deniedOf(rules, '', 'public'), ['', 'public']);
});

test('double hashes of multihashes and of CIDs', () => {
  // The digests are those of the format's own examples.
  const multihash = digestOf('QmVTF1yEejXd9iMgoRTFDxBv7HAz9kuZcQNBzHrceuK9HR');
  const cid = digestOf('bafybeiefwqslmf6zyyrxodaxx4vwqircuxpza5ri45ws3y5a62ypxti42e');
  const ofMultihash = rulesOf('//QmX9dhRcQcKUw3Ws8485T5a9dtjrSCQaUAHnG4iK9i4ceM');
  assert.equal(ofMultihash.deniesBlock(multihash), true);
  assert.equal(ofMultihash.deniesPath(multihash, 'a'), true);
  assert.equal(ofMultihash.deniesBlock(cid), false);
  const ofCid = rulesOf('//d9d295bde21f422d471a90f2a37ec53049fdf3e5fa3ee2e8f20e10003da429e7');
  assert.equal(ofCid.deniesBlock(cid), true);
  assert.equal(ofCid.deniesBlock(multihash), false);
  const ofPath = rulesOf('//3f8b9febd851873b3774b937cce126910699ceac56e72e64b866f8e258d09572');
  assert.equal(ofPath.deniesBlock(cid), false);
  assert.equal(ofPath.deniesPath(cid, 'path'), true);
  assert.equal(ofPath.deniesPath(cid, 'path/below'), true);
  assert.equal(ofPath.deniesPath(cid, 'path2'), false);
});

/** As lists do that hide what they are about. */
function doubled(text: string, form: 'hex' | 'multihash'): string {
  const digest = sha256(utf8(text));
  if (form === 'hex') return `//${toHex(digest)}`;
  return `//${base58btc.baseEncode(concatBytes(Uint8Array.of(0x12, 32), digest))}`;
}

test('a path of more names than a site has is denied by a folder that it leads through', () => {
  const below = `a/b${'/x'.repeat(2000)}`;
  for (const line of [doubled(`${site}/a/b`, 'multihash'), `/ipfs/${site}/a/b`]) {
    assert.deepEqual(deniedOf(rulesOf(line), below, `c/${below}`), [below]);
  }
});

test('double hashes of paths with other letters, plain and percent-encoded, and of names', () => {
  const v1 = CID.parse(site).toV1().toString();
  for (const path of ['a b/ü', 'a%20b/%C3%BC']) {
    for (const line of [doubled(`${site}/${path}`, 'multihash'), doubled(`${v1}/${path}`, 'hex')]) {
      assert.deepEqual(deniedOf(rulesOf(line), 'a b/ü', 'a b/ü/x', 'a b'), ['a b/ü', 'a b/ü/x']);
    }
  }
  for (const line of [doubled('/ipns/alice.alt', 'multihash'), doubled('alice.alt/', 'hex')]) {
    assert.equal(rulesOf(line).deniesName('alice'), true);
    assert.equal(rulesOf(line).deniesName('bob'), false);
  }
});

test('an exception for a plain block undoes a double hash, and the other way round', () => {
  const hidden = doubled(site, 'multihash');
  assert.equal(rulesOf(hidden, `!/ipfs/${site}`).deniesBlock(siteHash), false);
  assert.equal(rulesOf(`!/ipfs/${site}`, hidden).deniesBlock(siteHash), true);
  assert.equal(rulesOf(`/ipfs/${site}`, `!${hidden}`).deniesBlock(siteHash), false);
});

test('the empty file and the empty folder are never denied', () => {
  const empty = [
    'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn',
    'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH',
    'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  ];
  const rules = rulesOf(...empty.map((cid) => `/ipfs/${cid}`));
  for (const cid of empty) assert.equal(rules.deniesBlock(digestOf(cid)), false, cid);
});

test('names and URLs', () => {
  const rules = rulesOf('/name/alice', '/url/http://dead.example:80/%7Ea');
  assert.equal(rules.deniesName('alice'), true);
  assert.equal(rules.deniesName('alicex'), false);
  assert.equal(rules.deniesUrl('//dead.example/~a'), true);
  assert.equal(rules.deniesUrl('//dead.example/'), false);
});

test('a rule can be forgotten, and is told from all others', () => {
  const lines = [
    `/ipfs/${site}`,
    `/ipfs/${site}/a`,
    `/ipfs/${site}/a*`,
    `/ipfs/${other}/a`,
    '/name/alice',
    '/url/http://alice/',
    doubled('x', 'hex'),
  ];
  for (const line of lines) {
    const [rule] = ruleOf(line);
    const rules = rulesOf(line, `!${line}`, line);
    assert.equal(rules.effectOf(rule), 'deny');
    assert.equal(rules.count, 3);
    rules.forget(rule, 3);
    assert.equal(rules.effectOf(rule), undefined);
    assert.equal(rules.count, 0);
    const same = lines.filter((one) => isSameRule(ruleOf(one)[0], rule));
    assert.deepEqual(same, [line]);
  }
});

test('paths are judged as one would who compares them with every rule', () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'aba', 'ü');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  const rule = fc.record({ path, prefix: fc.boolean(), allow: fc.boolean() });
  checkProperty(
    fc.property(fc.array(rule, { maxLength: 12 }), path, (list, asked) => {
      const rules = new RuleSet(seed);
      let expected = false;
      for (const { path: listed, prefix, allow } of list) {
        rules.add({ on: 'path', root: siteHash, path: listed, prefix }, allow);
        const fits = prefix
          ? asked.startsWith(listed)
          : asked === listed || asked.startsWith(`${listed}/`);
        if (fits) expected = !allow;
      }
      assert.equal(rules.deniesPath(siteHash, asked), expected);
    }),
  );
});

test('a bomb of wildcards costs a lookup no more than its path is long', () => {
  const rules = new RuleSet(seed);
  const path = 'a'.repeat(4000);
  for (let length = 1; length < 20_000; length++) {
    const listed = `${path.slice(0, length % 4000)}b${length}`;
    rules.add({ on: 'path', root: siteHash, path: listed, prefix: true }, false);
  }
  assert.equal(rules.deniesPath(siteHash, path), false);
  assert.equal(rules.deniesPath(siteHash, `${path.slice(0, 7)}b7/c`), true);
});

test('seeds change nothing but places', () => {
  const unlike = parseHex('00'.repeat(32), 32);
  assert.ok(unlike);
  const rules = new RuleSet(unlike);
  rules.add(...ruleOf(`/ipfs/${site}/a*`));
  assert.deepEqual(deniedOf(rules, 'ab', 'b'), ['ab']);
});
