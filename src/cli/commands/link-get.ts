/** `altnet link get`: every alternative for a URL as it is found; with --fetch, one of them. */
import type { FoundLinkLine } from '../../api/ports-links.ts';
import { formatBytes } from '../../base/byte-count.ts';
import { AltNetError } from '../../base/errors.ts';
import { requireUrl } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatFields, formatMoment, sanitize } from '../format.ts';
import { flagOption, parseByteCount, parsePath, textOption } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'any',
  describe(command) {
    command
      .argument('<url>', 'the URL that no longer works')
      .option('--fetch <file>', 'download the best alternative that works into a new file')
      .option('--max-bytes <size>', 'with --fetch: refuse larger files (4GiB)')
      .option('--allow-private', 'with --fetch: also from this machine and private networks')
      .addHelpText(
        'after',
        [
          '',
          'Fails when nobody has announced an alternative. --fetch tries those of publishers in',
          '<data>/trusted-publishers.txt (a key ID per line) first, then those of publishers whose',
          'alternatives worked before, then those on which most agree.',
        ].join('\n'),
      );
  },
  run,
};

const bytesMaxDefault = '4GiB';

interface FetchPlan {
  readonly file: string;
  readonly bytesMax: number;
  readonly allowPrivate: boolean;
}

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const url = operand(input, 0);
  requireUrl(url);
  const plan = fetchPlan(context, input);
  if (plan) await requirePlace(plan);
  const found = await search(context, url);
  if (found.length === 0) throw new AltNetError('LINK_NOT_FOUND', { url });
  if (plan) await fetchOne(context, { url, found, plan });
}

function fetchPlan({ cwd }: CommandContext, { options }: CommandInput): FetchPlan | undefined {
  const dest = textOption(options, 'fetch');
  const size = textOption(options, 'maxBytes');
  const allowPrivate = flagOption(options, 'allowPrivate');
  if (dest === undefined) {
    if (size === undefined && !allowPrivate) return undefined;
    const option = size === undefined ? '--allow-private' : '--max-bytes';
    throw new AltNetError('USAGE', { why: `${option} says how to download: add --fetch FILE` });
  }
  const bytesMax = parseByteCount('--max-bytes', size ?? bytesMaxDefault);
  return { file: parsePath('--fetch', dest, cwd), bytesMax, allowPrivate };
}

/** Before the search, not after it. */
async function requirePlace({ file }: FetchPlan): Promise<void> {
  const { requireFree } = await import('../links/draft-file.ts');
  await requireFree(file);
}

async function search(
  { terminal, signal, services }: CommandContext,
  url: string,
): Promise<readonly FoundLinkLine[]> {
  const node = await services();
  terminal.status('asking the network ...');
  // A link that is told again has changed: the last word counts. BOUNDED by the search.
  const found = new Map<string, FoundLinkLine>();
  for await (const line of node.getLinks(url, { signal })) {
    if ('done' in line) {
      const asked = `${countOf(line.asked, 'node')} asked, ${line.seconds.toFixed(2)} s`;
      terminal.result(line, [`${countOf(line.found, 'alternative')}, ${asked}`]);
    } else {
      found.set(`${line.publisher} ${line.target}`, line);
      terminal.result(line, linkLines(line));
    }
  }
  return [...found.values()];
}

async function fetchOne(
  { terminal, signal, folders, services }: CommandContext,
  { url, found, plan }: { url: string; found: readonly FoundLinkLine[]; plan: FetchPlan },
): Promise<void> {
  const [{ fetchFirst, isDownloadable }, { rankLinks }, { PublisherReputation }] =
    await Promise.all([
      import('../links/attempt.ts'),
      import('../links/rank.ts'),
      import('../links/reputation.ts'),
    ]);
  const reputation = await PublisherReputation.load(folders.data);
  const ranked = rankLinks(found, reputation);
  terminal.status('downloading ...');
  const failed: FoundLinkLine[] = []; // BOUNDED by what was found
  const fetched = await fetchFirst(ranked, {
    ...plan,
    services: await services(),
    signal,
    onFailure: (link, why) => {
      failed.push(link);
      if (!terminal.json) terminal.note(why);
      else terminal.result({ failed: link.target, publisher: link.publisher, why }, []);
    },
    onBytes: ({ target }, bytes, bytesTotal) => {
      const total = bytesTotal === undefined ? '' : ` of ${formatBytes(bytesTotal)}`;
      terminal.status(`${formatBytes(bytes)}${total} of ${target}`);
    },
  });
  // When nothing works, it may be our own connection.
  if (!fetched) throw new AltNetError('LINK_UNUSABLE', { url, tried: ranked.length });
  for (const link of failed) if (isDownloadable(link)) reputation.note(link.publisher, false);
  reputation.note(fetched.publisher, true);
  await reputation.save();
  const checked = fetched.verified
    ? 'the SHA-256 is the one that its publisher signed'
    : 'its publisher signed no SHA-256, so look at it with care';
  terminal.result(fetched, [
    `fetched ${sanitize(fetched.fetched)}`,
    `${formatBytes(fetched.bytes)} into ${sanitize(fetched.path)}: ${checked}`,
  ]);
}

function linkLines({ target, ...link }: FoundLinkLine): string[] {
  const details = formatFields([
    ['  found under', link.variant === undefined ? undefined : sanitize(link.variant)],
    ['  signed by', link.publisher],
    ['  issued', formatMoment(link.issued)],
    ['  captured', link.captured === undefined ? undefined : formatMoment(link.captured)],
    ['  type', link.type],
    ['  size', link.size === undefined ? undefined : formatBytes(link.size)],
    ['  sha256', link.sha256],
    ['  note', link.note],
  ]);
  const when = link.stale
    ? 'found earlier; nobody answers now'
    : `after ${link.seconds.toFixed(2)} s`;
  return [`${sanitize(target)}  (${when})`, ...details];
}
