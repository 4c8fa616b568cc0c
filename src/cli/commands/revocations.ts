/** `altnet revocations`: whose revocations this node goes by, and how current they are. */
import type { RevocationListInfo } from '../../api/ports-trust.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { countOf, formatMoment } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command.addHelpText(
      'after',
      '\nThose of trusted-revokers.txt in the data folder, and your own list when you have one.',
    );
  },
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const revocations = await (await services()).revocations();
  const lines = revocations.map(lineOf);
  terminal.result(
    { revocations, count: revocations.length },
    lines.length > 0 ? lines : ['this node trusts no revoker'],
  );
}

function lineOf(list: RevocationListInfo): string {
  const { revoker, entries, issued, next_update: next, state, equivocated, lacking } = list;
  if (state === 'unknown' || issued === undefined || next === undefined) {
    return `${revoker}  no list seen yet`;
  }
  const words = [
    `${revoker}  ${countOf(entries, 'revocation')}`,
    state === 'stale' ? `stale since ${formatMoment(next)}` : `of ${formatMoment(issued)}`,
    ...(lacking ? ['not all of it is here yet'] : []),
    ...(equivocated ? ['its revoker contradicts itself: all of its lists are in force'] : []),
  ];
  return words.join(', ');
}
