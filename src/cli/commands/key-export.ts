/** `altnet key export` and `start --export-key`: prints the secret author key, once, on stdout. */
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
  const key = await loadOrCreateKey({ file, kind: 'author', random: systemWorld.random });
  terminal.note('this is your secret author key: who has it owns your names and links');
  const text = exportKeyString(key);
  terminal.result({ author: toHex(key.id), key: text }, [text]);
}
