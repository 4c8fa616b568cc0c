/** Whether the lists of whom to trust and what to deny say what their writer meant. */
import path from 'node:path';
import type { RevocationListInfo, RevocationServices } from '../../api/ports-trust.ts';
import { inspectLists, type ListInspection } from '../../node/inspect-lists.ts';
import { countOf, formatMoment } from '../format.ts';
import { type Check, type CheckContext, fail, type Finding, ok, skipped, warn } from './finding.ts';

/** Lines that are shown of one list. */
const shownMax = 5;

export const lists: Check = {
  name: 'lists',
  async run({ folders: { data }, signal }) {
    return (await inspectLists(data, { signal })).flatMap(judgeList);
  },
};

function judgeList({ file, entries, bad, badCount, unreadable }: ListInspection): Finding[] {
  const name = path.basename(file);
  if (unreadable !== undefined) {
    return [fail(unreadable, `mend it, or move it away: mv ${file} ${file}.old`)];
  }
  const shown = bad
    .slice(0, shownMax)
    .map(({ line, why }) => warn(`${name} line ${line}: ${why}`, `mend line ${line} of ${file}`));
  const rest = badCount - shown.length;
  const more =
    rest > 0 ? [warn(`${name} has ${countOf(rest, 'more bad line')}`, `mend them in ${file}`)] : [];
  return [ok(`${name} has ${countOf(entries, 'entry', 'entries')}`), ...shown, ...more];
}

export const revocations: Check = {
  name: 'revocations',
  async run({ node }) {
    if (node.state !== 'running') return [skipped('only a running node can tell')];
    const followed = await followedLists(node);
    if (!followed) return [skipped('this node does not tell')];
    if (followed.length === 0) return [ok('no revoker is trusted')];
    return followed.map(judgeRevoker);
  },
};

/** Undefined with a node of another version. */
async function followedLists({
  services,
}: Extract<CheckContext['node'], { state: 'running' }>): Promise<
  readonly RevocationListInfo[] | undefined
> {
  const { revocations: list } = services as Partial<RevocationServices>;
  return list?.call(services);
}

function judgeRevoker({
  revoker,
  state,
  entries,
  issued,
  equivocated,
}: RevocationListInfo): Finding {
  const name = `revoker ${revoker.slice(0, 16)}`;
  if (equivocated) {
    return warn(
      `${name} has signed two lists that contradict each other; both are in force`,
      'ask who runs it whether the key was stolen, and take it out of trusted-revokers.txt if so',
    );
  }
  const of = issued === undefined ? '' : `, of ${formatMoment(issued)}`;
  if (state === 'fresh') return ok(`${name}: ${countOf(entries, 'entry', 'entries')}${of}`);
  const found =
    state === 'stale' ? `the list of ${name} is stale${of}` : `no list of ${name} was seen`;
  return warn(
    found,
    'ask who runs it whether the node that signs it is up; what it revoked since is not known here',
  );
}
