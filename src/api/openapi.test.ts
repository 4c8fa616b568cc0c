import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { running } from '../../test/support/api.ts';
import { sampleIds } from '../../test/support/node-services.ts';
import { type ApiDocument, DocumentedAnswers } from '../../test/support/openapi.ts';
import { openApiDocument } from './openapi.ts';
import { routes } from './routes.ts';

test('the document is valid OpenAPI 3.1', async () => {
  const document = structuredClone(openApiDocument(routes));
  const result = await new Validator().validate(document as Record<string, unknown>);
  assert.deepEqual(result, { valid: true });
});

test('each endpoint answers as the document says, every optional field included', async (t) => {
  const { call, post } = await running(t);
  const { json } = await call('/api/openapi.json');
  const answers = new DocumentedAnswers(json as unknown as ApiDocument);
  const values: Readonly<Record<string, string>> = {
    name: 'alice',
    id: sampleIds.node,
    key: sampleIds.value,
  };
  const { root } = sampleIds;
  const inputs: Readonly<Record<string, object>> = {
    '/api/publish': { path: '/srv/site' },
    '/api/unpublish': { what: root },
    '/api/fetch': { what: root, dest: '/srv/copy' },
    '/api/fetch-file': { what: root, path: 'a', dest: '/srv/a', bytesMax: 9 },
    '/api/register': { name: 'a', root },
    '/api/update': { name: 'a', root },
    '/api/transfer': { name: 'a', author: root },
    '/api/links': { url: 'u', target: 't' },
    '/api/ping': {},
    '/api/bootstrap': { address: '127.0.0.1:9' },
    '/api/block': { what: root },
    '/api/registrar/certify': { name: 'a', owner: root },
    '/api/registrar/withdraw': { name: 'a' },
    '/api/registrar/accept': { certificate: 'altcert1a' },
    '/api/unblock': { what: root },
  };
  for (const [path, methods] of Object.entries(answers.document.paths)) {
    for (const method of Object.keys(methods)) {
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? name);
      const isValue = path === '/api/values' && method === 'post';
      const body = JSON.stringify(inputs[path] ?? { name: 'a' });
      const headers = { 'content-type': isValue ? 'text/plain' : 'application/json' };
      const upper = method.toUpperCase();
      const init = method === 'get' ? {} : { method: upper, headers, body };
      const { status, headers: said, text, json: object } = await call(url, init);
      const type = said.get('content-type') ?? '';
      assert.ok(status < 300, `${method} ${path}: ${text}`);
      const isJson = type.startsWith('application/json');
      answers.check({ method, path, status, type, body: isJson ? object : text });
    }
  }
  const refused = await post('/api/register', {});
  const type = refused.headers.get('content-type') ?? '';
  const error = { method: 'POST', path: '/api/register', type, body: refused.json };
  answers.check({ ...error, status: refused.status });
  const undocumented = { ...error, status: 201, body: { name: 'a', root } };
  assert.throws(() => answers.check(undocumented), /must have required property/);
});
