import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNetstat, parseProcRoute } from './default-route.ts';

const head =
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

test('of several default routes that with the lowest metric counts', () => {
  const text =
    head +
    'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n' +
    'eth0\t00000000\tFE00000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n' +
    'eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n';
  assert.equal(parseProcRoute(text), '10.0.0.254');
});

test('a default route without a router, and no route, are none', () => {
  assert.equal(parseProcRoute(head), undefined);
  assert.equal(
    parseProcRoute(`${head}ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n`),
    undefined,
  );
  assert.equal(parseProcRoute('nonsense\n\n00000000 00000000'), undefined);
});

test('netstat of macOS and of Windows is understood', () => {
  const mac = 'Routing tables\n\nInternet:\ndefault            192.168.1.1   UGScg   en0\n';
  const windows =
    'IPv4 Route Table\n  Network Destination  Netmask  Gateway  Interface  Metric\n' +
    '          0.0.0.0          0.0.0.0      192.168.0.1     192.168.0.17     25\n';
  assert.equal(parseNetstat(mac), '192.168.1.1');
  assert.equal(parseNetstat(windows), '192.168.0.1');
  assert.equal(parseNetstat('default link#4 UCS en0'), undefined);
});
