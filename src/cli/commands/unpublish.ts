/** `altnet unpublish`: this node no longer keeps a site that was published here. */
import { requireNameOrRoot } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<name|root>', 'a name of yours, a CID, or 64 hex digits')
      .addHelpText(
        'after',
        [
          '',
          'Frees its space here. Copies on other nodes cannot be taken back; they go when those nodes',
          'need the room. A name that points to it stays yours: altnet release gives it up.',
        ].join('\n'),
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const what = operand(input, 0);
  requireNameOrRoot(what);
  const services = await context.services();
  const result = await services.unpublish({ what }, { signal });
  terminal.result(result, [
    `unpublished ${result.cid}: this node no longer keeps it, copies elsewhere stay`,
    ...result.names.map((name) => {
      const safe = sanitize(name);
      return `${safe} still points to it; give the name up with: altnet release ${safe}`;
    }),
  ]);
}
