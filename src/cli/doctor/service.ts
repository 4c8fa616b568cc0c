/** Whether the service of the system runs, where one is set up. */
import type { System } from '../setup/system.ts';
import { findInstalledService, stateOfService } from '../setup/installed-service.ts';
import { LocalSystem } from '../setup/local-system.ts';
import { stateFolder, unitName } from '../setup/service-unit.ts';
import { type Check, type CheckContext, fail, type Finding, ok, skipped } from './finding.ts';

export const service: Check = {
  name: 'service',
  run: (context) => inspectService(new LocalSystem(), context),
};

export async function inspectService(
  system: System,
  { folders: { data }, node, signal }: Pick<CheckContext, 'folders' | 'node' | 'signal'>,
): Promise<readonly Finding[]> {
  if (!(await findInstalledService(system))) {
    return [skipped('none is set up for the whole system')];
  }
  const state = await stateOfService(system, { signal });
  if (state !== 'active') {
    const log = `sudo journalctl -u ${unitName}`;
    return [fail(`${unitName} is set up, and systemd says that it is ${state}`, `see why: ${log}`)];
  }
  const isThis = node.state !== 'none' || data === stateFolder;
  const rest = isThis ? '' : `; look at it with: sudo altnet doctor --data ${stateFolder}`;
  return [ok(`${unitName} runs${rest}`)];
}
