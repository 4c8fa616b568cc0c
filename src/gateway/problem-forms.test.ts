/** Problems, in the form that their reader asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRoot } from '../content/dag/root.ts';
import { AltNetError } from '../base/errors.ts';
import { problemOfError, problems } from './problem.ts';
import { formProblem } from './problem-forms.ts';

const problem = { ...problems.noPath('/<b>'), facts: ['one\u001b[2J\u202e'] };
const frontLink = '//localhost:8080/';

test('a page for browsers, JSON for programs, text for everybody else', () => {
  const forms: [accept: string | undefined, type: string, text: RegExp][] = [
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html; charset=utf-8', /&lt;b&gt;/],
    ['application/json, text/html', 'text/html; charset=utf-8', /<h2>What to try/],
    ['application/json', 'application/json', /"status":404/],
    ['application/problem+json', 'application/json', /"advice":\["Check/],
    ['*/*', 'text/plain; charset=utf-8', /^404: This site has no such page\n\n/],
    ['image/png', 'text/plain; charset=utf-8', /What to try:\n- Check/],
    [undefined, 'text/plain; charset=utf-8', / {2}one\\u001b\[2J\\u202e\n/],
  ];
  for (const [accept, type, want] of forms) {
    const { text, headers } = formProblem(problem, { accept, frontLink });
    assert.equal(headers['content-type'], type);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(text, want);
  }
  const { text } = formProblem(problem, { accept: 'application/json', frontLink });
  const { error } = JSON.parse(text) as { error: string };
  assert.equal(
    error,
    'This site has no such page. The site was found, but there is nothing at /<b>.',
  );
});

test('a page leads on: to the front of the site and to that of the gateway', () => {
  const { text } = formProblem(problem, { accept: 'text/html', frontLink });
  const links = [...text.matchAll(/<a href="([^"]*)">/g)].map(([, href]) => href);
  assert.deepEqual(links, ['/', frontLink]);
  const plain = formProblem(problem, { accept: undefined, frontLink });
  assert.match(plain.text, /- Start at the front page of the site\.\n$/);
});

test('a root is told as it was given: by its CID', () => {
  const root = parseRoot('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
  const hex = Buffer.from(root.multihash.digest).toString('hex');
  const told = problemOfError(new AltNetError('NO_PROVIDERS', { root: hex }), root);
  assert.ok(told);
  assert.equal(told.status, 502);
  assert.ok(told.text.startsWith(`No peer that holds ${root.toString()} was found`), told.text);
});
