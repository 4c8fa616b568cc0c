/** `altnet key show`: the IDs and public keys of this node and its author; nothing secret. */
import { toHex } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { loadIdentity } from '../../identity/files.ts';
import { authorWord } from '../../node/words.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatFields } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'keys',
  describe(command) {
    command.addHelpText(
      'after',
      '\nMakes the keys where there are none yet, as a start does. Links show author IDs; who passes a\nname on to you needs your author key name.',
    );
  },
  run,
};

async function run({ terminal, folders }: CommandContext): Promise<void> {
  const { keydir } = folders;
  const { node, author } = await loadIdentity({ keydir, random: systemWorld.random });
  const keys = {
    node: toHex(node.id),
    nodePublicKey: toHex(node.publicKey),
    author: toHex(author.id),
    authorPublicKey: toHex(author.publicKey),
    keyName: authorWord(author.publicKey),
  };
  terminal.result(
    keys,
    formatFields([
      ['node ID', keys.node],
      ['node public key', keys.nodePublicKey],
      ['author ID', keys.author],
      ['author public key', keys.authorPublicKey],
      ['author key name', keys.keyName],
    ]),
  );
}
