/** `altnet setup ca`: its words. What is done, setup/ca-setup.ts does. */
import type { CommandContext, CommandDefinition, CommandInput } from '../command.ts';
import { parseEnding } from '../reach-options.ts';
import { setUpCa } from '../setup/ca-setup.ts';
import { LocalSystem } from '../setup/local-system.ts';
import { beginSession, describeSetup } from '../setup/session.ts';
import type { System } from '../setup/system.ts';
import { findZone } from '../setup/zone.ts';
import { parsePath, textOption } from '../values.ts';

export function defineSetupCa(systemOf: () => System): CommandDefinition {
  return {
    needs: 'system',
    describe(command) {
      describeSetup(command)
        .option(
          '--ca-dir <dir>',
          "folder of the certificate authority (the node's, <data>/ca, or that of the service)",
        )
        .option('--tld <label>', "the ending of names (the node's, else alt)")
        .addHelpText(
          'after',
          [
            '',
            'Puts the certificate of the authority that signs for .alt sites where Chromium, Chrome,',
            'Firefox and the system look, and makes the authority if there is none. It can sign for',
            'names under .alt and for nothing else; its key stays on this machine. Without root the',
            'stores of this user are changed, and the line for the rest is shown. --undo takes it out',
            'again, by its fingerprint. Where a node runs as a service of the system, its authority is',
            'meant, unless your data folder has one: run this with sudo first, then without.',
          ].join('\n'),
        );
    },
    run: (context, input) => run(systemOf(), context, input),
  };
}

export const definition: CommandDefinition = defineSetupCa(() => new LocalSystem());

async function run(system: System, context: CommandContext, input: CommandInput): Promise<void> {
  const session = beginSession(system, { context, input });
  const given = textOption(input.options, 'caDir');
  const { folders, cwd } = context;
  const caDir = given === undefined ? undefined : parsePath('--ca-dir', given, cwd);
  const tld = parseEnding(textOption(input.options, 'tld'));
  await setUpCa(session, await findZone({ system, data: folders.data, tld, caDir }));
}
