/** `npm run sim -- --nodes 10000 --hours 24`: runs a long simulation and shows what came of it. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { getHeapStatistics } from 'node:v8';
import { longRun, type Progress } from './long-run.ts';
import { drawingOf } from './plot.ts';
import { grouped, markdownOf, percent, tableOf } from './report.ts';
import { type LongRunSettings, parseSettings, usage } from './settings.ts';

// A lookup that meets a dead node makes an error, which nobody prints here.
Error.stackTraceLimit = 0;

function readSettings(): LongRunSettings | undefined {
  try {
    const settings = parseSettings(process.argv.slice(2));
    if (settings !== 'help') return settings;
    process.stdout.write(usage);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exitCode = 2;
  }
  return undefined;
}

let shownMs = 0;

function show({ phase, done, requests, realSeconds }: Progress): void {
  const nowMs = performance.now();
  const { isTTY } = process.stderr;
  if (nowMs - shownMs < (isTTY ? 500 : 60_000)) return;
  shownMs = nowMs;
  const gibibytes = (process.memoryUsage.rss() / 2 ** 30).toFixed(1);
  const pace = grouped(Math.round(requests / realSeconds));
  const line = `${phase} ${percent(done)}  ${grouped(requests)} requests, ${pace}/s, ${gibibytes} GiB`;
  process.stderr.write(isTTY ? `\r\u001B[K${line}` : `${line}\n`);
}

async function run(settings: LongRunSettings): Promise<void> {
  const result = await longRun(settings, show);
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
  process.stdout.write(tableOf(result));
  if (settings.out !== undefined) {
    writeFileSync(settings.out, drawingOf(result));
    writeFileSync(`${settings.out.replace(/\.svg$/i, '')}.md`, markdownOf(result));
    process.stdout.write(`drawn in ${settings.out}\n`);
  }
  if (settings.doc !== undefined) refresh(settings.doc, settings.nodes, markdownOf(result));
}

/** Puts the table of this many nodes into its place of a document. */
function refresh(file: string, nodes: number, table: string): void {
  const [begin, end] = [`<!-- begin ${nodes} nodes -->`, `<!-- end ${nodes} nodes -->`];
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) {
    process.stderr.write(`${file} has no place for ${nodes} nodes: ${begin} … ${end}\n`);
    process.exitCode = 1;
    return;
  }
  const before = text.slice(0, from + begin.length);
  writeFileSync(file, `${before}\n\n${table}\n${text.slice(to)}`);
}

/** What a large network needs may be above what Node.js allows by itself. */
const heapBytes = (nodes: number): number => 2 ** 30 + nodes * 2 ** 20;

/** The same again with room for so much. */
function runWithHeap(bytes: number): void {
  const heap = `--max-old-space-size=${Math.ceil(bytes / 2 ** 20)}`;
  const child = spawn(process.execPath, [heap, ...process.argv.slice(1)], { stdio: 'inherit' });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

const settings = readSettings();
if (settings) {
  const bytes = heapBytes(settings.nodes);
  if (getHeapStatistics().heap_size_limit >= bytes) await run(settings);
  else runWithHeap(bytes);
}
