/** `altnet fetch`: a site, by name or root, into a folder. */
import { formatBytes } from '../../base/byte-count.ts';
import { requireNameOrRoot } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatSeconds } from '../format.ts';
import { parsePath } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'any',
  resumes: true,
  describe(command) {
    command
      .argument('<name|root>', 'a name, a CID, or 64 hex digits')
      .argument('<dest>', 'folder to write to, made when missing')
      .addHelpText(
        'after',
        '\nWhat came before it was stopped or failed is kept: the same command goes on from there.',
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal, cwd } = context;
  const what = operand(input, 0);
  const dest = parsePath('<dest>', operand(input, 1), cwd);
  requireNameOrRoot(what);
  const services = await context.services();
  const draw = terminal.progress('fetching');
  let came = 0;
  const onProgress: typeof draw = (progress) => {
    came = progress.bytes;
    draw(progress);
  };
  const result = await services
    .fetch({ what, dest }, { signal, onProgress })
    .catch((error: unknown) => {
      if (came > 0) terminal.note('what came so far is kept: the same command goes on from there');
      throw error;
    });
  const { files, bytes, seconds, peers } = result;
  const from = peers === 0 ? 'all was here already' : `from ${countOf(peers, 'peer')}`;
  const how = `${formatBytes(bytes)} in ${formatSeconds(seconds)}, ${from}`;
  terminal.result(result, [`fetched ${countOf(files, 'file')} into ${dest}: ${how}`]);
}
