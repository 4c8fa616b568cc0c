/**
 * Requests per second for a file of 10 KB over HTTP and HTTPS, beside one worker of nginx with the
 * same file and certificate. The servers take turns under the same load, from two processes at
 * once: one alone is slower than nginx. Of each server the best of its turns counts.
 */
import { type BenchRow, row } from './row.ts';
import { requestsPerSecond, startServer, stopServer } from './gateway.ts';
import { startNginx } from './nginx.ts';
import { pageBytes } from './gateway-page.ts';

const turns = 7;
const clients = 2;
const goal = 0.5;

interface Target {
  readonly port: number;
  readonly isTls: boolean;
}

async function load(target: Target): Promise<number> {
  const each = Array.from({ length: clients }, () => requestsPerSecond(target));
  return (await Promise.all(each)).reduce((sum, rate) => sum + rate, 0);
}

async function compare(name: string, ours: Target, theirs: Target): Promise<BenchRow> {
  const [rates, limits]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < turns; turn++) {
    rates.push(await load(ours));
    limits.push(await load(theirs));
  }
  const limit = { name: 'nginx, one worker', value: Math.max(...limits) };
  return row({ name, value: Math.max(...rates), unit: 'requests/s', limit, goal });
}

export async function benchWeb(): Promise<BenchRow[]> {
  await using nginx = await startNginx(pageBytes);
  const [plain, secure] = await Promise.all([
    startServer('gateway'),
    startServer('secure', nginx.pemFile),
  ]);
  try {
    return [
      await compare(
        'gateway over HTTP, 10 KB file',
        { port: Number(plain.line), isTls: false },
        { port: nginx.port, isTls: false },
      ),
      await compare(
        'gateway over HTTPS, 10 KB file',
        { port: Number(secure.line), isTls: true },
        { port: nginx.securePort, isTls: true },
      ),
    ];
  } finally {
    await Promise.all([plain, secure].map(stopServer));
  }
}
