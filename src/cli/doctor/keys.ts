/** Whether the secret files are whole and readable by this user alone. */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { readToken, tokenFileIn } from '../../api/token.ts';
import { isAltNetError } from '../../base/errors.ts';
import { keyFile, readKey } from '../../identity/files.ts';
import { type Check, fail, type Finding, ok, skipped, warn } from './finding.ts';

export const keys: Check = {
  name: 'keys',
  async run({ folders: { data, keydir } }) {
    const hasRun = await exists(path.join(data, 'store'));
    return [
      await inspectKey(keydir, 'node', hasRun),
      await inspectKey(keydir, 'author', hasRun),
      await inspectSecret(tokenFileIn(data), {
        read: (file) => readToken(file),
        missing: () => ok('there is no API token yet; the first start makes it'),
        damaged: (file) => `remove it, and the next start makes a new one: rm ${file}`,
      }),
    ];
  },
};

function inspectKey(keydir: string, kind: 'node' | 'author', hasRun: boolean): Promise<Finding> {
  return inspectSecret(keyFile(keydir, kind), {
    read: (file) => readKey(file, kind),
    missing: (file) =>
      hasRun
        ? warn(
            `${file} is missing, though a node has run here`,
            kind === 'author'
              ? 'restore it from your copy with: altnet key import; a start makes a new author, who owns none of your names'
              : 'point --keydir to where it is; a start makes a new one, and the node gets another ID',
          )
        : ok(`there is no ${kind} key yet; the first start makes it`),
    damaged: () =>
      kind === 'author'
        ? 'restore it from your copy with: altnet key import'
        : 'move it away, and the next start makes a new one',
  });
}

interface SecretRules {
  /** Resolves with undefined when there is no such file. */
  readonly read: (file: string) => Promise<unknown>;
  readonly missing: (file: string) => Finding;
  readonly damaged: (file: string) => string;
}

async function inspectSecret(
  file: string,
  { read, missing, damaged }: SecretRules,
): Promise<Finding> {
  try {
    const secret = await read(file);
    return secret === undefined ? missing(file) : ok(`${file} is whole and yours alone`);
  } catch (error) {
    if (isAltNetError(error, 'KEY_EXPOSED')) {
      const { mode } = error.details;
      return fail(`${file} can be read by others (mode ${mode})`, `run: chmod 600 ${file}`);
    }
    if (isAltNetError(error, 'KEY_DAMAGED') || isAltNetError(error, 'KEY_WRONG_KIND')) {
      const why = 'why' in error.details ? error.details.why : 'it holds another key';
      return fail(`${file} is damaged: ${why}`, damaged(file));
    }
    if (!isAltNetError(error)) throw error;
    const isFolderMissing = 'why' in error.details && error.details.why === 'ENOTDIR';
    if (isFolderMissing) return skipped(`${file} cannot be there: a file is in the way`);
    return fail(error.message, `let your user read it, with: chown "$USER" ${file}`);
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
