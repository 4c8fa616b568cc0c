/**
 * The service of the system as everybody may know it: whether its unit is there, whether it runs,
 * and where it listens. Its data folder is closed to all but root, the unit is open. It changes
 * nothing.
 */
import type { Abortable } from '../../base/abort.ts';
import { isEnding } from '../../node/runfile.ts';
import { nodeSection, tldLine, unitFile, unitName } from './service-unit.ts';
import { readText, type System } from './system.ts';

export interface InstalledService {
  /** Of each option of `start` that names one, as it was set up: host:port. */
  readonly addresses: ReadonlyMap<string, string>;
  /** How its names end, where that is not as everywhere. */
  readonly tld: string | undefined;
}

/** A unit has some forty lines. */
const linesMax = 1000;

/** Undefined where no service of ours is set up. */
export async function findInstalledService(system: System): Promise<InstalledService | undefined> {
  if (system.platform !== 'linux') return undefined;
  const lines = ((await readText(system, unitFile)) ?? '').split('\n').slice(0, linesMax);
  const from = lines.indexOf(nodeSection);
  if (from === -1) return undefined;
  const addresses = new Map<string, string>(); // BOUNDED by linesMax
  const rest = lines.slice(from + 1);
  for (const line of rest) {
    const [, option, address] = /^([a-z-]{1,32})=(\S{1,300})$/.exec(line) ?? [];
    if (option !== undefined && address !== undefined) addresses.set(option, address);
  }
  const tld = rest.find((line) => line.startsWith(tldLine))?.slice(tldLine.length);
  return { addresses, tld: tld !== undefined && isEnding(tld) ? tld : undefined };
}

/** What systemd says of it: "active", "failed", "activating"; anybody may ask. */
export async function stateOfService(system: System, { signal }: Abortable = {}): Promise<string> {
  const { stdout } = await system.run('systemctl', ['is-active', unitName], { signal });
  return stdout.trim() || 'unknown';
}
