/**
 * What many small files cost: 10,000 of 5 KB are published, published again after one of them
 * changed, and fetched by a node that has nothing. The limits are plain files: the same bytes read,
 * hashed and appended to one file; the same blocks put into the store; the same files written.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { askOnce, Worker } from './content.ts';
import { type BenchRow, row } from './row.ts';
import { inFolder, settleDisk, Turns, turnsWanted } from './turns.ts';

const folders = 100;
const filesEach = 100;
const files: number = folders * filesEach;
const fileBytes = 5000;
const publishGoal = 2000;
const fetchGoal = 3000;
const againGoal = 0.1;
const peakGoalMegabytes = 250;
/** A file that changed just now may change again within the same tick of the file system's clock. */
const ripenMs = 3000;
const storeBatchBytes = 2 * 1024 * 1024;

export function benchFiles(): Promise<BenchRow[]> {
  return inFolder(async (folder) => {
    const turns = new Turns();
    const site = path.join(folder, 'site');
    await writeSite(site);
    for (let turn = 0; turn < turnsWanted; turn++) {
      // Nothing is removed before the end: for minutes ext4 looks at each file that was removed
      // whenever it makes one, and takes ten times as long.
      const at = (name: string): string => path.join(folder, `${name}-${turn}`);
      await settleDisk();
      turns.note('copy', await askOnce({ role: 'copy', path: site, dest: at('copied') }));
      await publishTwice({ site, at, turns });
      await fetchTwice({ site, at, turns });
    }
    return rowsOf(turns);
  });
}

/** Every file another one, as in a real site, in folders that are listed in one block each. */
async function writeSite(site: string): Promise<void> {
  for (let i = 0; i < folders; i++) {
    const folder = path.join(site, `folder-${i}`);
    await mkdir(folder, { recursive: true });
    for (let j = 0; j < filesEach; j++) await writeFile(fileIn(folder, j), randomBytes(fileBytes));
  }
}

const fileIn = (folder: string, j: number): string => path.join(folder, `page-${j}.html`);

interface Bench {
  readonly site: string;
  /** Places of this turn alone. */
  readonly at: (name: string) => string;
  readonly turns: Turns;
}

/** The first time; after a change, by the same process and by one that was started anew. */
async function publishTwice({ site, at, turns }: Bench): Promise<void> {
  const task = { role: 'publish', data: at('provider'), path: site } as const;
  const change = async (): Promise<void> => {
    await writeFile(fileIn(path.join(task.path, 'folder-7'), 7), randomBytes(fileBytes));
    await settleDisk();
    await delay(ripenMs);
  };
  await change();
  {
    await using node = new Worker();
    turns.note('publish', await node.ask(task));
    await change();
    turns.note('again', await node.ask(task));
    await node.ask({ role: 'end' });
  }
  await change();
  await using node = new Worker();
  turns.note('again after a restart', await node.ask(task));
  await node.ask({ role: 'end' });
}

async function fetchTwice({ site, at, turns }: Bench): Promise<void> {
  await using server = new Worker();
  const published = { role: 'publish', data: at('provider'), path: site } as const;
  const { root, record } = await server.ask(published);
  if (root === undefined || !record) throw new Error('nothing was announced');
  await settleDisk();
  const write = { blocks: files, blockBytes: fileBytes, batchBytes: storeBatchBytes };
  turns.note('store', await askOnce({ role: 'store', folder: at('written'), ...write }));
  const shape = { folders, filesEach, fileBytes };
  await settleDisk();
  turns.note('write files', await askOnce({ role: 'write-files', dest: at('files'), ...shape }));
  const what = { role: 'fetch', root, records: [record] } as const;
  await settleDisk();
  turns.note('fetch', await askOnce({ ...what, data: at('reader') }));
  await settleDisk();
  const into = { data: at('exporter'), dest: at('exported') };
  turns.note('fetch and export', await askOnce({ ...what, ...into }));
  turns.note('serve', await server.ask({ role: 'peak' }));
}

function rowsOf(turns: Turns): BenchRow[] {
  const rate = (name: string): number => files / turns.seconds(name);
  const limitOf = (name: string, ...of: readonly string[]): BenchRow['limit'] => {
    return { name, value: files / of.reduce((sum, one) => sum + turns.seconds(one), 0) };
  };
  const common = { unit: 'files/s', goalIsValue: true } as const;
  const copied = limitOf('read, hashed, appended to one file', 'copy');
  const stored = limitOf('the same blocks into the store', 'store');
  const exported = limitOf('into the store, then plain files', 'store', 'write files');
  const name = '10,000 files of 5 KB';
  const first = turns.seconds('publish');
  const again = ['again', 'again after a restart'].map((one) =>
    row({
      name: `publish ${name} ${one}, one changed`,
      value: turns.seconds(one),
      unit: 's',
      limit: { name: 'publishing them first', value: first },
      goal: againGoal * first,
      lowerIsBetter: true,
    }),
  );
  const fetched = [
    { name: `fetch ${name}`, value: rate('fetch'), limit: stored },
    { name: `fetch ${name} into a folder`, value: rate('fetch and export'), limit: exported },
  ].map((one) => row({ ...one, ...common, goal: fetchGoal }));
  return [
    row({
      name: `publish ${name}`,
      value: rate('publish'),
      limit: copied,
      ...common,
      goal: publishGoal,
    }),
    ...again,
    ...fetched,
    ...['publish', 'serve', 'fetch', 'fetch and export'].flatMap((of) => {
      const [value, floor] = [turns.peak(of), turns.peak('copy')];
      if (value === undefined || floor === undefined) return [];
      const limit = { name: 'copying plain files', value: floor };
      const rest = { unit: 'MB', goal: peakGoalMegabytes, lowerIsBetter: true };
      return row({ name: `${of} ${name}, peak`, value, limit, ...rest });
    }),
  ];
}
