/** What a browser asks the gateway, by the forms of hosts that it knows. */
import assert from 'node:assert/strict';
import type { HostTarget } from '../../../src/gateway/host.ts';
import { type Answer, browse, browseBroken } from './browse.ts';
import { type DeniedNet, names } from './net.ts';
import { check, type Rows } from './rows.ts';

function ask({ inside }: DeniedNet, host: string, path?: string): Promise<Answer> {
  return browse(inside, host, path);
}

async function refuses(net: DeniedNet, host: string, path = '/'): Promise<void> {
  const { status, body } = await ask(net, host, path);
  assert.equal(status, 451, `${host}${path}`);
  assert.match(body, /blocklist/);
}

const byName = check('a denied name, however it is asked for, and any below it', async (net) => {
  for (const host of ['localhost', 'localhost:8080', 'alt'].map(
    (end) => `${names.denied}.${end}`,
  )) {
    await refuses(net, host);
    await refuses(net, `blog.${host}`, '/a/b.html');
  }
  assert.equal((await ask(net, `${names.allowed}.localhost`)).body, 'allowed');
});

const byNameOfRoot = check('a name that shows what is denied', async (net) => {
  await refuses(net, `${names.leading}.localhost`);
  await refuses(net, `${names.leading}.alt`, '/a/b.html');
});

const byRoot = check('a denied root, and all that is below it', async (net) => {
  const { denied, allowed } = net.subjects;
  for (const path of ['/', '/a/b.html', '/a/', '/nothing']) {
    await refuses(net, `${denied.text}.localhost`, path);
  }
  assert.equal((await ask(net, `${allowed.text}.localhost`, '/a/b.html')).body, 'below that');
});

const byPath = check('a denied file or path on an allowed site', async (net) => {
  const host = `${net.subjects.mixed.text}.localhost`;
  for (const path of ['/secret.html', '/private/', '/private', '/private/page.html']) {
    await refuses(net, host, path);
    await refuses(net, host, path.replaceAll('r', '%72'));
  }
  assert.equal((await ask(net, host)).body, 'mixed');
});

const missingPage = check('a denied page for what is missing is not shown', async (net) => {
  const { status, body } = await ask(net, `${net.subjects.mixed.text}.localhost`, '/nothing');
  assert.equal(status, 404);
  assert.doesNotMatch(body, /our own page/);
});

const asBlocks = check('blocks and archives of what is denied', async (net) => {
  const { denied, mixed, allowed } = net.subjects;
  for (const format of ['?format=raw', '?format=car', '?format=car&dag-scope=block']) {
    await refuses(net, `${denied.text}.localhost`, `/a/b.html${format}`);
    await refuses(net, `${names.denied}.localhost`, `/${format}`);
    await refuses(net, 'localhost', `/ipfs/${denied.text}/${format}`);
    for (const path of ['/secret.html', '/private', '/private/page.html']) {
      await refuses(net, `${mixed.text}.localhost`, `${path}${format}`);
    }
    assert.equal((await ask(net, `${allowed.text}.localhost`, `/${format}`)).status, 200);
  }
});

const inArchives = check(
  'archives of an allowed site, without what is denied in it',
  async (net) => {
    const { mixed, allowed } = net.subjects;
    for (const archive of [
      await browseBroken(net.inside, `${mixed.text}.localhost`, '/?format=car'),
      await browseBroken(net.inside, 'localhost', `/ipfs/${mixed.text}?format=car`),
    ]) {
      for (const denied of ['somebody wants gone', 'behind closed doors', 'our own page']) {
        assert.ok(!archive.includes(denied), denied);
      }
    }
    const whole = await ask(net, `${allowed.text}.localhost`, '/?format=car');
    assert.match(whole.body, /below that/);
  },
);

const moved = check('a browser that is sent on meets the same', async (net) => {
  const { denied } = net.subjects;
  const { location } = await ask(net, `${denied.text}.ipfs.localhost`, '/a/b.html');
  const { host, pathname } = new URL(location ?? assert.fail());
  await refuses(net, host, pathname);
});

const byGateway = check('paths of the gateway itself', async (net) => {
  const { denied } = net.subjects;
  for (const path of [`/ipfs/${denied.text}/a/b.html`, `/n/${names.denied}/a/b.html`]) {
    const { status, location } = await ask(net, 'localhost', path);
    assert.equal(status, 302);
    const { host, pathname } = new URL(location ?? assert.fail());
    await refuses(net, host, pathname);
  }
});

export const gatewayRows: Rows<HostTarget['kind']> = {
  gateway: [byGateway],
  name: [byName, byNameOfRoot],
  root: [byRoot, byPath, missingPage, asBlocks, inArchives],
  moved: [moved],
  subdomain: 'It is an error page.',
  'other-system': 'It is an error page.',
  foreign: 'It is an error page.',
  malformed: 'It is an error page.',
};
