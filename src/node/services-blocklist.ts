/** The blocklist as users see it. */
import type { BlocklistServices } from '../api/ports-trust.ts';
import type { Parts } from './parts.ts';

export function blocklistServices({
  trust: { blocklist },
  purge,
}: Pick<Parts, 'trust' | 'purge'>): BlocklistServices {
  return {
    async block({ what, note }) {
      const change = await blocklist.block(what, note);
      return { ...change, chunk_count: await purge.run() };
    },

    async unblock({ what }) {
      return { ...(await blocklist.unblock(what)), chunk_count: 0 };
    },

    async blocklist() {
      const content = await blocklist.content();
      const { file, entries, count, bad, badCount, foreignCount } = content;
      return {
        file,
        entries: [...entries],
        count,
        bad: bad.map((line) => ({ ...line })),
        bad_count: badCount,
        foreign_count: foreignCount,
      };
    },
  };
}
