/** What of this machine is set up for AltNet: one line for each part. Changes nothing. */
import type { Abortable } from '../../base/abort.ts';
import { formatHostPort } from '../../node/bind.ts';
import { describeError } from '../tui.ts';
import { inspectChange } from './apply.ts';
import { findAuthority, serviceCaFolder } from './ca-source.ts';
import { inspectStores } from './ca-stores.ts';
import { checkDns } from './dns-check.ts';
import { findResolver } from './dns-resolver.ts';
import { systemJournal, userJournal } from './places.ts';
import { runningAt } from './running.ts';
import type { System } from './system.ts';
import { findZone } from './zone.ts';

export interface SetupPart {
  readonly part: 'dns' | 'ca' | 'service';
  /** unknown: it cannot be told, `found` says why. */
  readonly state: 'set up' | 'in part' | 'not set up' | 'unknown';
  readonly found: string;
  /** What changes it. */
  readonly command: string;
}

export interface SetupOverview {
  readonly parts: readonly SetupPart[];
  /** host:port of the gateway, or where it would be. */
  readonly gateway: string;
}

interface Looking extends Abortable {
  readonly system: System;
  readonly data: string;
}

/** Rejects with ABORTED only. */
export async function inspectSetup(looking: Looking): Promise<SetupOverview> {
  const parts = await Promise.all([
    told('dns', looking, inspectDns),
    told('ca', looking, inspectCa),
    told('service', looking, inspectService),
  ]);
  const otherwise = '127.0.0.1:8080';
  const gateway = await runningAt(looking, 'gateway', { address: undefined, otherwise });
  return { parts, gateway: formatHostPort(gateway) };
}

interface Found extends Pick<SetupPart, 'state' | 'found'> {
  /** An option that the command needs besides. */
  readonly flag?: '--user';
}

async function told(
  part: SetupPart['part'],
  looking: Looking,
  inspect: (looking: Looking) => Promise<Found>,
): Promise<SetupPart> {
  try {
    const { state, found, flag } = await inspect(looking);
    const words = ['altnet setup', part, flag ?? [], state === 'set up' ? '--undo' : []];
    return { part, state, found, command: words.flat().join(' ') };
  } catch (error) {
    looking.signal?.throwIfAborted();
    const found = describeError(error).message;
    return { part, state: 'unknown', found, command: `altnet setup ${part}` };
  }
}

async function inspectDns({ system, data, signal }: Looking): Promise<Found> {
  const otherwise = '127.0.0.1:5354';
  const at = await runningAt({ system, data }, 'dns', { address: undefined, otherwise });
  const { tld } = await findZone({ system, data });
  const [resolver, check] = await Promise.all([
    findResolver(system, { signal }),
    checkDns(system, { at, tld }, { signal }),
  ]);
  const by = `names are looked up by ${resolver.kind}`;
  if (check.reachesService)
    return { state: 'set up', found: `${by}; .${tld} names come from here` };
  const { state } = await inspectChange(system, systemJournal('dns'));
  const found = check.service === undefined ? `nothing answers at ${formatHostPort(at)}` : by;
  return { state: state === 'none' ? 'not set up' : 'in part', found };
}

async function inspectCa({ system, data, signal }: Looking): Promise<Found> {
  const zone = await findZone({ system, data });
  const authority = await findAuthority(system, zone);
  if (!authority) return { state: 'not set up', found: withoutAuthority(system, zone.caDir) };
  const stores = await inspectStores({ system, data, signal }, authority);
  const trusting = stores.filter(({ state }) => state === 'trusted').length;
  const found = `${trusting} of ${stores.length} stores trust ${authority.name}`;
  if (trusting === 0) return { state: 'not set up', found };
  return { state: trusting === stores.length ? 'set up' : 'in part', found };
}

function withoutAuthority({ isRoot }: System, folder: string): string {
  if (folder !== serviceCaFolder) return 'there is no certificate authority yet';
  return isRoot
    ? 'the service has no certificate authority yet'
    : 'the system does not trust the service yet';
}

async function inspectService({ system, data }: Looking): Promise<Found> {
  const places = [
    { journal: systemJournal('service'), of: 'of the system', more: {} },
    { journal: userJournal(data, 'service'), of: 'of this user', more: { flag: '--user' } },
  ] as const;
  for (const { journal, of, more } of places) {
    const { state } = await inspectChange(system, journal);
    if (state === 'none') continue;
    if (state === 'made') return { state: 'set up', found: `altnet.service ${of}`, ...more };
    const found = `altnet.service ${of}, changed since or half made`;
    return { state: 'in part', found, ...more };
  }
  return { state: 'not set up', found: 'a node runs while you run it' };
}
