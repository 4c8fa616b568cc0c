/** `altnet key import`, `start --import-key`: puts an exported author key into the key folder. */
import { toHex } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { keyFile, writeImportedKey } from '../../identity/files.ts';
import { importKeyString } from '../../identity/keytext.ts';
import { type CommandContext, type CommandDefinition, operand } from '../command.ts';
import { readInput } from '../input.ts';

/** An exported key has 78 characters; this leaves room for a file with remarks around it. */
const keyBytesMax = 4096;

export const definition: CommandDefinition = {
  needs: 'keys',
  describe(command) {
    command
      .argument('<key|->', 'the line that key export printed; - reads it from standard input')
      .addHelpText('after', '\nWith - the key stays out of the history of your shell.');
  },
  run: (context, input) => importAuthorKey(context, operand(input, 0)),
};

export async function importAuthorKey(
  context: Pick<CommandContext, 'terminal' | 'folders' | 'shell' | 'signal'>,
  text: string,
): Promise<void> {
  const { terminal, folders } = context;
  const typed =
    text === '-' ? Buffer.from(await readInput(context, keyBytesMax)).toString('utf8') : text;
  const key = importKeyString(typed);
  const file = keyFile(folders.keydir, 'author');
  const { backup } = await writeImportedKey({ file, key, random: systemWorld.random });
  const author = toHex(key.id);
  if (backup !== undefined) terminal.note(`the key that was there before is kept in ${backup}`);
  terminal.note('a node that is running goes on with its old key until it is started again');
  terminal.result({ author, authorPublicKey: toHex(key.publicKey), backup }, [
    `imported author ${author}`,
  ]);
}
