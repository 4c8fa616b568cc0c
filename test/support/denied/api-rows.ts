/** What a user asks the node through its API, by endpoint; the commands ask the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../cleanup.ts';
import { type DeniedNet, deniedTarget, names, siteFolder, token, urls } from './net.ts';
import { check, type Rows } from './rows.ts';

type Body = object | Uint8Array;

interface Said {
  readonly status: number;
  /** Of the error, if it is one. */
  readonly code: unknown;
  /** Of a stream, its last line. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
}

async function call(
  { inside }: DeniedNet,
  entry: string,
  body?: Body,
  type?: string,
): Promise<Said> {
  const [method = '', target = ''] = entry.split(' ');
  const isJson = body !== undefined && !(body instanceof Uint8Array);
  const contentType = type ?? (isJson ? 'application/json' : 'application/octet-stream');
  const response = await fetch(`${inside.api}${target}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': contentType }),
    },
    ...(body !== undefined && { body: isJson ? JSON.stringify(body) : Buffer.from(body) }),
  });
  const text = await response.text();
  const json = parsed(text.trim().split('\n').at(-1) ?? '');
  return { status: response.status, code: json['code'], json, text };
}

function parsed(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {}; // bytes
  }
}

async function refuses(net: DeniedNet, code: string, ...asked: [string, Body?]): Promise<void> {
  const said = await call(net, ...asked);
  assert.deepEqual([said.status, said.code], [451, code], `${asked[0]} ${said.text}`);
}

async function allows(net: DeniedNet, ...asked: [string, Body?]): Promise<Said> {
  const said = await call(net, ...asked);
  assert.ok(said.status < 300, `${asked[0]} ${said.text}`);
  return said;
}

const publish = 'POST /api/publish';

const folder = check('publishes no folder that is denied or holds what is', async (net) => {
  const { denied, allowed, secret } = net.subjects;
  const before = await net.inside.services.sites();
  await refuses(net, 'CONTENT_BLOCKED', publish, { path: denied.folder });
  const page = '<p>what somebody wants gone</p>';
  const files = { 'index.html': `a page besides ${secret[0]}`, 'x/y.html': page };
  const holding = siteFolder(net.t, files);
  const said = await call(net, publish, { path: holding });
  assert.deepEqual([said.status, said.code], [451, 'CONTENT_BLOCKED']);
  assert.match(said.text, /y\.html/, 'it says where');
  assert.equal((await net.inside.services.sites()).length, before.length, 'nothing is kept');
  await allows(net, publish, { path: allowed.folder });
});

const tar = check('nor as an archive', async (net) => {
  const { denied, allowed } = net.subjects;
  const archive = ({ folder: at }: typeof denied): Buffer =>
    execFileSync('tar', ['-C', at, '-cf', '-', '.']);
  const send = (site: typeof denied): Promise<Said> =>
    call(net, publish, archive(site), 'application/x-tar');
  const said = await send(denied);
  assert.deepEqual([said.status, said.code], [451, 'CONTENT_BLOCKED']);
  assert.ok((await send(allowed)).status < 300);
});

const named = check('nor anything under a denied name', async (net) => {
  const { allowed } = net.subjects;
  await refuses(net, 'NAME_BLOCKED', publish, { path: allowed.folder, name: names.denied });
});

const fetched = check('fetches nothing that is denied, whole or in part', async (net) => {
  const { denied, allowed, mixed } = net.subjects;
  const dest = path.join(temporaryFolder(net.t), 'site');
  for (const what of [denied.text, mixed.text]) {
    await refuses(net, 'CONTENT_BLOCKED', 'POST /api/fetch', { what, dest });
  }
  await refuses(net, 'NAME_BLOCKED', 'POST /api/fetch', { what: names.denied, dest });
  await refuses(net, 'CONTENT_BLOCKED', 'POST /api/fetch', { what: names.leading, dest });
  assert.equal(existsSync(dest), false);
  await allows(net, 'POST /api/fetch', { what: allowed.text, dest });
});

const file = check('nor a file of it', async (net) => {
  const { denied, mixed } = net.subjects;
  const dest = path.join(temporaryFolder(net.t), 'file');
  const one = (what: string, at: string): Body => ({
    what,
    path: at,
    dest,
    bytesMax: 1000,
  });
  for (const asked of [
    one(denied.text, 'index.html'),
    one(mixed.text, 'secret.html'),
    one(mixed.text, 'private/page.html'),
    one(names.leading, 'index.html'),
  ]) {
    await refuses(net, 'CONTENT_BLOCKED', 'POST /api/fetch-file', asked);
  }
  await refuses(net, 'NAME_BLOCKED', 'POST /api/fetch-file', one(names.denied, 'index.html'));
  assert.equal(existsSync(dest), false);
  await allows(net, 'POST /api/fetch-file', one(mixed.text, 'index.html'));
});

const checked = check('says that a denied name is not to be had', async (net) => {
  const { json } = await allows(net, `GET /api/check/${names.denied}`);
  assert.equal(json['available'], false);
  assert.match(String(json['error']), /blocklist/);
  assert.equal(json['root'], undefined);
  assert.equal((await allows(net, 'GET /api/check/nobodys')).json['available'], true);
});

const registered = check('registers no denied name, and none for a denied root', async (net) => {
  const { denied, allowed } = net.subjects;
  const root = allowed.text;
  await refuses(net, 'NAME_BLOCKED', 'POST /api/register', { name: names.denied, root });
  const sub = `blog.${names.denied}`;
  await refuses(net, 'NAME_BLOCKED', 'POST /api/register', { name: sub, root });
  const leading = { name: 'mine', root: denied.text };
  await refuses(net, 'CONTENT_BLOCKED', 'POST /api/register', leading);
  await allows(net, 'POST /api/register', { name: 'mine', root });
});

const updated = check('nor points one there', async (net) => {
  const { denied, allowed } = net.subjects;
  const root = denied.text;
  await allows(net, 'POST /api/register', { name: 'own', root: allowed.text });
  await refuses(net, 'CONTENT_BLOCKED', 'POST /api/update', { name: 'own', root });
  await refuses(net, 'CONTENT_BLOCKED', 'POST /api/update', { name: 'blog.own', root });
  const banned = { name: names.denied, root: allowed.text };
  await refuses(net, 'NAME_BLOCKED', 'POST /api/update', banned);
});

const transferred = check('passes no denied name on', async (net) => {
  const author = Buffer.from(net.hostile.author.key.publicKey).toString('hex');
  await refuses(net, 'NAME_BLOCKED', 'POST /api/transfer', { name: names.denied, author });
});

const resolved = check(
  'resolves no denied name, from memory or not, nor one below it',
  async (net) => {
    for (const name of [names.denied, `blog.${names.denied}`, `${names.denied}?fresh=true`]) {
      const { json } = await allows(net, `GET /api/resolve/${name}`);
      assert.equal(json['state'], 'blocked');
      assert.deepEqual([json['root'], json['owner']], [undefined, undefined]);
    }
    // Whose the name is nobody denies; what it shows cannot be opened.
    for (const name of [names.leading, names.allowed]) {
      const { json } = await allows(net, `GET /api/resolve/${name}`);
      assert.match(String(json['state']), /^(?:ok|new)$/);
      assert.equal(typeof json['root'], 'string');
    }
  },
);

const listed = check('lists no denied root among what is here', async (net) => {
  const { denied, allowed, mixed } = net.subjects;
  const { text } = await allows(net, 'GET /api/sites');
  assert.ok(!text.includes(denied.text));
  for (const site of [allowed, mixed]) assert.ok(text.includes(site.text));
});

const putLink = (link: Body): [string, Body] => ['POST /api/links', link];

const announced = check(
  'announces no link for a denied URL, nor to what is denied',
  async (net) => {
    const { denied, allowed } = net.subjects;
    const target = `ipfs://${allowed.text}`;
    await refuses(net, 'URL_BLOCKED', ...putLink({ url: urls.denied, target }));
    await refuses(net, 'URL_BLOCKED', ...putLink({ url: urls.mixed, target: deniedTarget }));
    const toRoot = { url: urls.mixed, target: `ipfs://${denied.text}/x` };
    await refuses(net, 'CONTENT_BLOCKED', ...putLink(toRoot));
    const toName = { url: urls.mixed, target: `http://${names.denied}.alt/` };
    await refuses(net, 'NAME_BLOCKED', ...putLink(toName));
    await allows(net, ...putLink({ url: 'https://other.example/', target }));
  },
);

const links = check('finds no link for a denied URL, nor to what is denied', async (net) => {
  const find = (url: string): Promise<Said> =>
    call(net, `GET /api/links?url=${encodeURIComponent(url)}`);
  const none = await find(urls.denied);
  assert.equal(none.code, 'URL_BLOCKED');
  assert.doesNotMatch(none.text, /target/);
  const { text, json } = await find(urls.mixed);
  const targets = [...text.matchAll(/"target":"([^"]*)"/g)].map(([, target]) => target);
  assert.deepEqual(targets, [`ipfs://${net.subjects.allowed.text}`]);
  assert.equal(json['found'], 1);
});

const value = Buffer.from('denied value');

const put = check('keeps no denied value', async (net) => {
  await refuses(net, 'CONTENT_BLOCKED', 'POST /api/values', value);
  await allows(net, 'POST /api/values', Buffer.from('another value'));
});

const gotten = check('gives none', async (net) => {
  const { denied, allowed } = net.subjects.values;
  await refuses(net, 'CONTENT_BLOCKED', `GET /api/values/${denied}`);
  assert.equal((await allows(net, `GET /api/values/${allowed}`)).text, 'allowed value');
});

const ofNode = 'It tells of the node and its peers.';
const ofOwn = 'It lists what its user published, so that it can be taken back.';
const takesBack = 'It takes back what was published, which is right above all for what is denied.';
const ofLists = 'It reads or changes what is denied.';
const ofCertificates = 'It is about who may write a name; what is written is judged when it is.';

export const apiRows: Rows = {
  'GET /api/node': ofNode,
  'GET /api/stats': ofNode,
  'GET /api/peers': ofNode,
  'GET /api/dht': ofNode,
  'GET /api/relays': ofNode,
  'POST /api/ping': ofNode,
  'GET /api/find/:id': ofNode,
  'POST /api/bootstrap': ofNode,
  'POST /api/publish': [folder, tar, named],
  'POST /api/unpublish': takesBack,
  'GET /api/sites': [listed],
  'POST /api/fetch': [fetched],
  'POST /api/fetch-file': [file],
  'GET /api/check/:name': [checked],
  'POST /api/register': [registered],
  'POST /api/update': [updated],
  'POST /api/transfer': [transferred],
  'POST /api/release': takesBack,
  'POST /api/unregister': takesBack,
  'GET /api/resolve/:name': [resolved],
  'GET /api/names': ofOwn,
  'GET /api/domains': ofOwn,
  'POST /api/links': [announced],
  'GET /api/links': [links],
  'DELETE /api/links': takesBack,
  'POST /api/values': [put],
  'GET /api/values/:key': [gotten],
  'POST /api/block': ofLists,
  'POST /api/unblock': ofLists,
  'GET /api/blocklist': ofLists,
  'POST /api/registrar/certify': ofCertificates,
  'GET /api/registrar/certificates': ofCertificates,
  'POST /api/registrar/withdraw': ofCertificates,
  'POST /api/registrar/accept': ofCertificates,
  'POST /api/revoke': ofLists,
  'GET /api/revocations': ofLists,
  'GET /api/stats/:name': 'It counts visits that were answered.',
};
