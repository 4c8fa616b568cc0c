import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isAltNetError } from '../base/errors.ts';
import { checkProperty } from '../../test/support/property.ts';
import { canonicalUrl, urlBytesMax } from './url.ts';

function readVectors(name: string): unknown {
  const folder = path.join(import.meta.dirname, '../../test/vectors');
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
}

interface OwnVectors {
  readonly accepted: readonly {
    readonly rule: string;
    readonly canonical: string;
    readonly urls: readonly string[];
  }[];
  readonly refused: readonly { readonly url: string; readonly why: string }[];
}

const own = readVectors('urls/canonical.json') as OwnVectors;

for (const { rule, canonical, urls } of own.accepted) {
  test(`canonical form: ${rule}`, () => {
    for (const url of urls) assert.equal(canonicalUrl(url).canonical, canonical, url);
  });
}

for (const { url, why } of own.refused) {
  test(`no canonical form: ${url.slice(0, 40)} (${why})`, () => {
    assert.throws(
      () => canonicalUrl(url),
      (error) => {
        assert.ok(isAltNetError(error, 'BAD_URL'));
        assert.ok(error.message.length < 250);
        return error.details.why.includes(why);
      },
    );
  });
}

test('different groups have different forms', () => {
  const forms = own.accepted.map(({ canonical }) => canonical);
  const shared = new Set(forms.filter((form, i) => forms.indexOf(form) !== i));
  assert.deepEqual([...shared], ['//dead.example/'], 'a full-width host is the plain one');
});

test('the scheme is told beside the form', () => {
  assert.equal(canonicalUrl('http://dead.example/').scheme, 'http');
  assert.equal(canonicalUrl('HTTPS://dead.example/').scheme, 'https');
});

function formOf(url: string): string | undefined {
  try {
    return canonicalUrl(url).canonical;
  } catch (error) {
    assert.ok(isAltNetError(error, 'BAD_URL'), 'nothing else is ever thrown');
    return undefined;
  }
}

function assertFinal(url: string): void {
  const form = formOf(url);
  if (form === undefined) return;
  assert.match(form, /^\/\/[a-z0-9.:[\]_-]+\/([\w.~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*$/);
  // The default port of the other scheme stays in the form, and vanishes with that scheme.
  if (!/^\/\/[^/]*:80\//.test(form)) assert.equal(formOf(`http:${form}`), form, url);
  if (!/^\/\/[^/]*:443\//.test(form)) assert.equal(formOf(`https:${form}`), form, url);
}

test('the canonical form is final', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 60 });
  const escapes = fc
    .array(
      fc.constantFrom('%', '2', '5', 'e', 'E', '.', '/', '?', '#', '%2e', '%7E', '^', '[', 'ü'),
    )
    .map((parts) => parts.join(''));
  const host = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().map((ip) => `[${ip}]`),
    anything,
  );
  const tail = fc.oneof(fc.webPath(), escapes, anything);
  checkProperty(
    fc.property(host, fc.option(fc.nat(65_535)), tail, tail, (name, port, rest, query) => {
      const authority = port === null ? name : `${name}:${port}`;
      assertFinal(`http://${authority}/${rest}?${query}`);
      assertFinal(`https://${authority}${rest}`);
    }),
  );
});

interface WptCase {
  readonly input: string;
  readonly base: string | null;
  readonly failure?: boolean;
  readonly href?: string;
  readonly protocol?: string;
}

/**
 * Punycode that stands for nothing: the standard refuses it, this platform lets it pass. Whoever
 * refuses it has no key for it, and who does not has the same one.
 */
const lenient = /^https?:\/\/[^/]*xn--(pokxncvks)?\/?$/i;

const wpt = (readVectors('wpt/urltestdata.json') as (WptCase | string)[]).filter(
  (entry): entry is WptCase => typeof entry !== 'string',
);

test('addresses that the web platform refuses have no form', () => {
  const failures = wpt.filter(({ failure, base }) => failure === true && base === null);
  assert.ok(failures.length > 100);
  for (const { input } of failures) {
    if (!lenient.test(input)) assert.equal(formOf(input), undefined, input);
  }
});

test('addresses that the web platform reads have the form of what it reads', () => {
  let forms = 0;
  for (const { input, base, href, protocol } of wpt) {
    if (href === undefined) continue;
    const form = formOf(href);
    assertFinal(href);
    if (protocol !== 'http:' && protocol !== 'https:') assert.equal(form, undefined, href);
    // Some inputs are relative: those are for whoever knows the base.
    if (base === null) assert.equal(formOf(input), form, input);
    if (form !== undefined) forms += 1;
  }
  assert.ok(forms > 150);
});

test('the longest form fits, a longer one does not', () => {
  const head = 'http://dead.example/';
  const longest = head + 'x'.repeat(urlBytesMax - head.length);
  assert.equal(formOf(longest)?.length, urlBytesMax - 'http:'.length);
  assert.equal(formOf(`${longest}x`), undefined);
  assert.equal(formOf(head + '^'.repeat(1000)), undefined, 'too long once it is escaped');
});
