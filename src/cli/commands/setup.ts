/** `altnet setup`: what is set up on this machine, what is not, and what works without. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatTable } from '../format.ts';
import { inspectSetup } from '../setup/overview.ts';
import { LocalSystem } from '../setup/local-system.ts';
import type { System } from '../setup/system.ts';

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

async function run(system: System, { terminal, folders, signal }: CommandContext): Promise<void> {
  terminal.status('looking ...');
  const { parts, gateway } = await inspectSetup({ system, data: folders.data, signal });
  const rows = parts.map(({ part, state, found, command }) => [part, state, found, command]);
  const proxy = `http://${gateway}/proxy.pac`;
  const localhost = `http://NAME.localhost${gateway.replace(/^.*:/, ':').replace(/^:80$/, '')}/`;
  terminal.result({ parts, without: { localhost, proxy } }, [
    ...formatTable(['part', 'state', 'found', 'change it with'], rows),
    '',
    `Without any of it: ${localhost} opens NAME.alt in a browser,`,
    `and with ${proxy} in its proxy settings NAME.alt itself.`,
  ]);
}
