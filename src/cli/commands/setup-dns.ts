/** `altnet setup dns`: its words. What is done, setup/dns-setup.ts does. */
import { formatHostPort } from '../../node/bind.ts';
import type { CommandContext, CommandDefinition, CommandInput } from '../command.ts';
import { parseEnding } from '../reach-options.ts';
import { parseAddressOption, textOption } from '../values.ts';
import { setUpDns } from '../setup/dns-setup.ts';
import { LocalSystem } from '../setup/local-system.ts';
import { runningAt } from '../setup/running.ts';
import { beginSession, describeSetup } from '../setup/session.ts';
import type { System } from '../setup/system.ts';
import { findZone } from '../setup/zone.ts';

export function defineSetupDns(systemOf: () => System): CommandDefinition {
  return {
    needs: 'system',
    describe(command) {
      describeSetup(command)
        .option('--dns <addr>', "the node's DNS service (where it runs, else 127.0.0.1:5354)")
        .option('--tld <label>', "the ending of names (the node's, else alt)")
        .addHelpText(
          'after',
          [
            '',
            'Sends names under .alt to the DNS service of the node, and no others. Finds out what looks',
            'names up here: systemd-resolved, NetworkManager with dnsmasq, dnsmasq, unbound, plain',
            'resolv.conf, macOS or Windows. Shows what it changes and asks; needs root. --undo brings',
            'back what was there, and leaves a file alone that was edited since.',
          ].join('\n'),
        );
    },
    run: (context, input) => run(systemOf(), context, input),
  };
}

export const definition: CommandDefinition = defineSetupDns(() => new LocalSystem());

async function run(system: System, context: CommandContext, input: CommandInput): Promise<void> {
  const session = beginSession(system, { context, input });
  const given = textOption(input.options, 'dns');
  const address = given === undefined ? undefined : parseAddressOption('--dns', given);
  const { data } = context.folders;
  const [at, gateway] = await Promise.all([
    runningAt({ system, data }, 'dns', { address, otherwise: '127.0.0.1:5354' }),
    runningAt({ system, data }, 'gateway', { address: undefined, otherwise: '127.0.0.1:8080' }),
  ]);
  const { tld } = await findZone({
    system,
    data,
    tld: parseEnding(textOption(input.options, 'tld')),
  });
  const words = [
    'setup',
    'dns',
    '--dns',
    formatHostPort(at),
    ...(tld === 'alt' ? [] : ['--tld', tld]),
  ];
  await setUpDns(session, { at, gateway, tld, words });
}
