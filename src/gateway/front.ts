/** The gateway under its own name: the front page, and the ways from there to sites. Pure. */
import { doorProblems } from './door-problems.ts';
import type { Ending } from './host.ts';
import { labelOf, tryParseRoot } from './host.ts';
import { html } from './html.ts';
import { formatPage } from './page.ts';
import { formatPath, isBadPath, parsePath, type SitePath } from './path.ts';
import { type Problem, problems } from './problem.ts';

export type FrontAnswer =
  | { readonly kind: 'page'; readonly text: string }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** How sites are reached from here. */
export interface Ways {
  readonly scheme: 'http' | 'https';
  readonly ending: Ending;
  /** ":8080" or ''. */
  readonly port: string;
  /** The ending of names. */
  readonly tld: string;
}

/** `/`, `/open?name=…`, `/n/NAME/path` and `/ipfs/ROOT/path`. */
export function answerFront(path: SitePath, ways: Ways): FrontAnswer {
  const [first, second, ...rest] = path.segments;
  if (first === undefined) return { kind: 'page', text: formatFront(ways) };
  if (first === 'open') return openTyped(path.query, ways);
  if (second !== undefined) {
    const sitePath = { ...path, segments: rest };
    if (first === 'n') return toSite(labelOf(second, ways.tld), second, sitePath, ways);
    if (first === 'ipfs') return toSite(tryParseRoot(second)?.toString(), second, sitePath, ways);
  }
  return { kind: 'problem', problem: doorProblems.noOwnPage(formatPath(path), ways.tld) };
}

/** What somebody typed or pasted: a name, a root or an address, with or without a path. */
function openTyped(query: string, ways: Ways): FrontAnswer {
  const typed = new URLSearchParams(query).get('name')?.trim() ?? '';
  if (typed === '') return { kind: 'redirect', location: '/' };
  const [, site = '', rest = ''] = /^(?:[a-z]+:\/\/)?([^/?#]*)(.*)$/is.exec(typed) ?? [];
  const path = parsePath(encodeTyped(rest.startsWith('/') ? rest : `/${rest}`));
  if (isBadPath(path)) return { kind: 'problem', problem: problems.badRequest(path.why) };
  return toSite(labelOf(site, ways.tld), site, path, ways);
}

/** As browsers do it: only visible ASCII may stand in a header. */
function encodeTyped(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]+/g, encodeURIComponent);
}

function toSite(label: string | undefined, asked: string, path: SitePath, ways: Ways): FrontAnswer {
  if (label === undefined) {
    const why = `"${asked}" is neither a name nor a root`;
    return { kind: 'problem', problem: problems.badRequest(why) };
  }
  return { kind: 'redirect', location: `${originOf(label, ways)}${formatPath(path)}` };
}

/** Of the site behind a label: "http://alice.localhost:8080". */
function originOf(label: string, { scheme, ending, port }: Omit<Ways, 'tld'>): string {
  return `${scheme}://${label}.${ending}${port}`;
}

function formatFront(ways: Ways): string {
  const title = 'AltNet gateway';
  const body = html`<h1>${title}</h1>
    <p>
      This node opens sites on AltNet, a web without servers: authors sign them, and whoever has a
      copy passes it on. Type the name of a site, or its root.
    </p>
    <form action="/open">
      <input
        name="name"
        aria-label="Name or root"
        placeholder="alice.${ways.tld}"
        required
        autofocus
        spellcheck="false"
        autocapitalize="off"
      />
      <button>Open</button>
    </form>
    <p class="note">
      Each site has an address of its own: alice.${ways.tld} is
      <code>${originOf('alice', ways)}/</code>, and a root stands in the same place.
    </p>
    <p class="note">
      To open names as they are in this browser, give it these proxy settings:
      <code>/proxy.pac</code> at the address of this page, by http. They send names under
      .${ways.tld} here, and nothing else.
    </p>`;
  return formatPage({ title, body });
}
