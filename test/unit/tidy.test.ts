/**
 * The repository checks itself for the promises that a reviewer would forget to look at. Each test
 * names every place that breaks its rule.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { layers } from '../../oxlint.config.ts';
import { statusOfCode } from '../../src/api/status.ts';
import { commandEntries } from '../../src/cli/commands.ts';
import { errorCodes } from '../../src/base/errors.ts';
import {
  filesIn,
  findCycle,
  importsOf,
  localImportsOf,
  packageOf,
  readText,
  root,
  type Source,
  sourcesIn,
  withoutComments,
  withoutLiterals,
} from '../support/sources.ts';

const sources: Source[] = sourcesIn('src');
const production: Source[] = sources.filter(({ isTest }) => !isTest);

/** "file:line" for every line that `breaks` the rule. */
function places(list: readonly Source[], breaks: (line: string, at: number) => boolean): string[] {
  return list.flatMap(({ file, text }) =>
    text
      .split('\n')
      .flatMap((line, at) => (breaks(line, at) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  );
}

const names = (list: readonly Source[]): string[] => list.map(({ file }) => file);

describe('layout', () => {
  test('every folder of src/ has an import rule, and every rule a folder', () => {
    const folders = readdirSync(path.join(root, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    assert.deepEqual(folders.toSorted(), Object.keys(layers).toSorted());
  });

  test('no import cycle, types included', () => {
    const graph = new Map(production.map((source) => [source.file, localImportsOf(source)]));
    assert.equal(findCycle(graph)?.join(' -> '), undefined);
  });

  test('the search for cycles finds one', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['d', ['b']],
    ]);
    assert.deepEqual(findCycle(graph), ['b', 'd', 'b']);
  });

  test('production imports neither the simulator, nor tests, nor benches', () => {
    const wrong = production.flatMap((source) =>
      localImportsOf(source)
        .filter((target) => !target.startsWith('src/') || target.endsWith('.test.ts'))
        .map((target) => `${source.file} imports ${target}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('no index.ts in src/: the defining file is imported', () => {
    const barrels = sources.filter(({ file }) => path.posix.basename(file) === 'index.ts');
    assert.deepEqual(barrels, []);
  });

  test('no file is longer than 400 lines, no line wider than 100 columns', () => {
    const checked = sources.filter(({ file }) => !file.includes('/generated/'));
    const long = checked.filter(({ text }) => text.split('\n').length > 401);
    assert.deepEqual(names(long), []);
    const plain = production.map(({ file, text, isTest }) => {
      return { file, text: withoutLiterals(text), isTest };
    });
    const wide = places(plain, (line) => line.length > 100);
    assert.deepEqual(wide, []);
  });

  test('every production file opens with a comment', () => {
    const bare = production.filter(({ text }) => !/^(#!.*\n)?(\/\*|\/\/)/.test(text));
    assert.deepEqual(names(bare), []);
  });
});

describe('bans', () => {
  // There time, timers and randomness are arguments, so that the simulator can be the clock.
  const pure = ['record', 'wire', 'noise', 'dht', 'rpc'];
  const banned =
    /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|AbortSignal\.timeout|performance\.now)\b/;

  test(`no clock, timer or chance of the system in ${pure.join(', ')}`, () => {
    const list = production
      .filter(({ file }) => pure.some((folder) => file.startsWith(`src/${folder}/`)))
      .map(({ file, text, isTest }) => ({ file, text: withoutComments(text), isTest }));
    const found = places(list, (line) => banned.test(line));
    assert.deepEqual(found, []);
  });

  test('every map and set that can grow says what bounds it', () => {
    const grows =
      /^(\s+(static |readonly |private )*#?\w+(: [^=]+)? = new (Map|Set)\b|(export )?(const|let) \w+(: [^=]+)? = new (Map|Set)(<.*>)?\(\))/;
    const unbounded = production.flatMap((source) => {
      const lines = source.text.split('\n');
      const explained = (at: number): boolean =>
        lines.slice(Math.max(0, at - 4), at + 1).some((line) => line.includes('BOUNDED'));
      return places(
        [source],
        (line, at) => grows.test(line) && !line.endsWith(',') && !explained(at),
      );
    });
    assert.deepEqual(unbounded, []);
  });
});

describe('packages', () => {
  const manifest = JSON.parse(readText('package.json')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };

  test('src/ imports only declared dependencies, and every one of them', () => {
    const used = new Set(production.flatMap(importsOf).flatMap((name) => packageOf(name) ?? []));
    assert.deepEqual([...used].toSorted(), Object.keys(manifest.dependencies).toSorted());
  });

  test('docs/ARCHITECTURE.md gives a reason for every package', () => {
    const text = readText('docs/ARCHITECTURE.md');
    const all = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    const unexplained = all.filter((name) => !text.includes(`\`${name}\``));
    assert.deepEqual(unexplained, []);
  });

  test('package-lock.json names no registry: each user’s own is asked', () => {
    assert.doesNotMatch(readText('package-lock.json'), /"resolved": "https?:/);
  });
});

describe('documents', () => {
  test('docs/ERRORS.md lists the codes of the registry in its order, with the statuses of the API', () => {
    const listed = [...readText('docs/ERRORS.md').matchAll(/^\| `([A-Z_]+)`\s*\| (\d+) /gm)];
    assert.deepEqual(
      listed.map((match) => [match[1], Number(match[2])]),
      errorCodes.map((code) => [code, statusOfCode[code]]),
    );
  });

  test('README.md names every command', () => {
    const text = readText('README.md');
    const first = commandEntries.map(({ words }) => words.split(' ')[0] ?? '');
    const unnamed = first.filter((word) => !new RegExp(`\\b${word}\\b`).test(text));
    assert.deepEqual(unnamed, []);
  });

  test('every specification is linked from docs/spec/README.md', () => {
    const index = readText('docs/spec/README.md');
    const pages = filesIn('docs/spec', '.md').map((file) => path.posix.basename(file));
    const lost = pages.filter((page) => page !== 'README.md' && !index.includes(`](${page})`));
    assert.deepEqual(lost, []);
  });

  test('every bench is run by bench/run.ts', () => {
    const runner = readText('bench/run.ts');
    const benches = sourcesIn('bench').filter(({ text }) => /^export .*\bbench[A-Z]/m.test(text));
    const lost = benches.filter(({ file }) => !runner.includes(`'./${path.basename(file)}'`));
    assert.deepEqual(names(lost), []);
  });

  test('the README.md beside every vector file gives its source and licence', () => {
    const vectors = filesIn('test/vectors', '').filter((file) => /\.(?!md$)\w+$/.test(file));
    const lost = vectors.filter((file) => {
      const readme = `${path.posix.dirname(file)}/README.md`;
      return (
        !existsSync(path.join(root, readme)) || !readText(readme).includes(path.basename(file))
      );
    });
    assert.deepEqual(lost, []);
  });

  test('relative links in documents lead to files', () => {
    const top = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
    const broken = [...top, ...filesIn('docs', '.md')].flatMap((file) =>
      [...readText(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(path.join(root, path.dirname(file), target)))
        .map((target) => `${file}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });
});
