import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointAt, strangerAt } from '../../../test/support/mode-samples.ts';
import { formatEndpoint } from '../../base/address.ts';
import { type AddressVerdict, AddressVotes } from './address-votes.ts';

const ours = '51.0.0.1:9000';

function tally(...observed: readonly string[]): AddressVerdict {
  const votes = new AddressVotes();
  observed.forEach((text, i) => votes.add(strangerAt(i), endpointAt(text)));
  return votes.verdict();
}

function times<T>(count: number, value: T): T[] {
  return Array<T>(count).fill(value);
}

function adopted(verdict: AddressVerdict): string | undefined {
  return verdict.kind === 'adopted' ? formatEndpoint(verdict.endpoint) : undefined;
}

test('an address is adopted by 5 equal votes that are 60 % of all', () => {
  assert.deepEqual(tally(...times(4, ours)), { kind: 'open', votes: 4 });
  assert.equal(adopted(tally(...times(5, ours))), ours);
  const liars = ['66.0.0.1:1000', '66.0.0.2:1000', '66.0.0.3:1000', '66.0.0.4:1000'];
  assert.equal(adopted(tally(...times(6, ours), ...liars)), ours, '6 of 10');
  assert.deepEqual(tally(...times(5, ours), ...liars), { kind: 'open', votes: 9 }, '5 of 9');
});

test('votes from one network count once', () => {
  const votes = new AddressVotes();
  for (let n = 0; n < 20; n++) {
    const voter = { ...strangerAt(n), endpoint: endpointAt(`45.1.${n}.1:9000`) };
    votes.add(voter, endpointAt(ours));
  }
  assert.deepEqual(votes.verdict(), { kind: 'open', votes: 1 });
});

test('one address with many ports is a symmetric NAT', () => {
  const ports = [1, 2, 3, 4, 5].map((port) => `51.0.0.1:${port}`);
  assert.deepEqual(tally(...ports), { kind: 'symmetric' });
  assert.equal(adopted(tally(...times(5, ours), '51.0.0.1:1', '51.0.0.1:2')), ours, 'two odd ones');
});

test('a new address takes over when the last 30 votes say so', () => {
  const before = times(30, ours);
  const after = '52.0.0.1:9000';
  assert.equal(adopted(tally(...before, ...times(12, after))), ours, '18 of 30');
  assert.equal(adopted(tally(...before, ...times(13, after))), undefined);
  assert.equal(adopted(tally(...before, ...times(18, after))), after);
});
