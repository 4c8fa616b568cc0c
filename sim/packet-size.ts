/**
 * How long the datagrams would be that the simulator never makes, by the layouts of src/wire
 * (docs/spec/packets.md). A test compares it with what `wire` really encodes.
 */
import type { Contact } from '../src/identity/contact.ts';
import type { GetReply, Reply, Request } from '../src/dht/ports.ts';
import { recordBytesMax } from '../src/record/envelope.ts';
import { compactBytes, contactsMax } from '../src/wire/contacts.ts';
import { datagramBytesMax, initOverheadBytes, respOverheadBytes } from '../src/wire/packets.ts';
import { replyBodyBytesMax, replyHeadBytes } from '../src/wire/replies.ts';
import {
  idPrefixBytes,
  nonceBytes,
  requestHeadBytes,
  syncEntryBytes,
} from '../src/wire/requests.ts';

const fixedInitBytes = initOverheadBytes + requestHeadBytes;
const fixedRespBytes = respOverheadBytes + replyHeadBytes;
/** Padding, for who has no token of the answerer: room for the longest useful reply. */
const paddedPingBytes = 224;
const paddedFindBytes = 896;
const digestBytes = 45;
/** Counts and cursor of a reply to GET, and of one to SYNC. */
const getFixedBytes = 5;
const syncFixedBytes = 2;
/** Typical: the simulator signs no contact records. */
const contactRecordBytes = 260;

/** Octets of the INIT, IPv4; `trusted`: the sender has a token of who gets it. */
export function requestBytes(request: Request, trusted: boolean): number {
  switch (request.method) {
    case 'ping': {
      const bytes = fixedInitBytes + (request.nonce?.length ?? 0);
      return trusted ? bytes : Math.max(bytes, paddedPingBytes);
    }
    case 'find':
      return trusted ? fixedInitBytes + request.target.length : paddedFindBytes;
    case 'get':
      return trusted
        ? fixedInitBytes + 32 + 1 + 8 + 2 + request.ids.length * idPrefixBytes
        : datagramBytesMax;
    case 'store':
      return fixedInitBytes + Math.min(request.record.length, recordBytesMax);
    case 'announce':
      return fixedInitBytes + request.record.length;
    case 'sync':
      return fixedInitBytes + syncEntryBytes;
    case 'leave':
      return fixedInitBytes;
    case 'reach':
    default:
      return fixedInitBytes + nonceBytes + (request.target ? compactBytes(request.target) : 0);
  }
}

/** Octets of the RESP, IPv4; who was not `trusted` left no room for a contact record. */
export function replyBytes(reply: Reply, trusted = true): number {
  switch (reply.method) {
    case 'ping':
      if (!trusted) return fixedRespBytes;
      return fixedRespBytes + (reply.contactRecord?.length ?? contactRecordBytes);
    case 'find':
      return fixedRespBytes + 1 + contactsBytes(reply.contacts);
    case 'get':
      return fixedRespBytes + getBytes(reply) + contactsBytes(reply.contacts);
    case 'store':
      return fixedRespBytes + (reply.conflicting?.length ?? (reply.detail === undefined ? 0 : 2));
    case 'sync':
      return fixedRespBytes + syncFixedBytes + reply.entries.length * syncEntryBytes;
    case 'announce':
    case 'leave':
      return fixedRespBytes;
    case 'reach':
    default:
      return fixedRespBytes + 1;
  }
}

/** What arrives of a reply: records take the room of contacts, and those behind are cut off. */
export function fitted(reply: Reply): Reply {
  if (reply.method !== 'get') return reply;
  const room = replyBodyBytesMax - getBytes(reply);
  const { contacts } = reply;
  let bytes = 0;
  let count = 0;
  for (const contact of contacts) {
    bytes += compactBytes(contact);
    if (bytes > room || count === contactsMax) break;
    count++;
  }
  return count === contacts.length ? reply : { ...reply, contacts: contacts.slice(0, count) };
}

/** All of its body but the contacts themselves. */
function getBytes({ records, digests }: GetReply): number {
  let bytes = getFixedBytes + digests.length * digestBytes;
  for (const record of records) bytes += 2 + record.length;
  return bytes;
}

function contactsBytes(contacts: readonly Contact[]): number {
  let bytes = 0;
  for (const contact of contacts) bytes += compactBytes(contact);
  return bytes;
}
