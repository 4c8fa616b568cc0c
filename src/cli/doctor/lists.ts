/** Whether the lists of whom to trust and what to deny say what their writer meant. */
import path from 'node:path';
import { inspectLists, type ListInspection } from '../../node/inspect-lists.ts';
import { countOf } from '../format.ts';
import { type Check, fail, type Finding, ok, warn } from './finding.ts';

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
