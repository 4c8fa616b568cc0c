/** Whether NAME.localhost leads to this machine, where the gateway is. */
import { lookup } from 'node:dns/promises';
import { parseIp, scopeOf } from '../../base/address.ts';
import { untilAborted } from '../../base/abort.ts';
import { systemCode } from '../../base/errors.ts';
import { type Check, fail, type Finding, ok, warn } from './finding.ts';

/** No site has this name; only where it leads matters. */
const probe = 'altnet-doctor.localhost';

export const browser: Check = {
  name: 'browser',
  async run({ signal }) {
    // The system's name lookup cannot be stopped.
    return [await untilAborted(inspectLocalhost(), signal)];
  },
};

async function inspectLocalhost(): Promise<Finding> {
  try {
    const found = await lookup(probe, { all: true });
    return judgeAddresses(found.map(({ address }) => address));
  } catch (error) {
    return warn(
      `NAME.localhost is not known to the system (${systemCode(error) ?? 'unknown'})`,
      'Firefox, Chrome and Edge open such addresses all the same; for other programs add the names that you use to the hosts file, as in: 127.0.0.1 hello.localhost',
    );
  }
}

/** What NAME.localhost resolves to, by the system. */
export function judgeAddresses(addresses: readonly string[]): Finding {
  const foreign = addresses.filter((address) => {
    const ip = parseIp(address);
    return ip === undefined || scopeOf(ip) !== 'loopback';
  });
  if (foreign.length === 0) return ok('NAME.localhost leads to this machine');
  return fail(
    `NAME.localhost leads to ${foreign.join(', ')}, not to this machine`,
    'use a resolver that keeps to RFC 6761, such as systemd-resolved, or add the names that you use to the hosts file',
  );
}
