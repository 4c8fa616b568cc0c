/** The page that lists a folder without an index. */
import type { SiteFolder } from '../content/types.ts';
import { type Html, html } from './html.ts';
import { formatPage } from './page.ts';

/** What SiteFolder gives at most. */
const entriesMax = 10_000;

export function formatListing(folder: SiteFolder, segments: readonly string[]): string {
  const title = `/${segments.map((name) => `${name}/`).join('')}`;
  const { entries } = folder;
  const up =
    segments.length === 0
      ? []
      : [
          html`<tr>
            <td><a href="../">..</a></td>
            <td></td>
          </tr> `,
        ];
  const { length } = entries;
  const note =
    length >= entriesMax
      ? `the first ${entriesMax} entries; there may be more`
      : length === 1
        ? '1 entry'
        : `${length} entries`;
  const body = html`<h1>${title}</h1>
    <table>
      ${up}${entries.map(formatRow)}
    </table>
    <p class="note">${note}</p>`;
  return formatPage({ title, body });
}

/** "./" keeps a name such as "javascript:" from being read as a scheme. */
function formatRow({ name, size }: SiteFolder['entries'][number]): Html {
  const href = `./${encodeURIComponent(name)}`;
  return html`<tr>
    <td><a href="${href}">${name}</a></td>
    <td>${formatBytes(size)}</td>
  </tr> `;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function formatBytes(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  const digits = power === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[power] ?? ''}`;
}
