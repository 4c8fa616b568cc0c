/**
 * What bench/dht.ts measures of memory, in a process that does nothing else: 10,000 contacts in a
 * routing table as they come out of replies, and 10,000 records in the storage over the disk store.
 */
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { systemWorld, unixSeconds } from '../src/base/clock.ts';
import { sha256 } from '../src/base/hash.ts';
import { silentLogger } from '../src/base/logger.ts';
import { forEachOf } from '../src/base/parallel.ts';
import { utf8 } from '../src/base/bytes.ts';
import { Storage, storageDefaults } from '../src/dht/holding/storage.ts';
import { RoutingTable, tableDefaults } from '../src/dht/table/table.ts';
import { contactOf } from '../src/identity/contact.ts';
import { SigningKey } from '../src/identity/key.ts';
import { isStored, storeStatusName } from '../src/record/kinds.ts';
import { hashUrl, linkSchemes, makeLinkRecord } from '../src/record/link.ts';
import { networkId, networkProfiles } from '../src/record/network.ts';
import { openStore } from '../src/store/store.ts';
import { decodeReplyBody, encodeReplyBody } from '../src/wire/replies.ts';
import { answerWith } from './forked.ts';

export interface MemoryTask {
  readonly of: 'table' | 'records';
  readonly entries: number;
  /** For the store. */
  readonly folder: string;
}

/** All per entry, in octets. */
export interface MemoryCost {
  /** What JavaScript holds, inside its heap and outside. */
  readonly heap: number;
  /** What the process holds: also mapped pages of the store, and room that the work once took. */
  readonly resident: number;
  /** What an entry says, without anything around it. */
  readonly content: number;
}

/** Entries before the measured ones: they load and compile what all need. */
const firstEntries = 500;
const contactsPerReply = 20;
/** ID, key, IPv4 address and port. */
const contactOctets = 32 + 32 + 4 + 2;
const authorCount = 500;
const sourceCount = 1000;
const writesAtOnce = 64;

/** Adds so many entries, and tells how many octets they say. */
type Fill = (entries: number) => Promise<number>;

/**
 * The heap's growth is that of a second so many entries: during the first ones V8 still compiles.
 * What the process holds grows mostly with the first.
 */
async function costOf(entries: number, fill: Fill): Promise<MemoryCost> {
  await fill(firstEntries);
  const start = memory();
  const content = await fill(entries);
  const half = memory();
  await fill(entries);
  return {
    heap: (memory().heap - half.heap) / entries,
    resident: (half.resident - start.resident) / entries,
    content: content / entries,
  };
}

function memory(): { heap: number; resident: number } {
  // Twice: what the first finds unreachable may have kept something else.
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

/** A table holds 20 for each bucket: one that may hold more has the same of each. */
function fillTable(entriesMax: number): Fill {
  const table = new RoutingTable(randomBytes(32), { ...tableDefaults, k: entriesMax });
  let made = 0;
  return async (entries) => {
    const before = table.size;
    while (table.size < before + entries) {
      // Each from a network of its own, as the table takes few of one.
      const contacts = Array.from({ length: contactsPerReply }, () => {
        const number = made++;
        const ip = Uint8Array.of(11 + (number >> 16), (number >> 8) & 255, number & 255, 1);
        return contactOf(new Uint8Array(randomBytes(32)), { ip, port: 9000 });
      });
      const want = { v4: true, v6: false };
      const body = encodeReplyBody({ method: 'find', contacts }, { room: 1080, want });
      const reply = decodeReplyBody('find', { status: 0, body });
      if (typeof reply === 'string' || reply.method !== 'find') throw new Error('a bad reply');
      for (const contact of reply.contacts) table.confirm(contact, { nowMs: made, rttMs: 80.5 });
    }
    return (table.size - before) * contactOctets;
  };
}

async function fillRecords(folder: string): Promise<Fill> {
  const profile = networkProfiles.local;
  const network = networkId(profile);
  const { clock } = systemWorld;
  const { records } = await openStore({ folder, world: systemWorld, log: silentLogger });
  const storage = new Storage(
    { records, clock, self: sha256(utf8('self')), profile, network, isTooFar: () => false },
    storageDefaults,
  );
  await storage.open(systemWorld.timers);
  const authors = Array.from(
    { length: authorCount },
    (_, i) => new SigningKey('author', sha256(utf8(`author ${i}`))),
  );
  let made = 0;
  const one = async (number: number): Promise<void> => {
    const key = authors[number % authorCount];
    if (!key) throw new Error('no author');
    const target = `https://mirror.example/${number}/driver.rar`;
    const urlHash = hashUrl(`http://dead.example/${number}`);
    const body = { target, urlHash, scheme: linkSchemes.http };
    const issued = unixSeconds(clock);
    const { bytes } = makeLinkRecord(body, { seq: 1n, issued }, { key, network });
    const source = `4:0b${(number % sourceCount).toString(16).padStart(4, '0')}`;
    const { status } = await storage.accept(bytes, { source });
    if (!isStored(status)) throw new Error(`a record was refused: ${storeStatusName(status)}`);
  };
  return async (entries) => {
    const before = storage.totals.bytes;
    const numbers = Array.from({ length: entries }, () => made++);
    await forEachOf(numbers, writesAtOnce, one);
    return storage.totals.bytes - before;
  };
}

answerWith(async ({ of, entries, folder }: MemoryTask): Promise<MemoryCost> => {
  const fill =
    of === 'table'
      ? fillTable(firstEntries + 2 * entries + contactsPerReply)
      : await fillRecords(folder);
  return costOf(entries, fill);
});
