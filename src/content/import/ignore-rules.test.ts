import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { IgnoreRules } from './ignore-rules.ts';

function parse(text: string, below: IgnoreRules = IgnoreRules.none): IgnoreRules {
  const rules = below.with(utf8(text));
  assert.ok(rules instanceof IgnoreRules, JSON.stringify(rules));
  return rules;
}

function why(bytes: Uint8Array, below: IgnoreRules = IgnoreRules.none): string {
  const rules = below.with(bytes);
  assert.ok(!(rules instanceof IgnoreRules));
  return rules.why;
}

test('names and folders are left out as .gitignore would', () => {
  const rules = parse('# maps\r\n*.map\r\n/build\nold/\n\n!keep.map\nTrailing\\ \n');
  const leftOut = (name: string, isFolder = false): boolean => rules.leavesOut(name, isFolder);
  assert.deepEqual(
    ['a.map', 'keep.map', 'build', 'Build', 'old', '# maps'].map((name) => leftOut(name)),
    [true, false, true, false, false, false],
  );
  assert.ok(leftOut('old', true));
  assert.ok(leftOut('Trailing '));
  const below = rules.below('sub');
  assert.ok(below.leavesOut('a.map', false));
  assert.ok(!below.leavesOut('build', false));
});

test('of two patterns the deeper one counts, whatever the folder is called', () => {
  for (const name of ['sub', 'a*b', '[x]', '!no', '#no', 'wh y ', 'back\\slash', 'q?']) {
    const top = parse('*.log\nsecret\n');
    const below = parse('!kept.log\n/here\n  \n/\ndeep/x\n', top.below(name));
    assert.ok(!below.leavesOut('kept.log', false), name);
    assert.ok(below.leavesOut('other.log', false), name);
    assert.ok(below.leavesOut('secret', false), name);
    assert.ok(below.leavesOut('here', false), name);
    assert.ok(!below.below('deeper').leavesOut('here', false), name);
    assert.ok(!below.below('deeper').leavesOut('kept.log', false), name);
    assert.ok(below.below('deep').leavesOut('x', true), name);
    assert.ok(!top.leavesOut('here', false), name);
  }
});

test('a folder that is taken back in leaves out what else is left out', () => {
  const rules = parse('!build\n', parse('build\n*.map\n').below('x')).below('build');
  assert.ok(!rules.leavesOut('page.html', false));
  assert.ok(rules.leavesOut('page.map', false));
});

test('a file that cannot be used says where and why', () => {
  assert.match(why(Uint8Array.of(0x61, 0xff)), /UTF-8/);
  assert.match(why(new Uint8Array(64 * 1024 + 1).fill(0x0a)), /65536 bytes/);
  assert.match(why(utf8('x\n'.repeat(1001))), /1000 lines/);
  assert.match(why(utf8(`a\nb\n${'x'.repeat(1025)}`)), /^line 3 .*1024 characters/);
  assert.match(why(utf8('a\n\0')), /^line 2 .*NUL/);
  assert.match(why(utf8('\n\n**/a/**/b/**/c/**/d/**/e')), /^line 3 .*"\*\*"/);
  const half = parse('x\n'.repeat(999));
  const two = parse('x\n'.repeat(999), half.below('a'));
  assert.match(why(utf8('x\n'.repeat(3)), two.below('b')), /2000 patterns/);
});

test('no pattern takes long on any path that is published', () => {
  // Backtracking over these would go on for years.
  const names = Array<string>(31).fill('a'.repeat(120));
  const patterns = ['*a*a*a*a*a*a*a*a*b', '**/*a/**/*a/**/*a/**/b', '?*?*?*?*?*b', '[a-z]*[!b]*b'];
  let rules = parse(patterns.join('\n'));
  for (const name of names) rules = rules.below(name);
  assert.ok(!rules.leavesOut('a'.repeat(255), false));
});
