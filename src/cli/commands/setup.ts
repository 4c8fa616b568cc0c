/** `altnet setup`: what is set up on this machine, what is not, and what works without. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatTable } from '../format.ts';
import { inspectSetup } from '../setup/overview.ts';
import { LocalSystem } from '../setup/local-system.ts';
import type { System } from '../setup/system.ts';
import { findZone } from '../setup/zone.ts';

export function defineSetup(systemOf: () => System): CommandDefinition {
  return {
    needs: 'system',
    describe(command) {
      command.addHelpText(
        'after',
        '\nLooks only. None of it is needed to open sites in a browser.',
      );
    },
    run: (context) => run(systemOf(), context),
  };
}

export const definition: CommandDefinition = defineSetup(() => new LocalSystem());

async function run(system: System, context: CommandContext): Promise<void> {
  const { terminal, folders, signal } = context;
  terminal.status('looking ...');
  const { parts, gateway } = await inspectSetup({ system, data: folders.data, signal });
  const rows = parts.map(({ part, state, found, command }) => [part, state, found, command]);
  const proxy = `http://${gateway}/proxy.pac`;
  const port = gateway.replace(/^.*:/, ':').replace(/^:80$/, '');
  const localhost = `http://NAME.localhost${port}/`;
  const [own, { tld }] = await Promise.all([
    ownLabelOf(context),
    findZone({ system, data: folders.data }),
  ]);
  const label = own ?? 'NAME';
  terminal.result({ parts, without: { localhost, proxy } }, [
    ...formatTable(['part', 'state', 'found', 'change it with'], rows),
    '',
    `Without any of it: http://${label}.localhost${port}/ opens ${label}.${tld} in a browser,`,
    `and with ${proxy} in its proxy settings http://${label}.${tld}/ does.`,
    ...(own === undefined
      ? ['NAME is that of a site; take one with: altnet publish PATH --name NAME']
      : []),
  ]);
}

/** "alice": a name of the user's, who can try it; undefined without one, or without a node. */
async function ownLabelOf({ services, signal }: CommandContext): Promise<string | undefined> {
  try {
    const names = await (await services()).names();
    // Names of registrars open only where these are trusted.
    const { name } = names.find(({ zone }) => zone === undefined) ?? {};
    return name?.replace(/\.alt$/, '');
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
