/** What register and update say. */
import type { NameResult } from '../api/ports.ts';
import { countOf, formatFields, formatMoment, sanitize } from './format.ts';

export function nameLines(done: string, result: NameResult): string[] {
  const { name, root, cid, version, expires, stored } = result;
  return [
    `${done} ${sanitize(name)}, stored on ${countOf(stored, 'node')}`,
    ...formatFields([
      ['root', root],
      ['cid', cid],
      ['version', version],
      ['expires', formatMoment(expires)],
    ]),
  ];
}
