/**
 * A node asked through the program `altnet`, one process for each question: for nodes in a network
 * namespace of their own, whose API nobody else reaches.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { FoundLinkLine, LinkEndLine } from '../../src/api/ports-links.ts';
import type { NodeServices } from '../../src/api/ports.ts';
import { checkout, commandLine } from './program.ts';

/** What the scenarios ask of a node. */
export type Asked = Pick<
  NodeServices,
  'stats' | 'dht' | 'publish' | 'fetch' | 'resolve' | 'putLink' | 'getLinks'
>;

const answerMs = 60_000;
const run = promisify(execFile);

export function servicesByCommand(host: string, data: string): Asked {
  const lines = async (...words: string[]): Promise<unknown[]> => {
    const [file = '', ...rest] = commandLine(host, [...words, '--json', '--data', data]);
    const { stdout } = await run(file, rest, { cwd: checkout, timeout: answerMs });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line));
  };
  const one = async <T>(...words: string[]): Promise<T> => (await lines(...words))[0] as T;
  return {
    stats: () => one('stats'),
    dht: () => one('dht'),
    publish: ({ path, name }) =>
      one('publish', path, ...(name === undefined ? [] : ['--name', name])),
    fetch: ({ what, dest }) => one('fetch', what, dest),
    resolve: (name) => one('resolve', name, '--fresh'),
    putLink: ({ url, target }) => one('link', 'put', url, target),
    async *getLinks(url) {
      yield* (await lines('link', 'get', url)) as (FoundLinkLine | LinkEndLine)[];
    },
  };
}
