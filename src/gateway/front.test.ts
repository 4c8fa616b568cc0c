import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CID } from 'multiformats/cid';
import { fileCid } from '../../test/support/memory-sites.ts';
import { utf8 } from '../base/bytes.ts';
import { answerFront } from './front.ts';
import { isBadPath, parsePath } from './path.ts';

const root = CID.createV1(0x70, fileCid(utf8('a root')).multihash);
const cid = root.toString();
const cidV0 = root.toV0().toString();

/** Where the browser is sent, or "page", or the status of the error. */
function go(target: string, ending: 'localhost' | 'alt' = 'localhost'): string {
  const path = parsePath(target);
  assert.ok(!isBadPath(path));
  const answer = answerFront(path, { scheme: 'http', ending, port: ':8080', tld: 'alt' });
  if (answer.kind === 'problem') return String(answer.problem.status);
  return answer.kind === 'redirect' ? answer.location : 'page';
}

function typed(text: string): string {
  return go(`/open?name=${encodeURIComponent(text)}`);
}

test('the front leads to the hosts of sites and never elsewhere', () => {
  assert.equal(go('/'), 'page');
  assert.equal(go('/n/alice'), 'http://alice.localhost:8080/');
  assert.equal(go('/n/alice.alt/a%20b/?q=1'), 'http://alice.localhost:8080/a%20b/?q=1');
  assert.equal(go('/n/alice/x', 'alt'), 'http://alice.alt:8080/x');
  assert.equal(go(`/ipfs/${cidV0}/x.html`), `http://${cid}.localhost:8080/x.html`);
  assert.equal(go(`/ipfs/${cid.toUpperCase()}`), `http://${cid}.localhost:8080/`);
  assert.equal(go('/ipfs/alice'), '400');
  assert.equal(go('/n/evil.example'), '400');
  assert.equal(go('/n/a@evil.example'), '400');
  assert.equal(go('/n'), '404');
  assert.equal(go('/favicon.ico'), '404');
  assert.equal(typed(' alice.alt '), 'http://alice.localhost:8080/');
  assert.equal(typed('http://alice.alt/blog?x#y'), 'http://alice.localhost:8080/blog?x');
  assert.equal(typed(cidV0), `http://${cid}.localhost:8080/`);
  assert.equal(typed('//evil.example/'), '400');
  assert.equal(typed('alice/../x'), '400');
  assert.equal(typed(''), '/');
});

test('what is typed in any script, or with line ends, becomes an address for a header', () => {
  assert.equal(
    typed('alice.alt/ä b?q=日本\r\nSet-Cookie: x=1'),
    typed('alice.alt/%C3%A4%20b?q=%E6%97%A5%E6%9C%AC%0D%0ASet-Cookie:%20x=1'),
  );
});
