import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedForm } from './accept.ts';

const prometheus =
  'application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3';

test('text for who names it, JSON for all others', () => {
  const cases: [accept: string | undefined, form: ReturnType<typeof askedForm>][] = [
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'json'],
    ['application/json', 'json'],
    ['application/json, text/plain', 'json'],
    ['text/plain', 'prometheus'],
    ['TEXT/PLAIN; version=0.0.4', 'prometheus'],
    ['text/plain;q=0.4, application/json;q=0.5', 'json'],
    ['text/plain;q=0', 'json'],
    ['text/plain;q=nonsense', 'json'],
    ['application/openmetrics-text', 'openmetrics'],
    [prometheus, 'openmetrics'],
    [`${'x/y,'.repeat(40)}text/plain`, 'json'],
  ];
  for (const [accept, form] of cases) assert.equal(askedForm(accept), form, accept);
});
