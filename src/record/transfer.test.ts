import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CID } from 'multiformats/cid';
import {
  alice,
  bob,
  carol,
  day,
  issued,
  registrar,
  sampleAuthor,
} from '../../test/support/name-samples.ts';
import { checkProperty } from '../../test/support/property.ts';
import { AltNetError } from '../base/errors.ts';
import { checkRecord } from './acceptance.ts';
import { epochOf, seqOf, type SignedRecord, versionOf } from './envelope.ts';
import { storeStatusName } from './kinds.ts';
import { makeNameRecord, makeNameTombstone, parseName } from './name.ts';
import { networkProfiles } from './network.ts';
import type { Signer } from './stamp.ts';
import {
  acceptOffer,
  compareClaims,
  offerOf,
  signTransfer,
  takesOverFrom,
  type TransferLink,
  transfersOf,
} from './transfer.ts';

const root = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
const label = 'alice';
const { network } = alice;
const dave = sampleAuthor(6);

/** A record without a history. */
function claim(by: Signer, seq: bigint = 1n): SignedRecord {
  return makeNameRecord({ label, root }, { seq, issued }, by);
}

interface Sale {
  readonly epoch?: number;
  readonly notAfter?: number;
  /** When the buyer signs. */
  readonly at?: number;
}

/** What the buyer shows after `held` was offered to him and he accepted. */
function sell(held: SignedRecord, from: Signer, to: Signer, sale: Sale = {}): SignedRecord {
  const { epoch = epochOf(held.seq) + 1, notAfter = issued + day, at = issued } = sale;
  const transfers = transfersOf(held);
  const terms = { label, newOwner: to.key.publicKey, newEpoch: epoch, notAfter };
  const offer = signTransfer(terms, from);
  const seq = seqOf(epochOf(held.seq), versionOf(held.seq) + 1);
  const offering = makeNameRecord(
    { label, root, offer, ...(transfers.length > 0 ? { transfers } : {}) },
    { seq, issued },
    from,
  );
  assert.equal(status(offering), 'OK');
  const links = acceptOffer(offering, to.key.publicKey);
  assert.ok(links);
  return shown(links, to, { epoch, at });
}

function shown(
  transfers: readonly TransferLink[],
  by: Signer,
  { epoch, at = issued, version = 1 }: { epoch: number; at?: number; version?: number },
): SignedRecord {
  const stamp = { seq: seqOf(epoch, version), issued: at };
  return makeNameRecord({ label, root, transfers }, stamp, by);
}

function status(record: SignedRecord): string {
  const judging = { nowUnixSeconds: issued, profile: networkProfiles.local, network };
  return storeStatusName(checkRecord(record, { ...judging, nowUnixSeconds: record.issued }));
}

function compare(a: SignedRecord, b: SignedRecord): number {
  const [there, back] = [compareClaims(a, b, network), compareClaims(b, a, network)];
  assert.equal(Math.sign(there) + Math.sign(back), 0, 'the rule is antisymmetric');
  return Math.sign(there);
}

test('who has a name from another wins, whatever the other signs later', () => {
  const held = claim(alice);
  const sold = sell(held, alice, bob);
  assert.equal(status(sold), 'OK');
  assert.equal(takesOverFrom(sold, alice.key.publicKey, network), 1);
  assert.equal(takesOverFrom(sold, carol.key.publicKey, network), undefined);
  assert.equal(takesOverFrom(held, bob.key.publicKey, network), undefined);
  assert.equal(compare(sold, held), 1);
  assert.equal(compare(sold, claim(alice, seqOf(9, 9))), 1);
  const withdrawal = makeNameTombstone({ label }, { seq: seqOf(9, 9), issued }, alice);
  assert.equal(compare(sold, withdrawal), 1, 'nor can she withdraw it');
  assert.equal(compare(sold, claim(carol)), 0, 'others are not bound by it');
});

test('a chain proves the takeover from each owner before', () => {
  const toCarol = sell(sell(claim(alice), alice, bob), bob, carol);
  assert.equal(status(toCarol), 'OK');
  assert.equal(takesOverFrom(toCarol, alice.key.publicKey, network), 1);
  assert.equal(takesOverFrom(toCarol, bob.key.publicKey, network), 2);
  assert.equal(compare(toCarol, claim(alice, seqOf(7, 1))), 1);
  assert.equal(compare(toCarol, sell(claim(alice), alice, bob)), 1);
});

test('a name that came back is its first owner’s', () => {
  const sold = sell(claim(alice), alice, bob);
  const back = sell(sold, bob, alice);
  assert.equal(compare(back, sold), 1);
  const toBobAgain = sell(back, alice, bob);
  assert.equal(compare(toBobAgain, back), 1);
  assert.equal(compare(toBobAgain, sold), 1, 'his own, at a higher epoch');
});

test('a chain shows its last three links', () => {
  let held = claim(alice);
  const owners = [alice, bob, carol, dave, registrar];
  for (const [i, to] of owners.slice(1).entries()) held = sell(held, owners[i] ?? alice, to);
  assert.equal(status(held), 'OK');
  assert.deepEqual(
    transfersOf(held).map(({ newEpoch }) => newEpoch),
    [2, 3, 4],
  );
  assert.equal(compare(held, sell(claim(alice), alice, bob)), 1);
  assert.equal(compare(held, claim(alice)), 0, 'the oldest sale is forgotten');
});

test('a name that was sold twice is decided by votes', () => {
  const held = claim(alice);
  assert.equal(compare(sell(held, alice, bob), sell(held, alice, carol)), 0);
  assert.equal(compare(sell(held, alice, bob), sell(held, alice, carol, { epoch: 5 })), 0);
});

test('a link proves nothing in records that are issued after its deadline', () => {
  const held = claim(alice);
  const sold = (at: number): SignedRecord => sell(held, alice, bob, { notAfter: issued + 10, at });
  assert.equal(compare(sold(issued + 10), held), 1);
  const late = sold(issued + 11);
  assert.equal(status(late), 'OK', 'a renewal may go on to show it');
  assert.equal(takesOverFrom(late, alice.key.publicKey, network), undefined);
  assert.equal(compare(late, held), 0);
});

test('a forged link proves nothing, whoever looks first', () => {
  const sold = sell(claim(alice), alice, bob);
  const [link] = transfersOf(sold);
  assert.ok(link);
  const forged = shown([{ ...link, notAfter: link.notAfter + 1 }], bob, { epoch: 1 });
  assert.equal(status(forged), 'BAD_TRANSFER');
  assert.equal(takesOverFrom(forged, alice.key.publicKey, network), undefined);
  const elsewhere = new Uint8Array(16);
  assert.equal(takesOverFrom(sold, alice.key.publicKey, elsewhere), undefined);
  const early = shown([link], bob, { epoch: 2 });
  assert.equal(takesOverFrom(early, alice.key.publicKey, network), undefined, 'another epoch');
});

test('an offer is for one author', () => {
  const offer = signTransfer(
    { label, newOwner: bob.key.publicKey, newEpoch: 1, notAfter: issued + day },
    alice,
  );
  const offering = makeNameRecord({ label, root, offer }, { seq: 2n, issued }, alice);
  assert.equal(status(offering), 'OK');
  assert.deepEqual(parseName(offering)?.offer, offer);
  assert.deepEqual(offerOf(offering), offer);
  assert.equal(acceptOffer(offering, carol.key.publicKey), undefined);
  assert.equal(acceptOffer(claim(alice), bob.key.publicKey), undefined);
  assert.equal(compare(offering, claim(alice)), 1, 'an offer alone changes no owner');
  assert.throws(
    () => signTransfer({ label, newOwner: new Uint8Array(31), newEpoch: 1, notAfter: 1 }, alice),
    (error) => error instanceof AltNetError && error.code === 'INTERNAL',
  );
});

test('claims to different names are not compared', () => {
  const other = makeNameRecord({ label: 'bob', root }, { seq: 9n, issued }, alice);
  assert.equal(compare(other, claim(alice)), 0);
  assert.equal(compareClaims(claim(alice), claim(alice), network), 0);
});

/**
 * Any tree of sales among five authors: node i bought from node `parents[i]`, and may have sold
 * to several. Some sign again later, at epochs of their own making.
 */
const authors = [alice, bob, carol, dave, registrar];
const trees = fc.record({
  parents: fc.tuple(fc.nat(0), fc.nat(1), fc.nat(2), fc.nat(3)),
  again: fc.array(fc.tuple(fc.nat(4), fc.nat(9)), { maxLength: 3 }),
});

test('the rule is antisymmetric, and never contradicts what follows from it', () => {
  checkProperty(
    fc.property(trees, ({ parents, again }) => {
      const claims = [claim(alice)];
      for (const [i, parent] of parents.entries()) {
        const [from, to] = [authors[parent] ?? alice, authors[i + 1] ?? alice];
        claims.push(sell(claims[parent] ?? claim(alice), from, to));
      }
      for (const [who, epoch] of again) claims.push(claim(authors[who] ?? alice, seqOf(epoch, 7)));
      const order = claims.map((a, i) => claims.slice(0, i).map((b) => compare(a, b)));
      const signs = (a: number, b: number): number => order[a]?.[b] ?? -(order[b]?.[a] ?? 0);
      const all = claims.keys().toArray();
      // Among claims that show how they came about: re-signed ones drop their proof on purpose.
      const proven = all.slice(0, authors.length);
      for (const [a, b, c] of proven.flatMap((x) =>
        proven.flatMap((y) => proven.map((z) => [x, y, z] as const)),
      )) {
        if (signs(a, b) > 0 && signs(b, c) > 0) assert.ok(signs(a, c) >= 0);
      }
      for (const [i, parent] of parents.entries()) {
        assert.equal(signs(i + 1, parent), 1, 'a buyer wins from the seller');
        for (const [later, [who]] of again.entries()) {
          if (who === parent) assert.equal(signs(i + 1, authors.length + later), 1);
        }
      }
    }),
  );
});
