import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorOf, rootOf } from '../../test/support/name-bench.ts';
import { setUpRegistrar } from '../../test/support/registrar-bench.ts';
import { silentLogger } from '../base/logger.ts';
import { parseCertificate } from './certificate-text.ts';
import { CertificateWatch, endingNames } from './certificate-watch.ts';

const dayMs = 86_400_000;

test('an author is warned once a day in the last 30 days of a certificate', async () => {
  const { registrar, member, world } = setUpRegistrar();
  const names = member(2);
  const certify = async (days: number): Promise<ReturnType<typeof parseCertificate>> =>
    parseCertificate((await registrar.certify('alice', authorOf(2).publicKey, { days })).text);
  await names.register('alice', rootOf(1), { certificate: await certify(40) });
  await names.register('blog.alice', rootOf(2));
  const warned: unknown[] = [];
  const log = { ...silentLogger, warn: (_: string, fields?: object) => void warned.push(fields) };
  await using watch = new CertificateWatch({ names, world, log });
  watch.start();
  await world.advanceAsync(9 * dayMs);
  assert.deepEqual([warned, endingNames(names.list(), world.clock)], [[], []]);
  await world.advanceAsync(3 * dayMs);
  const ends = '2026-02-10T00:00:00.000Z';
  assert.deepEqual(warned.slice(0, 2), [
    { name: 'alice.alt', ends },
    { name: 'alice.alt', ends },
  ]);
  const { length } = warned;
  await names.accept(await certify(365));
  await world.advanceAsync(5 * dayMs);
  assert.equal(warned.length, length, 'it has a new one');
});
