/** Claims to a name for tests of how they are counted and judged: records, answers, transfers. */
import assert from 'node:assert/strict';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { type Bytes, equalBytes } from '../../src/base/bytes.ts';
import { type Contact, contactOf } from '../../src/identity/contact.ts';
import { SigningKey } from '../../src/identity/key.ts';
import type { NameAnswer } from '../../src/name/ports.ts';
import { type Tally, tallyOf } from '../../src/name/tally.ts';
import { type Evidence, judge, type Verdict } from '../../src/name/verdict.ts';
import { seqOf, type SignedRecord } from '../../src/record/envelope.ts';
import { makeNameRecord, makeNameTombstone } from '../../src/record/name.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import { acceptOffer, signTransfer } from '../../src/record/transfer.ts';

export const now = 1_767_300_000;
export const month: number = 30 * 86_400;
export const network: Bytes = networkId(networkProfiles.local);
export const root: CID = CID.createV1(0x70, Digest.create(0x12, new Uint8Array(32).fill(1)));
const owners = new Map(
  ['a', 'b', 'c'].map((name, i) => [
    name,
    new SigningKey('author', new Uint8Array(32).fill(i + 1)),
  ]),
);

export type Owner = 'a' | 'b' | 'c';

export function keyOf(owner: Owner): SigningKey {
  const key = owners.get(owner);
  assert.ok(key);
  return key;
}

export function live(owner: Owner, version = 1, expires: number = now + month): SignedRecord {
  const stamp = { seq: seqOf(0, version), issued: expires - 2 * month, expires };
  return makeNameRecord({ label: 'alice', root }, stamp, { key: keyOf(owner), network });
}

export function withdrawal(owner: Owner, version: number): SignedRecord {
  const stamp = { seq: seqOf(0, version), issued: now - 60 };
  return makeNameTombstone('alice', stamp, { key: keyOf(owner), network });
}

/** Each in a network of its own, unless `ip` says otherwise. */
export function contact(
  index: number,
  ip: Bytes = Uint8Array.of(20 + index, index, 1, 1),
): Contact {
  return contactOf(new Uint8Array(32).fill(index + 1), { ip, port: 9000 });
}

/**
 * "3a 1b 2-" is three nodes that hold a's record, one that holds b's and two that hold nothing;
 * "a?" is one that awaits confirmation, "a!" one that shows a's expired record, "ax" a withdrawal.
 */
export function answersOf(spec: string): NameAnswer[] {
  const words = spec.split(' ').filter((word) => word !== '');
  const each = words.flatMap((word) => {
    const [, count, owner, mark] = /^(\d+)([abc-])([?!x]?)$/.exec(word) ?? [];
    assert.ok(owner, `bad spec ${word}`);
    return Array.from({ length: Number(count) }, () => ({ owner, mark }));
  });
  return each.map(({ owner, mark }, i): NameAnswer => {
    if (owner === '-') return { from: contact(i), records: [], provisional: [] };
    const name = owner as Owner;
    const marked: Record<string, SignedRecord> = {
      '!': live(name, 1, now - 1),
      x: withdrawal(name, 2),
    };
    const record = marked[mark ?? ''] ?? live(name);
    return { from: contact(i), records: [record], provisional: [mark === '?'] };
  });
}

export function contactsOf(answers: readonly NameAnswer[]): Contact[] {
  return answers.flatMap(({ from }) => (from === 'self' ? [] : [from]));
}

export function tallied(
  answers: readonly NameAnswer[],
  closest: readonly Contact[] = contactsOf(answers),
): Tally {
  return tallyOf(answers, { closest, network });
}

/** What most cases have in common. */
export const plain: Omit<Evidence, 'tally'> = {
  heard: true,
  complete: true,
  pin: undefined,
  own: undefined,
  now,
  network,
};

export function judged(spec: string, changes: Partial<Evidence> = {}): Verdict {
  return judge({ tally: tallied(answersOf(spec)), ...plain, ...changes });
}

export function nameOf(publicKey: Uint8Array): string {
  return [...owners].find(([, key]) => equalBytes(key.publicKey, publicKey))?.[0] ?? '?';
}

/** "ok a", "contested a b", "not-found". */
export function inWords(verdict: Verdict): string {
  if (verdict.state === 'contested') return `contested ${verdict.claimants.map(nameOf).join(' ')}`;
  if (verdict.state === 'not-found') return verdict.state;
  return `${verdict.state} ${nameOf(verdict.record.author)}`;
}

/** A record that was seen of the owner, who keeps the name until a month from now or `freeAt`. */
export function pinOf(owner: Owner, version = 1, freeAt: number = now + 2 * month): SignedRecord {
  return live(owner, version, freeAt - month);
}

/** `from` hands the name to `to`, who writes `version` of the epoch after. */
export function handedOver(from: Owner, to: Owner, version = 1): SignedRecord {
  const terms = { label: 'alice', newOwner: keyOf(to).publicKey, newEpoch: 1 };
  const signer = { key: keyOf(from), network };
  const offer = signTransfer({ ...terms, notAfter: now + month }, signer);
  const stamp = { seq: seqOf(0, 2), issued: now - 100 };
  const offered = makeNameRecord({ label: 'alice', root, offer }, stamp, signer);
  const transfers = acceptOffer(offered, keyOf(to).publicKey);
  const next = { seq: seqOf(1, version), issued: now - 50 };
  return makeNameRecord({ label: 'alice', root, transfers }, next, { key: keyOf(to), network });
}
