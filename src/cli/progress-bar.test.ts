import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { formatLeft, type Progress, ProgressLine } from './progress-bar.ts';

const wide = { nowMs: 0, width: 200 };

function line(progress: Progress): string {
  return new ProgressLine('fetching').text(progress, wide);
}

test('a line states what is known', () => {
  assert.equal(line({ bytes: 5, files: 0, peers: 0 }), 'fetching 5 bytes');
  assert.equal(line({ bytes: 5000, files: 2, peers: 1 }), 'fetching 5.0 kB, 2 files, 1 peer');
  const full = line({ bytes: 10, bytesTotal: 5, files: 2, peers: 1 });
  assert.equal(full, `fetching [${'#'.repeat(24)}] 100 %  10 bytes of 5 bytes, 2 files, 1 peer`);
  assert.match(line({ bytes: 0, bytesTotal: 0, files: 0, peers: 0 }), /\] 100 %/);
  const work = { tried: 30, triesExpected: 120 };
  const proof = line({ bytes: 0, files: 0, peers: 0, work });
  assert.equal(proof, 'fetching: proof of work, 25 % of the usual number of tries');
});

test('speed and time left come after a moment, and anew for each phase', () => {
  const publishing = new ProgressLine('publishing');
  const at = (second: number, phase: Progress['phase'], bytes: number): string => {
    const progress = { ...(phase && { phase }), bytes, bytesTotal: 100e6, files: 3, peers: 0 };
    return publishing.text(progress, { nowMs: second * 1000, width: 200 });
  };
  const bar = `[${'#'.repeat(4)}${'-'.repeat(20)}]`;
  assert.match(at(0, 'reading', 0), /^reading \[-{24}\] {3}0 %  0 bytes of 100 MB, 3 files$/);
  assert.match(at(1, 'reading', 10e6), /, 3 files$/);
  assert.equal(
    at(2, 'reading', 20e6),
    `reading ${bar}  20 %  20 MB of 100 MB, 3 files, 10 MB/s, 8 s left`,
  );
  assert.match(at(3, 'copying', 50e6), /^copying \[#{12}-{12}\]  50 %  50 MB of 100 MB, 3 files$/);
  assert.match(at(6, 'copying', 53e6), /, 1\.0 MB\/s, 45 s left$/);
});

test('on a narrow terminal what matters least goes first', () => {
  const widths = [99, 80, 68, 60, 54, 45, 35, 25, 13, 4];
  const lines = widths.map((width) => {
    const fetching = new ProgressLine('fetching');
    const progress = { bytesTotal: 80e6, files: 12, peers: 3 };
    fetching.text({ ...progress, bytes: 0 }, { nowMs: 0, width });
    return fetching.text({ ...progress, bytes: 20e6 }, { nowMs: 2000, width });
  });
  assert.deepEqual(lines, [
    'fetching [######------------------]  25 %  20 MB of 80 MB, 12 files, 3 peers, 10 MB/s, 6 s left',
    'fetching [##--------]  25 %  20 MB of 80 MB, 3 peers, 10 MB/s, 6 s left',
    'fetching [##--------]  25 %  20 MB of 80 MB, 10 MB/s, 6 s left',
    'fetching [##--------]  25 %  20 MB of 80 MB, 6 s left',
    'fetching [##--------]  25 %  20 MB of 80 MB, 6 s left',
    'fetching [##--------]  25 %  6 s left',
    'fetching 25 %, 6 s left',
    'fetching 25 %, 6 s left',
    'fetching 25 %',
    '25 %',
  ]);
});

test('no line is wider than the terminal', () => {
  const count = fc.nat();
  const progress = fc.record({ bytes: count, bytesTotal: count, files: count, peers: count });
  checkProperty(
    fc.property(progress, fc.integer({ min: 1, max: 120 }), (state, width) => {
      const publishing = new ProgressLine('publishing');
      for (const nowMs of [0, 1000, 5000]) {
        assert.ok(publishing.text(state, { nowMs, width }).length <= width);
      }
    }),
  );
});

test('the time left is rounded as a guess deserves', () => {
  const cases: [number, string][] = [
    [0, '1 s'],
    [4.4, '4 s'],
    [12, '10 s'],
    [57, '55 s'],
    [58, '1 min'],
    [150, '3 min'],
    [3570, '1 h'],
    [5000, '1 h 20 min'],
    [200_000, '2 days'],
    [1e12, '11574074 days'],
  ];
  assert.deepEqual(
    cases.map(([seconds]) => formatLeft(seconds)),
    cases.map(([, text]) => text),
  );
});
