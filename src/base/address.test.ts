import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIp, type Scope, scopeOf } from './address.ts';

const scopes: Readonly<Record<Scope, string>> = {
  loopback: '127.0.0.1 127.255.3.4 ::1',
  private: `10.1.2.3 172.16.0.1 172.31.255.1 192.168.9.9 169.254.1.1 fd00::1 fe80::1 fcff::2
    100.64.0.1 100.127.255.254 198.18.0.1 198.19.255.1`,
  global: `1.1.1.1 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 198.17.0.1 198.20.0.1
    2001:db8::1 2606:4700::1`,
  bogon: '0.1.2.3 224.0.0.1 255.255.255.255 :: ff02::1 2002:7f00:1::1 2001::1',
};

test('addresses count to the network from which they can be reached', () => {
  for (const [scope, texts] of Object.entries(scopes)) {
    for (const text of texts.split(/\s+/)) {
      const ip = parseIp(text);
      assert.ok(ip, text);
      assert.equal(scopeOf(ip), scope, text);
    }
  }
});
