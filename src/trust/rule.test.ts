import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { parseHex, toHex } from '../base/bytes.ts';
import { keyName } from '../record/label.ts';
import { type ParsedLine, parseLine } from './rule.ts';

/** The same digest in several spellings. */
const digest = 'f5ad16f7f095ba7f7f822c0c05837a84ce6883792fdad53785d55c0aaa409474';
const dagPb = 'bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq';
const raw = 'bafkreihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq';
const v0 = 'QmesfgDQ3q6prBy2Kg2gKbW4MAGuWiRP2DVuGA5MZSERLo';
const owner = parseHex('3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29', 32);
assert.ok(owner);
const key = keyName(owner);

/** A line's meaning in a word: "block f5ad…", "bad …". */
function meaning(line: string): string {
  const parsed: ParsedLine = parseLine(line);
  if (parsed.is === 'bad') return `bad: ${parsed.why}`;
  if (parsed.is !== 'rule') return parsed.is;
  const { rule, allow } = parsed;
  const what = {
    block: () => ('hash' in rule ? toHex(rule.hash) : ''),
    path: () =>
      'root' in rule ? `${toHex(rule.root)} ${rule.path}${rule.prefix ? ' and on' : ''}` : '',
    double: () => ('digest' in rule ? `${rule.form} ${toHex(rule.digest)}` : ''),
    name: () => ('label' in rule ? rule.label : ''),
    url: () => ('canonical' in rule ? rule.canonical : ''),
  }[rule.on]();
  return `${allow ? 'not ' : ''}${rule.on} ${what}`;
}

const rules: readonly (readonly [line: string, means: string])[] = [
  [`/ipfs/${dagPb}`, `block ${digest}`],
  [`/ipfs/${raw}`, `block ${digest}`],
  [`/ipfs/${v0}`, `block ${digest}`],
  [`/ipfs/${dagPb.toUpperCase()}`, `block ${digest}`],
  [`/ipfs/f01701220${digest}`, `block ${digest}`],
  [`/ipld/${dagPb}`, `block ${digest}`],
  [`/ipfs/${dagPb}/`, `block ${digest}`],
  [`/ipfs/${dagPb}/*`, `block ${digest}`],
  [`!/ipfs/${dagPb}`, `not block ${digest}`],
  [`  /ipfs/${dagPb}  `, `block ${digest}`],
  [`/ipfs/${dagPb} status:451 note:a`, `block ${digest}`],
  [`/ipfs/${dagPb}\tstatus:451`, `block ${digest}`],
  [digest, `block ${digest}`],
  [digest.toUpperCase(), `block ${digest}`],
  [`!${digest} hint:x`, `not block ${digest}`],
  [`/ipfs/${dagPb}/a/b.html`, `path ${digest} a/b.html`],
  [`/ipfs/${dagPb}/a//b/`, `path ${digest} a/b`],
  [`/ipfs/${dagPb}/a%20b/%C3%BC`, `path ${digest} a b/ü`],
  [`/ipfs/${dagPb}/ab*`, `path ${digest} ab and on`],
  [`/ipfs/${dagPb}/ab/*`, `path ${digest} ab and on`],
  [`/ipfs/${dagPb}/ab%2A`, `path ${digest} ab*`],
  [`/ipfs/${dagPb}/a*b`, `path ${digest} a*b`],
  [`/ipfs/${dagPb}/a**`, `path ${digest} a* and on`],
  [`!/ipfs/${dagPb}/a`, `not path ${digest} a`],
  [`//${digest}`, `double cid ${digest}`],
  [`//${v0}`, `double multihash ${digest}`],
  [`!//${v0}`, `not double multihash ${digest}`],
  ['/name/alice', 'name alice'],
  ['/name/Alice.ALT', 'name alice'],
  ['/name/bücher.alt', 'name xn--bcher-kva'],
  [`/name/${key}`, `name ${key}`],
  [`/name/${key}.alt`, `name ${key}`],
  ['/ipns/alice.alt', 'name alice'],
  ['/ipns/alice.alt/*', 'name alice'],
  [`/ipns/${key}`, `name ${key}`],
  ['!/ipns/alice.alt', 'not name alice'],
  ['/url/http://Dead.Example:80/a?b#c', 'url //dead.example/a?b'],
  ['/url/https://dead.example/%7ea', 'url //dead.example/~a'],
  ['/url///dead.example/a', 'url //dead.example/a'],
  ['/url///dead.example:80/a', 'url //dead.example:80/a'],
  ['/url///dead.example:443/a', 'url //dead.example:443/a'],
];

for (const [line, means] of rules)
  test(`a rule: ${line}`, () => assert.equal(meaning(line), means));

test('what stands for nothing', () => {
  for (const line of ['', '   ', '\t', '# a', '  # /ipfs/x', '#']) {
    assert.equal(meaning(line), 'nothing', line);
  }
});

test('what AltNet does not have is valid', () => {
  const lines = [
    '/ipns/domain.example',
    '/ipns/domain.example/path*',
    '/ipns/k51qzi5uqu5dhmzyv3zac033i7rl9hkgczxyl81lwoukda2htteop7d3x0y1mf',
    '/ipfs/bafyb4ieqht3b2rssdmc7sjv2cy2gfdilxkfh7623nvndziyqnawkmo266a', // BLAKE3
    '/ipfs/bafkqaaa', // the content itself
  ];
  for (const line of lines) assert.equal(meaning(line), 'foreign', line);
});

const bad: readonly (readonly [line: string, why: RegExp])[] = [
  ['ipfs/x', /begins with none of/],
  ['/dnsaddr/x', /begins with none of/],
  ['/ipfs', /begins with none of/],
  ['/ipfs/', /no CID/],
  ['/ipfs/x', /no CID/],
  [`/ipfs/${dagPb}*`, /no CID/],
  [`/ipfs/${'b'.repeat(4000)}`, /no CID/],
  [`/ipfs/${dagPb}/%zz`, /percent-encoded/],
  [`/ipfs/${dagPb}/%ff`, /percent-encoded/],
  [`/ipfs/${dagPb}/a/../b`, /no file can have/],
  [`/ipfs/${dagPb}/a%2Fb`, /no file can have/],
  [`/ipfs/${dagPb}/%00`, /no file can have/],
  [digest.slice(1), /begins with none of/],
  [`${digest}0`, /begins with none of/],
  ['!', /begins with none of/],
  ['!!/name/alice', /begins with none of/],
  ['---', /begins with none of/],
  ['//', /neither a multihash/],
  [`//${digest.slice(2)}`, /neither a multihash|not SHA-256/],
  ['//gW813G35CnLsy7gRYYHuf63hrz71U1xoLFDVeV7actx6oX', /not SHA-256/],
  ['/name/', /empty/],
  ['/name/gns', /reserved/],
  ['/name/blog.alice', /only one label/],
  ['/name/a*', /only letters/],
  ['/ipns/', /no name/],
  ['/ipns/blog.alice.alt', /only one label/],
  ['/ipns/alice.alt/path', /below a name/],
  ['/url/ftp://a/', /only http/],
  ['/url/http://user@a/', /user name/],
  ['/url/x', /no such URL/],
  ['/name/al\0ice', /control characters/],
  ['\u{1b}[2J', /control characters/],
];

for (const [line, why] of bad) {
  test(`a bad line: ${JSON.stringify(line.slice(0, 60))}`, () => assert.match(meaning(line), why));
}

test('no text makes it throw', () => {
  const signs = ['/ipfs/', '/ipns/', '/name/', '/url/', '//', '!', '*', '/', '%', '%2', ' ', ':'];
  const words = [dagPb, v0, digest, key, 'http://a', '.alt', '\0', '\ud800', 'ü', '..'];
  const pieces = fc.constantFrom(...signs, ...words);
  const line = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 8 });
  checkProperty(
    fc.property(line, (parts) => {
      assert.match(meaning(parts.join('')), /^(bad|nothing|foreign|(not )?[a-z]+ )/);
    }),
  );
});
