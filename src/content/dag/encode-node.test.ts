import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode, prepare } from '@ipld/dag-pb';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { encodeNode } from './encode-node.ts';
import { cidOf } from './root.ts';

const link = fc.record({
  name: fc.oneof(fc.constant(''), fc.string({ unit: 'grapheme', maxLength: 90 })),
  codec: fc.constantFrom('raw' as const, 'dag-pb' as const),
  hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  total: fc.oneof(fc.nat(300), fc.maxSafeNat()),
});

test('nodes are encoded as the common library does', () => {
  checkProperty(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(link, { maxLength: 30 }),
      (data, links) => {
        const Links = links.map((one) => ({ Name: one.name, Tsize: one.total, Hash: cidOf(one) }));
        assert.deepEqual(
          Buffer.from(encodeNode(data, links)),
          Buffer.from(encode(prepare({ Data: data, Links }))),
        );
      },
    ),
  );
});
