/** `altnet setup service`: its words. What is done, setup/service-setup.ts does. */
import { Command, CommanderError } from 'commander';
import type { CommandContext, CommandDefinition, CommandInput } from '../command.ts';
import { LocalSystem } from '../setup/local-system.ts';
import { type ServiceTarget, setUpService } from '../setup/service-setup.ts';
import { beginSession, describeSetup } from '../setup/session.ts';
import type { System } from '../setup/system.ts';
import { describeStart, parseStart } from '../start-options.ts';
import { flagOption, usageError } from '../values.ts';

export function defineSetupService(systemOf: () => System): CommandDefinition {
  return {
    needs: 'system',
    describe(command) {
      describeSetup(command)
        .argument('[start-options...]', 'after --: options of altnet start')
        .option('--user', 'for you alone, without root')
        .addHelpText(
          'after',
          [
            '',
            'Writes a unit for systemd, enables and starts it: a node under a user of its own, with its',
            'data in /var/lib/altnet and few rights besides. Elsewhere it shows what to do by hand.',
            '',
            '  altnet setup service -- --gateway 127.0.0.1:80 --bootstrap node.example:9000',
          ].join('\n'),
        );
    },
    run: (context, input) => run(systemOf(), context, input),
  };
}

export const definition: CommandDefinition = defineSetupService(() => new LocalSystem());

async function run(system: System, context: CommandContext, input: CommandInput): Promise<void> {
  const session = beginSession(system, { context, input });
  const forUser = flagOption(input.options, 'user');
  const startWords = input.operands.flat();
  const said = parseStartWords(startWords, context.cwd);
  await setUpService(session, { forUser, startWords, ...said });
}

/** What a service has of its own, or what would lie open in its unit or end the node. */
const unsuited = [
  'data',
  'headless',
  'exportKey',
  'importKey',
  'registrarToken',
  'keydir',
  'caDir',
] as const;

/** Where a start with these words listens, by its options, and how names end. Throws USAGE. */
function parseStartWords(
  words: readonly string[],
  cwd: string,
): Pick<ServiceTarget, 'addresses' | 'tld'> {
  const command = new Command('start').exitOverride().helpOption(false);
  command.configureOutput({ writeErr: () => undefined });
  describeStart(command);
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw usageError(`after --: ${error.message.replace(/^error: /, '').split('\n')[0] ?? ''}`);
  }
  const values = command.opts<Record<string, unknown>>();
  const wrong = unsuited.find((name) => values[name] !== undefined);
  if (wrong !== undefined) {
    const flag = wrong.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw usageError(`after --: --${flag} does not suit a service`);
  }
  const { options } = parseStart(values, { cwd, interactive: false });
  const { listen, gateway, gatewayTls, registrar, metrics, dns, relay, tld } = options;
  const all: Readonly<Record<string, string | undefined>> = {
    listen,
    gateway,
    'gateway-tls': gatewayTls?.address,
    dns: dns?.address,
    registrar,
    metrics,
    'relay-listen': relay.listen,
  };
  const addresses = new Map(
    Object.entries(all).flatMap(([option, address]) =>
      address === undefined ? [] : [[option, address]],
    ),
  );
  return { addresses, tld: tld === 'alt' ? undefined : tld };
}
