/** `altnet update`: points a name that is yours to a new root. */
import type { CommandDefinition } from '../command.ts';
import { nameCommand } from '../names.ts';

export const definition: CommandDefinition = nameCommand({
  method: 'update',
  doing: 'updating',
  done: 'updated',
});
