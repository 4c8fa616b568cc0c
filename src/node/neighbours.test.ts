import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Endpoint, parseEndpoint } from '../base/address.ts';
import { silentLogger } from '../base/logger.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import { SigningKey } from '../identity/key.ts';
import { neighbourAt, Neighbours } from './neighbours.ts';

const [first, second] = [1, 2].map(() => new SigningKey('node', randomBytes(32)).publicKey);

function at(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  assert.ok(endpoint);
  return endpoint;
}

test('only the announced key is joined at, once, and a few wait their turn', async () => {
  assert.ok(first && second);
  const joined: Contact[] = [];
  const asked: string[] = [];
  const neighbours = new Neighbours({
    transport: {
      identify: async (endpoint) => {
        asked.push(String(endpoint.port));
        return contactOf(first, endpoint);
      },
    },
    dht: {
      join: async (seeds) => joined.push(...seeds),
      table: { contacts: () => joined },
    },
    log: silentLogger,
  });
  neighbours.found({ publicKey: second, endpoint: at('192.168.1.2:9001') });
  neighbours.found({ publicKey: first, endpoint: at('192.168.1.3:9002') });
  for (let i = 0; i < 20; i++) {
    neighbours.found({ publicKey: second, endpoint: at(`192.168.1.4:${9100 + i}`) });
  }
  for (let i = 0; i < 200; i++) await Promise.resolve();
  assert.deepEqual(
    joined.map(({ endpoint }) => endpoint.port),
    [9002],
  );
  assert.equal(asked.length, 8, 'the others are dropped');
  neighbours.found({ publicKey: first, endpoint: at('192.168.1.3:9002') });
  await neighbours.stop();
  assert.equal(asked.length, 8, 'one that is known is not asked');
});

test('a neighbour is who was met at home, and nobody else', () => {
  assert.ok(first && second);
  const far = contactOf(first, at('45.0.0.1:9000'));
  const near = contactOf(first, at('192.168.1.3:9002'));
  assert.equal(neighbourAt({ contacts: () => [far] }, first), undefined);
  assert.equal(neighbourAt({ contacts: () => [far, near] }, first)?.port, 9002);
  assert.equal(neighbourAt({ contacts: () => [near] }, second), undefined);
});
