/** The repository as text: which files there are, what they import, what stands in them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root: string = path.resolve(import.meta.dirname, '../..');

export interface Source {
  /** From the root of the repository, with forward slashes: "src/base/bytes.ts". */
  readonly file: string;
  readonly text: string;
  readonly isTest: boolean;
}

export function readText(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** All files below `folder` whose name ends so, sorted; none when the folder does not exist. */
export function filesIn(folder: string, ending: string): string[] {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.split(path.sep).join('/')}`)
    .filter((name) => name.endsWith(ending))
    .toSorted();
}

export function sourcesIn(folder: string): Source[] {
  return filesIn(folder, '.ts').map((file) => ({
    file,
    text: readText(file),
    isTest: file.endsWith('.test.ts'),
  }));
}

/** The text without comments, every line still in its place. Good enough for this repository's style. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** The text with empty literals, every line still in its place: no formatter breaks a sentence. */
export function withoutLiterals(text: string): string {
  return text
    .replace(/`[^`]*`/g, (literal) => literal.replace(/[^`\n]/g, ''))
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}

const importForms: readonly RegExp[] = [
  /\b(?:import|export)\s[^'";]*?\sfrom\s+'([^']+)'/g,
  /\bimport\s+'([^']+)'/g,
  /\bimport\(\s*'([^']+)'/g,
];

/** What a file imports, as written, types and lazy imports included. */
export function importsOf({ text }: Source): string[] {
  const code = withoutComments(text);
  return importForms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1] ?? ''));
}

/** The files of this repository that a file imports. */
export function localImportsOf(source: Source): string[] {
  return importsOf(source)
    .filter((target) => target.startsWith('.'))
    .map((target) => path.posix.join(path.posix.dirname(source.file), target));
}

/** The package of an import such as "@scope/name/part"; undefined for files and built-ins. */
export function packageOf(target: string): string | undefined {
  if (target.startsWith('.') || target.startsWith('node:')) return undefined;
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

/** One cycle of the graph as a path that ends where it began; undefined when there is none. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): string[] | undefined => {
    const seenAt = trail.indexOf(node);
    if (seenAt !== -1) return [...trail.slice(seenAt), node];
    if (done.has(node)) return undefined;
    trail.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    trail.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle) return cycle;
  }
  return undefined;
}
