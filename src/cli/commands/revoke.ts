/** `altnet revoke`: what is not to be had any more wherever this author is trusted as a revoker. */
import { requireNameOrRoot } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import type { RevokeResult } from '../../api/ports-trust.ts';
import { countOf, sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<name|root>', 'a name, which is revoked with the root it shows; or a root')
      .option('--undo', 'take it back: it may be published again')
      .addHelpText(
        'after',
        [
          '',
          'Signs a list of revocations with your author key. Nodes whose trusted-revokers.txt has your',
          'public key drop the content from their disks and refuse it, and resolve the name no more;',
          'so does this node. Who was off learns it on return. Nothing is brought back by --undo.',
        ].join('\n'),
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const what = operand(input, 0);
  requireNameOrRoot(what);
  const undo = input.options['undo'] === true;
  const services = await context.services();
  const result = await services.revoke({ what, undo }, { signal });
  terminal.result(result, linesOf(result, undo));
}

function linesOf(result: RevokeResult, undo: boolean): string[] {
  const { name, root, changed, stored, chunk_count: blocks, wait_seconds: wait } = result;
  const shown = root !== undefined && root !== name ? ` and its root ${root}` : '';
  const did = undo ? 'took back the revocation of' : 'revoked';
  const nothing = undo ? 'is not revoked by you' : 'was revoked by you already';
  const first = changed > 0 ? `${did} ${sanitize(name)}${shown}` : `${sanitize(name)} ${nothing}`;
  const gone = blocks > 0 ? [`${countOf(blocks, 'block')} went from the disk`] : [];
  if (changed === 0 && wait === undefined) return [first, ...gone];
  const told =
    wait === undefined
      ? `${countOf(stored, 'node')} ${stored === 1 ? 'holds' : 'hold'} your list`
      : `others are told${changed > 0 ? '' : ' of your last change'} in ${countOf(wait, 'second')}`;
  return [first, ...gone, told];
}
