import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Asked, type Ticket } from '../exchange/asked.ts';
import type { SizedLink } from '../dag/pending-links.ts';
import { hedgeMs, pickTicket, type Rival } from './stealing.ts';

const mebibyte = 1024 * 1024;

function tickets(count: number): Ticket[] {
  const asked = new Asked();
  return Array.from({ length: count }, (_, i) => {
    const link = { codec: 'raw' as const, hash: new Uint8Array(32).fill(i) };
    const want = { link, level: 0, path: [], scope: 'block' as const, bytesSaid: mebibyte };
    return asked.add(want, { nowMs: 0, owner: asked });
  });
}

function run(leaves: number): { ticket: Ticket; links: readonly SizedLink[] } {
  const asked = new Asked();
  const [link, ...others] = Array.from({ length: leaves }, (_, i): SizedLink => {
    return { codec: 'raw', hash: new Uint8Array(32).fill(i), size: mebibyte };
  });
  assert.ok(link);
  const plain = { level: 0, path: [], scope: 'leaves' as const };
  const ticket = asked.add(
    { link, ...plain, others, bytesSaid: mebibyte },
    { nowMs: 0, owner: asked },
  );
  return { ticket, links: ticket.links };
}

/** A peer that brings a megabyte in `ms`; undefined: nothing is known of it. */
function peer(ms: number | undefined, outstanding: Ticket[], quietMs = 0): Rival {
  const idleEtaMs = (bytes: number): number | undefined => ms && (bytes / mebibyte) * ms;
  const etaMs = (bytes: number): number | undefined => {
    const idleMs = idleEtaMs(bytes);
    return idleMs && Math.max(idleMs, quietMs);
  };
  return { outstanding, speed: { etaMs, idleEtaMs, quietMs } };
}

const all = { isOrdered: false, isWanted: () => true };

test('an idle peer takes the last want of a slower one, a reader the first', () => {
  const [idle, slow] = [peer(10, []), peer(1000, tickets(4))];
  assert.equal(pickTicket(idle, [idle, slow], all)?.ticket, slow.outstanding[3]);
  assert.equal(
    pickTicket(idle, [idle, slow], { ...all, isOrdered: true })?.ticket,
    slow.outstanding[0],
  );
});

test('the slowest of several loses a want', () => {
  const [idle, slow, slower] = [peer(10, []), peer(500, tickets(3)), peer(2000, tickets(3))];
  assert.equal(pickTicket(idle, [slow, slower, idle], all)?.ticket, slower.outstanding[2]);
});

test('nothing is taken from peers that are as fast, nor what has a twin or is not wanted', () => {
  const idle = peer(100, []);
  assert.equal(pickTicket(idle, [peer(100, tickets(2))], all), undefined);
  const slow = peer(5000, tickets(2));
  for (const ticket of slow.outstanding) ticket.twin();
  assert.equal(pickTicket(idle, [slow], all), undefined);
  assert.equal(
    pickTicket(idle, [peer(5000, tickets(2))], { ...all, isWanted: () => false }),
    undefined,
  );
});

test('who has two wants to answer takes no third', () => {
  const [busy, slow] = [peer(10, tickets(2)), peer(5000, tickets(2))];
  assert.equal(pickTicket(busy, [slow], all), undefined);
});

test('a peer that never answered loses its wants after half a second', () => {
  const idle = peer(undefined, []);
  assert.equal(pickTicket(idle, [peer(undefined, tickets(1), hedgeMs - 1)], all), undefined);
  const silent = peer(undefined, tickets(1), hedgeMs + 1);
  assert.equal(pickTicket(idle, [silent], all)?.ticket, silent.outstanding[0]);
});

test('an answer that is coming is not asked for once more, one that stopped is', () => {
  const idle = peer(10, []);
  const coming = peer(5000, tickets(1));
  for (const ticket of coming.outstanding) ticket.blocks = 3;
  assert.equal(pickTicket(idle, [coming], all), undefined);
  const stopped = peer(5000, coming.outstanding as Ticket[], hedgeMs + 1);
  assert.equal(pickTicket(idle, [stopped], all)?.ticket, stopped.outstanding[0]);
});

test('of several leaves in one want the last are taken, one at a time, and each once', () => {
  const { ticket, links } = run(4);
  ticket.blocks = 1;
  const isWanted = (_: Ticket, link: SizedLink): boolean => link !== links[0]; // it is here
  const [idle, slow] = [peer(10, []), peer(1000, [ticket])];
  for (const link of [links[3], links[2], links[1]]) {
    const loot = pickTicket(idle, [slow], { isOrdered: false, isWanted });
    assert.ok(loot && link);
    assert.equal(loot.link, link);
    assert.equal(ticket.hasTwin, false);
    assert.deepEqual(ticket.twin(link).link.hash, link.hash);
  }
  assert.equal(pickTicket(idle, [slow], { isOrdered: false, isWanted }), undefined);
});

test('a leaf is not taken that comes soon, however many are behind it', () => {
  const { ticket, links } = run(8);
  for (const link of links.slice(1)) ticket.twin(link);
  assert.equal(pickTicket(peer(100, []), [peer(150, [ticket])], all), undefined);
  assert.equal(pickTicket(peer(100, []), [peer(1500, [ticket])], all)?.link, links[0]);
});

test('who had nothing to do for as long as another has brought nothing is not slow for that', () => {
  const stopped = peer(10, tickets(1), 3000);
  assert.equal(pickTicket(peer(10, [], 3000), [stopped], all)?.ticket, stopped.outstanding[0]);
  assert.equal(pickTicket(peer(10, tickets(1), 3000), [stopped], all), undefined);
});
