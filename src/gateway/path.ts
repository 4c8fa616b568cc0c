/** The path of a request: decoded, and nothing that could mean two things. Pure. */

export interface SitePath {
  /** Decoded names, none of them empty, "." or "..", none with a slash or NUL. */
  readonly segments: readonly string[];
  /** Whether it ended in a slash, as a folder's does. */
  readonly slash: boolean;
  /** "?…" as it came, or ''. */
  readonly query: string;
}

export interface BadPath {
  readonly status: 400 | 414;
  /** Why, for people. */
  readonly why: string;
}

const pathCharsMax = 4096;

/** `target` is the part of a request's target that follows the authority: it starts with "/". */
export function parsePath(target: string): SitePath | BadPath {
  const [, text = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(target) ?? [];
  if (text.length > pathCharsMax) {
    return { status: 414, why: `a path has at most ${pathCharsMax} characters` };
  }
  if (!text.startsWith('/')) return { status: 400, why: 'a path starts with a slash' };
  const segments: string[] = [];
  for (const part of text.split('/')) {
    if (part === '') continue; // "//" is one slash
    const name = part.includes('%') ? decodePart(part) : part;
    if (name === undefined) return { status: 400, why: 'its percent-encoding is not valid UTF-8' };
    if (name === '.' || name === '..') return { status: 400, why: '"." and ".." are no names' };
    if (name.includes('/') || name.includes('\0')) {
      return { status: 400, why: 'a name holds neither slashes nor NUL characters' };
    }
    segments.push(name);
  }
  return { segments, slash: text.endsWith('/'), query };
}

export function isBadPath(path: SitePath | BadPath): path is BadPath {
  return 'status' in path;
}

function decodePart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * The path as a browser sends it. It starts with exactly one slash, whatever was asked for, so that
 * a redirect to it cannot lead to another host.
 */
export function formatPath({ segments, slash, query }: SitePath): string {
  const path = segments.map((name) => `/${encodeURIComponent(name)}`).join('');
  return `${path}${slash || path === '' ? '/' : ''}${query}`;
}
