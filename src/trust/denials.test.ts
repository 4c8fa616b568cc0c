import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { ListedDenials } from './denials.ts';
import { Listeners } from './listeners.ts';
import type { BlockedSource, RevokedSource } from './ports.ts';

const bytes = (value: number): Bytes => new Uint8Array(32).fill(value);
const [root, other, revokedRoot, both] = [bytes(1), bytes(2), bytes(3), bytes(4)];
const [first, second] = [bytes(8), bytes(9)];

class FixedBlocklist implements BlockedSource {
  isEmpty = false;
  readonly changes = new Listeners();
  isBlockBlocked = (hash: Bytes): boolean => equalBytes(hash, root) || equalBytes(hash, both);
  isPathBlocked = (hash: Bytes, path: string): boolean => equalBytes(hash, other) && path === 'a';
  isNameBlocked = (label: string): boolean => label === 'alice';
  isUrlBlocked = (canonical: string): boolean => canonical === '//dead.example/';
  onChange = (listener: () => void): (() => void) => this.changes.add(listener);
}

class FixedRevocations implements RevokedSource {
  readonly isEmpty: boolean;
  readonly changes = new Listeners();
  readonly #by: Bytes;
  readonly #hashes: readonly Bytes[];
  constructor(by: Bytes, hashes: readonly Bytes[]) {
    this.#by = by;
    this.#hashes = hashes;
    this.isEmpty = hashes.length === 0;
  }
  ofBlock = (hash: Bytes): Bytes | undefined => this.#find(hash);
  ofName = (key: Bytes): Bytes | undefined => this.#find(key);
  onChange = (listener: () => void): (() => void) => this.changes.add(listener);
  #find(hash: Bytes): Bytes | undefined {
    return this.#hashes.some((one) => equalBytes(one, hash)) ? this.#by : undefined;
  }
}

test('the blocklist alone denies what stands in it', () => {
  const denials = new ListedDenials(new FixedBlocklist());
  assert.deepEqual(denials.ofBlock(root), { why: 'blocked' });
  assert.equal(denials.ofBlock(other), undefined);
  assert.deepEqual(denials.ofPath(other, 'a'), { why: 'blocked' });
  assert.equal(denials.ofPath(other, 'b'), undefined);
  assert.deepEqual(denials.ofName({ label: 'alice', key: bytes(5) }), { why: 'blocked' });
  assert.equal(denials.ofName({ label: 'bob', key: bytes(5) }), undefined);
  assert.deepEqual(denials.ofUrl('//dead.example/'), { why: 'blocked' });
  assert.equal(denials.ofUrl('//dead.example/a'), undefined);
});

test('a revocation is told rather than a block, the first source first', () => {
  const denials = new ListedDenials(new FixedBlocklist());
  denials.addRevoked(new FixedRevocations(first, [revokedRoot, both]));
  denials.addRevoked(new FixedRevocations(second, [revokedRoot, other]));
  assert.deepEqual(denials.ofBlock(both), { why: 'revoked', by: first });
  assert.deepEqual(denials.ofBlock(revokedRoot), { why: 'revoked', by: first });
  assert.deepEqual(denials.ofPath(revokedRoot, 'x/y'), { why: 'revoked', by: first });
  assert.deepEqual(denials.ofPath(other, 'a'), { why: 'revoked', by: second });
  assert.deepEqual(denials.ofName({ label: 'alice', key: other }), { why: 'revoked', by: second });
  assert.deepEqual(denials.ofBlock(root), { why: 'blocked' });
});

test('a change of any source is told until the listener has had enough', () => {
  const blocklist = new FixedBlocklist();
  const denials = new ListedDenials(blocklist);
  let told = 0;
  const stop = denials.onChange(() => told++);
  blocklist.changes.tell();
  assert.equal(told, 1);
  const revocations = new FixedRevocations(first, []);
  denials.addRevoked(revocations);
  assert.equal(told, 2, 'what a new source says is new');
  revocations.changes.tell();
  assert.equal(told, 3);
  stop();
  stop();
  blocklist.changes.tell();
  assert.equal(told, 3);
});

test('it says whether anything is denied at all', () => {
  const list = new FixedBlocklist();
  list.isEmpty = true;
  const denials = new ListedDenials(list);
  assert.equal(denials.isEmpty, true);
  denials.addRevoked(new FixedRevocations(first, []));
  assert.equal(denials.isEmpty, true);
  denials.addRevoked(new FixedRevocations(second, [root]));
  assert.equal(denials.isEmpty, false);
  assert.equal(new ListedDenials(new FixedBlocklist()).isEmpty, false);
});

test('what was denied is counted by what it was and why; what was allowed is not', () => {
  const denials = new ListedDenials(new FixedBlocklist());
  denials.addRevoked(new FixedRevocations(first, [revokedRoot, both]));
  assert.deepEqual(denials.counts(), {});
  for (const hash of [root, root, revokedRoot, both, other]) denials.ofBlock(hash);
  denials.ofPath(other, 'a');
  denials.ofPath(revokedRoot, 'a');
  denials.ofName({ label: 'alice', key: bytes(5) });
  denials.ofName({ label: 'bob', key: bytes(5) });
  denials.ofUrl('//dead.example/');
  assert.deepEqual(denials.counts(), {
    'block.blocked': 2,
    'block.revoked': 2,
    'path.blocked': 1,
    'path.revoked': 1,
    'name.blocked': 1,
    'url.blocked': 1,
  });
});
