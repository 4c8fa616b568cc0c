/** `altnet registrar list`: what this node's author has certified as a registrar. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatMoment, formatTable } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe: () => undefined,
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const certificates = await (await services()).certificates();
  const rows = certificates.map(({ name, state, not_after: notAfter, serial, owner }) => [
    name,
    state,
    formatMoment(notAfter),
    String(serial),
    owner,
  ]);
  const none = ['you have certified no name; do so with: altnet registrar certify NAME OWNER'];
  const table = formatTable(['NAME', 'STATE', 'UNTIL', 'SERIAL', 'OWNER'], rows);
  terminal.list(certificates, certificates.length === 0 ? none : table);
}
