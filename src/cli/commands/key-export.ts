/** `altnet key export` and `start --export-key`: prints the secret author key, once, on stdout. */
import { existsSync } from 'node:fs';
import { toHex } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { keyFile, loadOrCreateKey } from '../../identity/files.ts';
import { exportKeyString } from '../../identity/keytext.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';

export const definition: CommandDefinition = {
  needs: 'keys',
  describe(command) {
    command.addHelpText('after', '\nWho has this line owns your names and links: keep it secret.');
  },
  run: exportAuthorKey,
};

export async function exportAuthorKey({
  terminal,
  folders,
}: Pick<CommandContext, 'terminal' | 'folders'>): Promise<void> {
  const file = keyFile(folders.keydir, 'author');
  // Who wants a copy of a key and has mistyped the folder would keep one that owns nothing.
  const isNew = !existsSync(file);
  const key = await loadOrCreateKey({ file, kind: 'author', random: systemWorld.random });
  if (isNew) terminal.note(`there was no author key at ${file}, so a new one was made`);
  terminal.note('this is your secret author key: who has it owns your names and links');
  const text = exportKeyString(key);
  terminal.result({ author: toHex(key.id), key: text }, [text]);
}
