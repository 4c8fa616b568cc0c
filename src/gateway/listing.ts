/** The page that lists a folder without an index, in pieces: a folder may be long. */
import { createHash } from 'node:crypto';
import { formatBytes } from '../base/byte-count.ts';
import type { SiteFolder } from '../content/types.ts';
import { Html, html } from './html.ts';
import { formatPage } from './page.ts';

/** What SiteFolder gives at most. */
const entriesMax = 10_000;
const rowsPerPiece = 250;

type Entry = SiteFolder['entries'][number];

/** A listing of so many entries is sent as it is made; a shorter one is made whole. */
export const longListingEntries = 1000;

/** The page, cut anywhere between two rows. `segments`: where the folder stands. */
export function* formatListing(
  { entries }: Pick<SiteFolder, 'entries'>,
  segments: readonly string[],
): Generator<string, void, undefined> {
  const title = `/${segments.map((name) => `${name}/`).join('')}`;
  const body = html`<nav aria-label="Path">${formatCrumbs(segments)}</nav>
    <table>
      <thead>
        <tr>
          <th>Name</th>
          <th>Size</th>
        </tr>
      </thead>
      <tbody>
        ${segments.length === 0 ? [] : [formatRow('../', '..', '')]}${rowsHere}
      </tbody>
    </table>
    <p class="note">${formatCount(entries)}</p>`;
  const [before = '', after = ''] = formatPage({ title, body }).split(rowsHere.text);
  yield before;
  const collator = entries.length > longListingEntries ? byLetter : byNumber;
  const sorted = entries.toSorted((a, b) => foldersFirst(a, b) || collator.compare(a.name, b.name));
  for (let at = 0; at < sorted.length; at += rowsPerPiece) {
    const rows = sorted.slice(at, at + rowsPerPiece).map(formatEntry);
    yield rows.map(({ text }) => text).join('');
  }
  yield after;
}

/** No name can hold it: there, "<" is always escaped. */
const rowsHere = new Html('<!-- rows -->');

/** Each folder on the way links to itself; the last one is where the reader is. */
function formatCrumbs(segments: readonly string[]): Html[] {
  const root =
    segments.length === 0 ? html`<h1>/</h1>` : html`<a href="${up(segments.length)}">/</a>`;
  const others = segments.map((name, i) => {
    const levels = segments.length - 1 - i;
    return levels === 0
      ? html` <h1>${name}</h1>
          /`
      : html` <a href="${up(levels)}">${name}</a> /`;
  });
  return [root, ...others];
}

function up(levels: number): string {
  return '../'.repeat(levels);
}

function formatCount(entries: readonly Entry[]): string {
  const { length } = entries;
  if (length >= entriesMax) return `The first ${entriesMax} entries; there may be more.`;
  if (length === 0) return 'This folder is empty.';
  return length === 1 ? '1 entry' : `${length} entries`;
}

/** "./" keeps a name such as "javascript:" from being read as a scheme. */
function formatEntry(entry: Entry): Html {
  const slash = isFolder(entry) ? '/' : '';
  const href = `./${encodeURIComponent(entry.name)}${slash}`;
  return formatRow(href, `${entry.name}${slash}`, formatBytes(entry.size));
}

function formatRow(href: string, name: string, size: string): Html {
  return html`<tr>
    <td><a href="${href}">${name}</a></td>
    <td>${size}</td>
  </tr> `;
}

function foldersFirst(a: Entry, b: Entry): number {
  return Number(isFolder(b)) - Number(isFolder(a));
}

const byLetter = new Intl.Collator('en');
/** "2" before "10". Long names of digits take twenty times as long: not for long lists. */
const byNumber = new Intl.Collator('en', { numeric: true });

/** Where nobody has looked, a name without an ending is taken for a folder's. */
function isFolder({ name, type }: Entry): boolean {
  return type === undefined ? !name.includes('.') : type === 'folder';
}

/** Changes whenever the same folder would look different. */
export const listingLook: string = createHash('sha256')
  .update([...formatListing({ entries: [{ name: 'a', size: 1 }] }, ['b'])].join(''))
  .digest('hex')
  .slice(0, 8);
