/**
 * How names end here, and where the authority is that signs for them: as the user says, else as the
 * node says that uses the data folder, else as that of the service does, else ".alt". It looks at
 * what nodes leave behind, and asks none.
 */
import { caFolderIn, readRunFile, type RunningZone } from '../../node/runfile.ts';
import { findCaFolder } from './ca-source.ts';
import { findInstalledService } from './installed-service.ts';
import { stateFolder } from './service-unit.ts';
import type { System } from './system.ts';

export interface ZoneQuestion {
  readonly system: System;
  /** The data folder. */
  readonly data: string;
  readonly tld?: string | undefined;
  /** Absolute. */
  readonly caDir?: string | undefined;
}

export async function findZone({ system, data, tld, caDir }: ZoneQuestion): Promise<RunningZone> {
  const own = await zoneIn(data);
  const running = own ?? (await zoneIn(system.outside(stateFolder)));
  // That word is open to root alone, and only while the service runs.
  const ending = tld ?? running?.tld ?? (await findInstalledService(system))?.tld ?? 'alt';
  if (caDir !== undefined) return { tld: ending, caDir };
  // Only where it is elsewhere: in the usual place that of the service may be meant.
  const isElsewhere = own !== undefined && own.caDir !== caFolderIn(data);
  return {
    tld: ending,
    caDir: isElsewhere ? own.caDir : await findCaFolder(system, data, ending),
  };
}

/** Undefined where no node left word, or none that may be read. */
async function zoneIn(data: string): Promise<RunningZone | undefined> {
  return (await readRunFile(data).catch(() => undefined))?.zone;
}
