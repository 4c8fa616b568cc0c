import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, encode } from 'dns-packet';
import { integer, property, tuple, uint8Array } from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import {
  decodeMessage,
  encodeAnnouncement,
  encodeQuery,
  type LanMessage,
  serviceName,
} from './message.ts';

const network = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const other = Uint8Array.from({ length: 16 }, () => 7);
const publicKey = Uint8Array.from({ length: 32 }, (_, i) => i);
const announcement = { publicKey, port: 4001 };

describe('messages of a local network', () => {
  test('a query and an announcement are read as they were written', () => {
    assert.equal(serviceName(network), '_altnet-01020304._udp.local');
    assert.deepEqual(decodeMessage(network, encodeQuery(network)), { kind: 'query' });
    const written = encodeAnnouncement(network, announcement);
    assert.deepEqual(decodeMessage(network, written), { kind: 'announcement', announcement });
    assert.ok(written.length < 400);
  });

  test('those of another network are not', () => {
    assert.equal(decodeMessage(other, encodeQuery(network)), undefined);
    assert.equal(decodeMessage(other, encodeAnnouncement(network, announcement)), undefined);
  });

  test('an announcement without a key, with a bad one, or without a port says nothing', () => {
    const service = serviceName(network);
    const name = `x.${service}`;
    const data = { port: 4001, target: 'x.local' };
    const srv = (at: string): Answer => ({ type: 'SRV', name: at, data });
    const txt = (text: string): Answer => ({ type: 'TXT', name, data: [text] });
    const good = txt(`k=${'ab'.repeat(32)}`);
    const read = (...answers: Answer[]): LanMessage | undefined =>
      decodeMessage(network, encode({ type: 'response', answers }));
    assert.ok(read(srv(name), good));
    assert.equal(read(srv(name)), undefined);
    assert.equal(read(good), undefined);
    assert.equal(read(srv(name), txt('k=abcd')), undefined);
    assert.equal(read(srv(name), txt(`q=${'ab'.repeat(32)}`)), undefined);
    assert.equal(read(srv('x.other.local'), good), undefined);
  });

  test('what promises many records is not decoded, and what is long neither', () => {
    const many = Buffer.concat([
      Buffer.from([0, 0, 0x84, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]),
      Buffer.from('_altnet-01020304'),
    ]);
    assert.equal(decodeMessage(network, many), undefined);
    const long = Buffer.concat([encodeQuery(network), Buffer.alloc(1400)]);
    assert.equal(decodeMessage(network, long), undefined);
  });

  test('no octets make it throw', () => {
    const good = encodeAnnouncement(network, announcement);
    const change = tuple(integer({ min: 0, max: good.length - 1 }), integer({ min: 0, max: 255 }));
    checkProperty(
      property(tuple(change, change, change), (changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        decodeMessage(network, bytes);
      }),
    );
    checkProperty(
      property(uint8Array({ maxLength: 64 }), (bytes) => {
        decodeMessage(network, bytes);
      }),
    );
  });
});
