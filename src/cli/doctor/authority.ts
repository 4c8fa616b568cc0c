/** Whether the authority that signs for HTTPS is whole, and who trusts it. */
import { isAltNetError } from '../../base/errors.ts';
import { CertificateAuthority } from '../../ca/authority.ts';
import type { PublicAuthority } from '../../ca/public-authority.ts';
import { findAuthority, serviceCaFolder } from '../setup/ca-source.ts';
import { inspectStores, type StoreOutcome } from '../setup/ca-stores.ts';
import { LocalSystem } from '../setup/local-system.ts';
import { runningServices } from '../setup/running.ts';
import type { System } from '../setup/system.ts';
import { findZone } from '../setup/zone.ts';
import {
  type Check,
  type CheckContext,
  fail,
  type Finding,
  ok,
  shorten,
  skipped,
  warn,
} from './finding.ts';

/** Those who trust it have to be told of the next one. */
const soonMs = 30 * 86_400_000;

export const authority: Check = {
  name: 'ca',
  run: (context) => inspectAuthority(new LocalSystem(), context),
};

type Needs = Pick<CheckContext, 'folders' | 'node' | 'nowMs' | 'signal' | 'zone'>;

export async function inspectAuthority(
  system: System,
  { folders: { data }, node, nowMs, signal, zone = {} }: Needs,
): Promise<readonly Finding[]> {
  const place = await findZone({ system, data, ...zone });
  const folder = place.caDir;
  let found: PublicAuthority | undefined;
  try {
    found = await findAuthority(system, place);
  } catch (error) {
    return [judgeFault(error, folder)];
  }
  if (!found && folder === serviceCaFolder) return [withoutServices(system)];
  if (!found) {
    const services = node.state === 'running' ? await runningServices(data) : undefined;
    const isServing = services !== undefined && services.gatewayTls !== null;
    const how = 'altnet start --gateway-tls 127.0.0.1:8443';
    if (!isServing) return [skipped(`there is none; HTTPS comes with: ${how}`)];
    return [skipped(`there is none in ${folder} that signs for .${place.tld}`)];
  }
  const { name, notAfter } = found;
  const until = notAfter.toISOString().slice(0, 10);
  const isKeyHere = found instanceof CertificateAuthority;
  const isEnding = notAfter.getTime() - nowMs() < soonMs;
  const advice = `move ${folder} away, then run: altnet setup ca`;
  const whole = isEnding
    ? warn(`${name} ends on ${until}`, advice)
    : ok(`${name} is whole, good until ${until}${isKeyHere ? ', and its key yours alone' : ''}`);
  return [whole, ...judgeStores(await inspectStores({ system, data, signal }, found))];
}

/** What can be said of a service whose authority this user does not know. */
function withoutServices({ isRoot }: System): Finding {
  if (isRoot) return skipped('the service has none; it makes one when it is given --gateway-tls');
  return skipped(
    'the system does not trust that of the service; sudo altnet setup ca changes that',
  );
}

function judgeFault(error: unknown, folder: string): Finding {
  if (isAltNetError(error, 'KEY_EXPOSED')) {
    const { file, mode } = error.details;
    return fail(
      `${file} can be read by others (mode ${mode}), who may have copied it`,
      `move ${folder} away, then run: altnet setup ca; or, where you are alone: chmod 600 ${file}`,
    );
  }
  if (isAltNetError(error, 'CA_UNUSABLE')) {
    const { file, why } = error.details;
    return fail(`${file}: ${why}`, `move ${folder} away, then run: altnet setup ca`);
  }
  if (!isAltNetError(error)) throw error;
  return fail(error.message, `let your user read it, with: chown -R "$USER" ${folder}`);
}

function judgeStores(stores: readonly StoreOutcome[]): Finding[] {
  const named = (wanted: StoreOutcome['state']): string[] =>
    stores.flatMap(({ store, state }) => (state === wanted ? [store] : []));
  const [trusting, others] = [named('trusted'), named('untrusted')];
  const findings: Finding[] = [];
  if (trusting.length > 0) findings.push(ok(`trusted by ${shorten(trusting)}`));
  if (others.length > 0) {
    const found = `not trusted by ${shorten(others)}`;
    findings.push(warn(found, 'run: altnet setup ca; it shows what it changes, and asks'));
  }
  return findings;
}
