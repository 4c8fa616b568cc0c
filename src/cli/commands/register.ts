/** `altnet register`: takes a name for a root. */
import type { CommandDefinition } from '../command.ts';
import { nameCommand } from '../names.ts';

export const definition: CommandDefinition = nameCommand({
  method: 'register',
  doing: 'registering',
  done: 'registered',
});
