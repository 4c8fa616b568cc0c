/** `altnet sites`: what this node holds, and why. */
import type { HeldSite } from '../../api/ports-sites.ts';
import { formatBytes } from '../../base/byte-count.ts';
import type { CommandContext, CommandDefinition, CommandInput } from '../command.ts';
import { formatMoment, formatTable } from '../format.ts';
import { flagOption } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .option('--own', 'only what was published here')
      .addHelpText(
        'after',
        [
          '',
          'own: published here; stays until altnet unpublish, or until a name has moved on from it.',
          'copy: kept for another node, so that the site outlives it.',
          'visited: fetched for you or a browser. Copies and visited ones that were not used for',
          'longest go first when --store-budget is used up.',
          'replaced: a newer version took its place a short while ago; goes after a day.',
        ].join('\n'),
      );
  },
  run,
};

async function run({ terminal, services }: CommandContext, input: CommandInput): Promise<void> {
  const own = flagOption(input.options, 'own');
  const sites = await (await services()).sites({ own });
  const head = ['KIND', 'STATE', 'FILES', 'SIZE', 'LAST USED', 'CID', 'NAMES'];
  const none = own
    ? 'nothing was published here; publish a folder with: altnet publish PATH'
    : 'this node holds nothing yet';
  terminal.list(sites, sites.length === 0 ? [none] : formatTable(head, sites.map(rowOf)));
}

function rowOf(site: HeldSite): string[] {
  const { kind, complete, files, bytes, used, cid, names } = site;
  const size = complete ? [String(files), formatBytes(bytes)] : ['-', '-'];
  return [kind, stateOf(site), ...size, formatMoment(used), cid, names.join(', ')];
}

/** What is worth knowing first. */
function stateOf({ complete, keep, superseded }: HeldSite): string {
  if (!complete) return 'in part';
  if (superseded !== undefined) return 'replaced';
  return keep ? 'kept' : 'complete';
}
