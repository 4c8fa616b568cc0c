/** `altnet names`: the names that this node's author holds. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatMoment, formatTable } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe: () => undefined,
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const names = await (await services()).names();
  const rows = names.map(({ name, version, updated_at: updated, cid }) => [
    name,
    String(version),
    formatMoment(updated),
    cid,
  ]);
  const none = ['you hold no name; take one with: altnet publish PATH --name NAME'];
  const table = formatTable(['NAME', 'VERSION', 'UPDATED', 'CID'], rows);
  terminal.list(names, names.length === 0 ? none : table);
}
