/** Whether the node's DNS service answers, and whether this machine asks it for .alt names. */
import { formatHostPort } from '../../node/bind.ts';
import { otherHost, checkDns } from '../setup/dns-check.ts';
import { LocalSystem } from '../setup/local-system.ts';
import { systemJournal } from '../setup/places.ts';
import { reachedFrom, runningServices, systemServices } from '../setup/running.ts';
import { unitName } from '../setup/service-unit.ts';
import type { System } from '../setup/system.ts';
import { findZone } from '../setup/zone.ts';
import { type Check, type CheckContext, fail, type Finding, ok, skipped, warn } from './finding.ts';

export const dns: Check = { name: 'dns', run: (context) => inspectDns(new LocalSystem(), context) };

type DnsNeeds = Pick<CheckContext, 'folders' | 'node' | 'signal' | 'zone'>;

export async function inspectDns(
  system: System,
  { folders: { data }, node, signal, zone = {} }: DnsNeeds,
): Promise<readonly Finding[]> {
  const isSetUp = await system.exists(systemJournal('dns'));
  const isRunning = node.state === 'running';
  const services = await (isRunning ? runningServices(data) : systemServices(system));
  const address = services?.dns ?? undefined;
  if (address === undefined) return [withoutService(isRunning, isSetUp)];
  const at = reachedFrom(address);
  const where = formatHostPort(at);
  const { tld } = await findZone({ system, data, ...zone });
  const check = await checkDns(system, { at, tld }, { signal });
  const { service, reachesService, knowsOthers } = check;
  const findings: Finding[] = [];
  if (service === undefined || service.length === 0) {
    const advice = isRunning
      ? 'stop the node and start it again; if it stays so, run it with --log-level debug'
      : `see what the service does: sudo journalctl -u ${unitName}`;
    findings.push(fail(`the DNS service at ${where} does not answer for .${tld}`, advice));
  } else findings.push(ok(`the DNS service answers at ${where}`));
  if (reachesService) findings.push(ok(`the system gets names under .${tld} from it`));
  else if (isSetUp) {
    const found = `the system does not get names under .${tld} from it, though that was set up`;
    findings.push(warn(found, `run: altnet setup dns --dns ${where}`));
  } else findings.push(skipped('the system does not ask it; altnet setup dns changes that'));
  if (isSetUp && !knowsOthers) {
    const advice =
      'see whether there is a network; if so, take it back with: altnet setup dns --undo';
    findings.push(warn(`${otherHost} is not known to the system`, advice));
  }
  return findings;
}

function withoutService(isRunning: boolean, isSetUp: boolean): Finding {
  const why = isRunning ? 'the node runs without a DNS service' : 'no node runs that could answer';
  if (!isSetUp) return skipped(why);
  const advice = 'start it with: altnet start; or take the set-up back: altnet setup dns --undo';
  return warn(`${why}, and the system asks it for names under .alt`, advice);
}
