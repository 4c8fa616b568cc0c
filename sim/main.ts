/** `npm run sim -- --nodes 10000 --hours 24`: runs a long simulation and shows what came of it. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
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
  if (!process.stderr.isTTY || nowMs - shownMs < 500) return;
  shownMs = nowMs;
  const gibibytes = (process.memoryUsage.rss() / 2 ** 30).toFixed(1);
  const pace = grouped(Math.round(requests / realSeconds));
  const line = `${phase} ${percent(done)}  ${grouped(requests)} requests, ${pace}/s, ${gibibytes} GiB`;
  process.stderr.write(`\r\u001B[K${line}`);
}

async function run(settings: LongRunSettings): Promise<void> {
  const result = await longRun(settings, show);
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
  process.stdout.write(tableOf(result));
  if (settings.out === undefined) return;
  writeFileSync(settings.out, drawingOf(result));
  writeFileSync(`${settings.out.replace(/\.svg$/i, '')}.md`, markdownOf(result));
  process.stdout.write(`drawn in ${settings.out}\n`);
}

const settings = readSettings();
if (settings) await run(settings);
