/** `altnet dht`: the routing table, the record store, and what was answered or refused. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { modeFields } from '../mode-fields.ts';
import { countOf, formatFields } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe: () => undefined,
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const dht = await (await services()).dht();
  terminal.result(dht, [
    ...formatFields([
      ...modeFields(dht),
      ['table', `${countOf(dht.table, 'node')} in ${countOf(dht.buckets.length, 'bucket')}`],
      ['network', `about ${countOf(Math.round(dht.networkSize), 'node')}`],
      ['records', dht.records],
    ]),
    ...counts('requests', dht.requests),
    ...counts('refused records', dht.refused),
    ...counts('packets', dht.packets),
    ...(dht.buckets.length === 0 ? [] : ['nodes by distance from this one (bits)']),
    ...formatFields(
      dht.buckets.map(({ distanceBits, contacts }) => [`  ${distanceBits}`, contacts] as const),
    ),
  ]);
}

function counts(title: string, numbers: Record<string, number>): string[] {
  const fields = Object.entries(numbers).map(([name, count]) => [`  ${name}`, count] as const);
  return fields.length === 0 ? [] : [title, ...formatFields(fields)];
}
