/** Where the program writes to its log, and what, as its text shows. */
import type { Source } from './sources.ts';
import { withoutComments } from './sources.ts';

export interface LogCall {
  /** "src/node/purge.ts:74" */
  readonly place: string;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** Undefined: not a constant. */
  readonly message: string | undefined;
  /** Names of the fields; undefined where they are not written out. */
  readonly fields: readonly string[] | undefined;
  /** What stands behind the message, as it is written, and the constants that it is made of. */
  readonly made: string;
}

/** `log.warn(`, `this.#log.warn(`, `deps.log\n.warn(`, `logger.warn(`, `log[…](`. */
const call = /\blog(?:ger)?\s*(?:\.(error|warn|info|debug)|\[[^\]]*\])\s*\(\s*/g;

export function logCallsIn({ file, text }: Source): LogCall[] {
  const code = withoutComments(text);
  return [...code.matchAll(call)].map((found): LogCall => {
    const from = found.index + found[0].length;
    const words = code.slice(from, endOfCall(code, from));
    const [literal, message] = /^'((?:[^'\\\n]|\\.)*)'/.exec(words) ?? [];
    const rest = words
      .slice(literal?.length ?? 0)
      .replace(/^\s*,\s*/, '')
      .trim();
    return {
      place: `${file}:${code.slice(0, found.index).split('\n').length}`,
      level: (found[1] ?? 'error') as LogCall['level'],
      message: message?.replace(/\\(.)/g, '$1'),
      fields: fieldsOf(rest),
      made: [rest, ...constantsIn(rest, code.slice(0, found.index))].join('; '),
    };
  });
}

/** Where the bracket closes that was open at `from`. */
function endOfCall(code: string, from: number): number {
  let depth = 1;
  for (let at = from; at < code.length; at++) {
    const char = code.charAt(at);
    if (char === "'" || char === '`') at = endOfLiteral(code, at);
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char) && --depth === 0) return at;
  }
  return code.length;
}

function endOfLiteral(code: string, from: number): number {
  for (let at = from + 1; at < code.length; at++) {
    if (code.charAt(at) === '\\') at++;
    else if (code.charAt(at) === code.charAt(from)) return at;
  }
  return code.length;
}

/** `{ a, b: x(y), c: 1 }` as a, b, c. */
function fieldsOf(rest: string): string[] | undefined {
  if (rest === '') return [];
  const inner = /^\{([\s\S]*)\},?$/.exec(rest)?.[1];
  if (inner === undefined || inner.includes('...')) return undefined;
  const flat = withoutNested(inner);
  return flat
    .split(',')
    .map((part) => part.split(':')[0]?.trim() ?? '')
    .filter((name) => name !== '');
}

function withoutNested(text: string): string {
  let depth = 0;
  let flat = '';
  for (const char of text) {
    if ('([{'.includes(char)) depth++;
    if (depth === 0) flat += char;
    if (')]}'.includes(char)) depth--;
  }
  return flat;
}

/** A function and what stands around it. */
const nearbyChars = 1000;

/** Of each plain name in `words`, the nearest declaration before, if it is near. */
function constantsIn(words: string, before: string): string[] {
  return [...words.matchAll(/(?<![.\w'])[a-z]\w*(?!\w*[(:'])/g)].flatMap(([name]) => {
    const at = before.lastIndexOf(`const ${name} = `);
    return at === -1 || before.length - at > nearbyChars
      ? []
      : [before.slice(at, before.indexOf(';', at))];
  });
}
