/** How much one client may ask for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { Clients } from './clients.ts';

const limits = {
  requestsMax: 4,
  requestsPerClientMax: 2,
  requestsPerSecondMax: 1,
  requestsBurstMax: 3,
  limitsLoopback: false,
};

test('a network has so many requests, and more as time passes', () => {
  const world = manualWorld();
  const clients = new Clients(limits, world.clock);
  const admitted = (address: string): number => {
    let count = 0;
    while (count < 100 && clients.admits(address)) count++;
    return count;
  };
  assert.equal(admitted('192.0.2.1'), 3);
  assert.equal(admitted('::ffff:192.0.2.1'), 0, 'the same address in other clothes');
  assert.equal(admitted('192.0.2.2'), 3);
  assert.equal(admitted('2001:db8::1'), 3);
  assert.equal(admitted('2001:db8::ffff:1'), 0, 'the same /64');
  assert.equal(admitted('2001:db8:0:1::1'), 3);
  world.advance(2000);
  assert.equal(admitted('192.0.2.1'), 2);
  for (const own of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    assert.equal(admitted(own), 100, own);
  }
});

test('one network has so many at once, this machine as many as there are', () => {
  const clients = new Clients(limits, manualWorld().clock);
  assert.equal(clients.enter('2001:db8::1'), undefined);
  assert.equal(clients.enter('2001:db8::2'), undefined);
  assert.equal(clients.enter('2001:db8::3'), 'client');
  assert.equal(clients.enter('127.0.0.1'), undefined);
  assert.equal(clients.enter('127.0.0.1'), undefined);
  assert.equal(clients.enter('127.0.0.1'), 'all');
  clients.leave('2001:db8::1');
  assert.equal(clients.enter('127.0.0.1'), undefined);
});

test('others never take the places of this machine itself', () => {
  const many = { ...limits, requestsMax: 8, requestsPerClientMax: 4 };
  const clients = new Clients(many, manualWorld().clock);
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    for (let i = 0; i < 3; i++) assert.equal(clients.enter(address), undefined);
  }
  assert.equal(clients.enter('192.0.2.3'), 'all');
  for (const own of ['127.0.0.1', '::1']) assert.equal(clients.enter(own), undefined, own);
  assert.equal(clients.enter('127.0.0.1'), 'all');
  clients.leave('192.0.2.1');
  assert.equal(clients.enter('127.0.0.1'), undefined, 'it may have more than its own');
  assert.equal(clients.enter('192.0.2.3'), 'all');
  clients.leave('127.0.0.1');
  assert.equal(clients.enter('192.0.2.3'), undefined);
});
