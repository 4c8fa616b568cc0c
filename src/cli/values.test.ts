import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseAddressOption,
  parseBootstrapOption,
  parseByteCount,
  parseChoice,
  parseCount,
  parseMoment,
} from './values.ts';

const refused = { code: 'USAGE' };

test('sizes are bytes, or a number with a unit', () => {
  const sizes: readonly [string, number][] = [
    ['1', 1],
    ['1073741824', 1_073_741_824],
    ['1GiB', 1_073_741_824],
    ['64 MiB', 67_108_864],
    ['500MB', 500_000_000],
    ['1.5kb', 1500],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseByteCount('--store-budget', text), bytes);
  for (const text of ['', '0', '-1', '1XB', 'GiB', '1e9', '9007199254740993', '0.1']) {
    assert.throws(() => parseByteCount('--store-budget', text), refused, text);
  }
});

test('a size that is none is told from one that cannot be', () => {
  const whys = [
    ['0', /^--store-budget: 0 is too little; try 64MiB$/],
    ['0.1', /: 0\.1 is too little/],
    ['9007199254740993', /is too much/],
    ['1XB', /: "1XB" is not a size/],
  ] as const;
  for (const [text, message] of whys)
    assert.throws(() => parseByteCount('--store-budget', text), { message });
});

test('numbers are whole and within their bounds', () => {
  assert.equal(parseCount('--replicas', '6', { min: 0, max: 64 }), 6);
  for (const text of ['', '-1', '65', '1.5', ' 1', '0x1']) {
    assert.throws(() => parseCount('--replicas', text, { min: 0, max: 64 }), refused, text);
  }
});

test('words are among the choices', () => {
  assert.equal(parseChoice('--network', 'local', ['main', 'local']), 'local');
  assert.throws(() => parseChoice('--network', 'Local', ['main', 'local']), {
    ...refused,
    message: '--network: "Local" is none of main, local',
  });
});

test('moments are dates or Unix seconds', () => {
  assert.equal(parseMoment('--captured', '1393632000'), 1_393_632_000);
  assert.equal(parseMoment('--captured', '2014-03-01'), 1_393_632_000);
  assert.equal(parseMoment('--captured', '2014-03-01T01:00:00+01:00'), 1_393_632_000);
  for (const text of ['', 'yesterday', '2014-13-01', '01/03/2014', '1960-01-01']) {
    assert.throws(() => parseMoment('--captured', text), refused, text);
  }
});

test('addresses name the option that is wrong', () => {
  assert.equal(parseAddressOption('--listen', ':9000'), ':9000');
  assert.throws(() => parseAddressOption('--listen', '9000'), { message: /^--listen: "9000"/ });
  const id = 'ab'.repeat(32);
  assert.deepEqual(parseBootstrapOption('--bootstrap', ` a.example:1, [::1]:2#${id},`), [
    'a.example:1',
    `[::1]:2#${id}`,
  ]);
  assert.deepEqual(parseBootstrapOption('--bootstrap', ''), []);
  for (const text of ['a', 'a:0', 'a:1#xyz', ':1', 'a:1 b:2']) {
    assert.throws(() => parseBootstrapOption('--bootstrap', text), refused, text);
  }
});
