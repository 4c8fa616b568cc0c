/** `altnet names`: the names that this node's author holds. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatMoment, formatTable, sanitize } from '../format.ts';

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
  const remarks = names.flatMap(({ name, certificate_ending: isEnding, certified_until: until }) =>
    isEnding && until !== undefined ? [remarkOf(name, until)] : [],
  );
  terminal.list(names, names.length === 0 ? none : [...table, ...remarks]);
}

function remarkOf(name: string, until: number): string {
  return `the certificate of ${sanitize(name)} ends on ${formatMoment(until)}: ask its registrar for a new one`;
}
