/** `altnet names`: the names that this node's author holds. */
import type { OwnName } from '../../api/ports-names.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatMoment, formatTable, sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe: () => undefined,
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const names = await (await services()).names();
  // Most people have no name of a registrar, and need no columns for that.
  const columns = all.filter(({ isShown }) => isShown?.(names) ?? true);
  const rows = names.map((name) => columns.map(({ cell }) => cell(name)));
  const none = ['you hold no name; take one with: altnet publish PATH --name NAME'];
  const heads = columns.map(({ head }) => head);
  const table = formatTable(heads, rows);
  const remarks = names.flatMap(({ name, certificate_ending: isEnding, certified_until: until }) =>
    isEnding && until !== undefined ? [remarkOf(name, until)] : [],
  );
  terminal.list(names, names.length === 0 ? none : [...table, ...remarks]);
}

interface Column {
  readonly head: string;
  readonly cell: (name: OwnName) => string;
  /** Left out: always. */
  readonly isShown?: (names: readonly OwnName[]) => boolean;
}

const zoneCharacters = 12;

const all: readonly Column[] = [
  { head: 'NAME', cell: ({ name }) => name },
  { head: 'VERSION', cell: ({ version }) => String(version) },
  { head: 'UPDATED', cell: ({ updated_at: updated }) => formatMoment(updated) },
  {
    head: 'ZONE',
    cell: ({ zone }) => zone?.slice(0, zoneCharacters) ?? 'open',
    isShown: (names) => names.some(({ zone }) => zone !== undefined),
  },
  {
    head: 'CERTIFIED UNTIL',
    cell: ({ certified_until: until }) => (until === undefined ? '-' : formatMoment(until)),
    isShown: (names) => names.some(({ certified_until: until }) => until !== undefined),
  },
  { head: 'CID', cell: ({ cid }) => cid },
];

function remarkOf(name: string, until: number): string {
  return `the certificate of ${sanitize(name)} ends on ${formatMoment(until)}: ask its registrar for a new one`;
}
