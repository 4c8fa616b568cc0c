import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soapGateway } from '../../test/support/fake-router.ts';
import { RouterRefusal } from './router.ts';
import { exchange } from './small-http.ts';
import { parseAnswer } from './ssdp.ts';
import { UpnpRouter } from './upnp.ts';
import { parseDescription, textOf } from './upnp-xml.ts';

const gateway = '127.0.0.1';
const route = { gateway, local: '192.168.1.2' };
const type = 'urn:schemas-upnp-org:service:WANIPConnection:1';
const wish = {
  protocol: 'tcp',
  internalPort: 4001,
  externalPort: 4001,
  leaseSeconds: 3600,
} as const;

function service(name: string, control: string): string {
  return `<service><serviceType>urn:schemas-upnp-org:service:${name}</serviceType><serviceId>x</serviceId><controlURL>${control}</controlURL></service>`;
}

const answerNaming = (location: string): string =>
  `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nLOCATION: ${location}\r\n\r\n`;

const isConflict = (want: boolean) => (error: unknown) =>
  error instanceof RouterRefusal && error.isConflict === want;

const fault = (code: number): string =>
  `<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`;

test('only the gateway itself is where its answer may lead', () => {
  assert.equal(
    parseAnswer(answerNaming('http://192.168.1.1:5000/root.xml'), '192.168.1.1')?.href,
    'http://192.168.1.1:5000/root.xml',
  );
  for (const elsewhere of [
    'http://192.168.1.9/root.xml',
    'http://192.168.1.1.example/root.xml',
    'https://192.168.1.1/root.xml',
    'http://192.168.1.1@10.0.0.1/',
    'file:///etc/passwd',
    `http://192.168.1.1/${'x'.repeat(600)}`,
    '',
  ]) {
    assert.equal(parseAnswer(answerNaming(elsewhere), '192.168.1.1'), undefined, elsewhere);
  }
  assert.equal(parseAnswer('NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/', 'x'), undefined);
});

test('a description leads to the best service at the gateway', () => {
  const location = new URL('http://127.0.0.1:5000/root.xml');
  const where = { location, gateway };
  const text =
    service('Layer3Forwarding:1', '/l3') +
    service('WANPPPConnection:1', '/ppp') +
    service('WANIPConnection:1', '/ctl?a=1&amp;b=2');
  assert.equal(parseDescription(text, where)?.control.href, 'http://127.0.0.1:5000/ctl?a=1&b=2');
  assert.equal(parseDescription(text, where)?.type, type);
  const based = `<URLBase>http://127.0.0.1:49000</URLBase>${service('WANIPConnection:2', 'c')}`;
  assert.equal(parseDescription(based, where)?.control.href, 'http://127.0.0.1:49000/c');
  for (const bad of [
    service('WANIPConnection:1', 'http://10.0.0.1/ctl'),
    `<URLBase>http://10.0.0.1/</URLBase>`,
    service('WANIPConnection:1', ''),
    '<service>'.repeat(10_000),
    '',
  ]) {
    assert.equal(parseDescription(bad, where), undefined);
  }
});

test('texts between tags are found, and nothing else', () => {
  assert.equal(textOf('<a>1</a><a> 2 </a>', 'a'), '2');
  assert.equal(textOf('<a><b>1</b></a>', 'a'), undefined);
  assert.equal(textOf('<a>', 'a'), undefined);
  assert.equal(textOf('<a></a>', 'a'), undefined);
});

test('a mapping is asked for, and for good where only that is given', async (t) => {
  const asked: string[] = [];
  const control = await soapGateway(t, (action, body) => {
    asked.push(`${action} ${textOf(body, 'NewLeaseDuration') ?? ''}`.trim());
    if (textOf(body, 'NewLeaseDuration') === '3600') return { status: 500, parts: [fault(725)] };
    const ip = '<u:x><NewExternalIPAddress>45.1.2.3</NewExternalIPAddress></u:x>';
    return { parts: [action === 'GetExternalIPAddress' ? ip : '<u:x/>'] };
  });
  const router = new UpnpRouter(route, { type, control });
  assert.equal(await router.externalIp({}), '45.1.2.3');
  const grant = await router.map(wish, {});
  assert.deepEqual(grant, { externalPort: 4001, leaseSeconds: Number.POSITIVE_INFINITY });
  await router.unmap(wish, {});
  assert.deepEqual(asked, [
    'GetExternalIPAddress',
    'AddPortMapping 3600',
    'AddPortMapping 0',
    'DeletePortMapping',
  ]);
});

test('a port that is taken is a conflict, and any other fault a refusal', async (t) => {
  let code = 718;
  const control = await soapGateway(t, () => ({ status: 500, parts: [fault(code)] }));
  const router = new UpnpRouter(route, { type, control });
  await assert.rejects(router.map(wish, {}), isConflict(true));
  code = 606;
  await assert.rejects(router.map(wish, {}), isConflict(false));
});

test('neither redirects, nor other hosts, nor endless answers are followed', async (t) => {
  const elsewhere: string[] = [];
  const other = await soapGateway(t, (action) => {
    elsewhere.push(action);
    return { parts: [] };
  });
  const url = await soapGateway(t, (action) => {
    if (action === '/endless') return { parts: Array<string>(40).fill('x'.repeat(8192)) };
    return { status: 302, headers: { Location: `${other.href}stolen` }, parts: [] };
  });
  const answer = await exchange({ url, gateway, method: 'GET' });
  assert.equal(answer.status, 302);
  assert.deepEqual(elsewhere, []);
  await assert.rejects(exchange({ url: new URL('endless', url), gateway, method: 'GET' }), /long/);
  const foreign = new URL('http://127.0.0.2/');
  await assert.rejects(exchange({ url: foreign, gateway, method: 'GET' }), /not one of the router/);
});
