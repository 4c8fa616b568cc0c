import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { type Endpoint, parseEndpoint } from '../base/address.ts';
import { contactOf } from '../identity/contact.ts';
import { admitContacts } from './admission.ts';
import { OutgoingGate } from './gate.ts';

function at(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  assert.ok(endpoint, text);
  return endpoint;
}

test('an IP that never answered gets two datagrams in 10 s, whatever the port', () => {
  const world = manualWorld();
  const gate = new OutgoingGate(world.clock);
  gate.noteSent(at('8.8.8.8:1000'));
  assert.equal(gate.refusal(at('8.8.8.8:1001')), undefined);
  gate.noteSent(at('8.8.8.8:1001'));
  assert.equal(gate.refusal(at('8.8.8.8:1002')), 'asked too often without an answer');
  assert.equal(gate.refusal(at('8.8.8.9:1002')), undefined);
  world.advance(10_000);
  assert.equal(gate.refusal(at('8.8.8.8:1002')), undefined);
});

test('an IP that answered is not limited', () => {
  const gate = new OutgoingGate(manualWorld().clock);
  gate.noteAnswered(at('8.8.8.8:1000'));
  for (let i = 0; i < 100; i++) gate.noteSent(at('8.8.8.8:1000'));
  gate.noteFailed(at('8.8.8.8:1000'));
  assert.equal(gate.refusal(at('8.8.8.8:1000')), undefined);
});

test('an endpoint that failed is left alone for 10 minutes', () => {
  const world = manualWorld();
  const gate = new OutgoingGate(world.clock);
  gate.noteFailed(at('[2001:db8::1]:1000'));
  assert.equal(gate.refusal(at('[2001:db8::1]:1000')), 'failed lately');
  assert.equal(gate.refusal(at('[2001:db8::1]:1001')), undefined);
  world.advance(10 * 60_000);
  assert.equal(gate.refusal(at('[2001:db8::1]:1000')), undefined);
});

test('one that failed is tried again when the user names it, or when it speaks up', () => {
  const gate = new OutgoingGate(manualWorld().clock);
  const endpoint = at('8.8.8.8:1000');
  gate.noteFailed(endpoint);
  assert.equal(gate.refusal(endpoint, { named: true }), undefined);
  gate.noteHeard(endpoint);
  assert.equal(gate.refusal(endpoint), undefined);
  for (let i = 0; i < 2; i++) gate.noteSent(endpoint);
  assert.equal(gate.refusal(endpoint, { named: true }), 'asked too often without an answer');
});

test('loopback and private addresses are not limited', () => {
  const gate = new OutgoingGate(manualWorld().clock);
  for (const text of ['127.0.0.1:1000', '192.168.1.1:1000', '[::1]:1000', '[fd00::1]:1000']) {
    for (let i = 0; i < 5; i++) gate.noteSent(at(text));
    gate.noteFailed(at(text));
    assert.equal(gate.refusal(at(text)), undefined, text);
  }
});

/** The endpoints that remain of a reply that names `texts`. */
function admitted(answerer: string, texts: readonly string[]): string[] {
  const contacts = texts.map((text, i) => contactOf(new Uint8Array(32).fill(i), at(text)));
  const kept = new Set(admitContacts(contacts, at(answerer)));
  return texts.filter((_, i) => {
    const contact = contacts[i];
    return contact !== undefined && kept.has(contact);
  });
}

test('of global contacts, one per IP and two per /24 or /48 remain, with ports from 1024', () => {
  assert.deepEqual(
    admitted('9.9.9.9:9000', [
      '8.8.8.1:9000',
      '8.8.8.1:9001',
      '8.8.8.2:1023',
      '8.8.8.3:1024',
      '8.8.8.4:9000',
      '8.8.9.4:9000',
      '[2001:db8:1:2::1]:9000',
      '[2001:db8:1:3::1]:9000',
      '[2001:db8:1:4::1]:9000',
      '[2001:db8:2:4::1]:9000',
    ]),
    [
      '8.8.8.1:9000',
      '8.8.8.3:1024',
      '8.8.9.4:9000',
      '[2001:db8:1:2::1]:9000',
      '[2001:db8:1:3::1]:9000',
      '[2001:db8:2:4::1]:9000',
    ],
  );
});

test('a reply that names one victim 20 times leaves one contact', () => {
  const texts = Array.from({ length: 20 }, (_, i) => `8.8.8.8:${2000 + i}`);
  assert.deepEqual(admitted('9.9.9.9:9000', texts), ['8.8.8.8:2000']);
});

test('nobody may name addresses of a narrower scope than its own', () => {
  const texts = ['127.0.0.1:80', '192.168.1.2:9000', '8.8.8.8:9000'];
  assert.deepEqual(admitted('9.9.9.9:9000', texts), ['8.8.8.8:9000']);
  assert.deepEqual(admitted('192.168.1.1:9000', texts), ['192.168.1.2:9000', '8.8.8.8:9000']);
  assert.deepEqual(admitted('127.0.0.1:9000', texts), texts);
  const many = Array.from({ length: 20 }, (_, i) => `127.0.0.1:${2000 + i}`);
  assert.deepEqual(admitted('127.0.0.1:9000', many), many, 'on loopback all share one address');
});
