/**
 * nginx with one worker, a temporary folder and a file of 10 KB, over HTTP and HTTPS; and the key
 * and certificate that it uses. It is ended by its process id. Throws NotRun where it is missing.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { NotRun } from './row.ts';

export interface Nginx extends AsyncDisposable {
  readonly port: number;
  readonly securePort: number;
  /** Key and certificate, for others to use the same. */
  readonly pemFile: string;
}

const run = promisify(execFile);

export async function startNginx(body: Uint8Array): Promise<Nginx> {
  await requireProgram('nginx', ['-v']);
  await requireProgram('openssl', ['version']);
  const folder = await mkdtemp(path.join(tmpdir(), 'altnet-nginx-'));
  const pemFile = await makeCertificate(folder);
  const [port, securePort] = [await freePort(), await freePort()];
  await writeFile(path.join(folder, 'index.html'), body);
  const config = path.join(folder, 'nginx.conf');
  await writeFile(config, configOf({ folder, pemFile, port, securePort }));
  await chmod(folder, 0o755); // nginx started by root reads as somebody else
  const child = spawn('nginx', ['-p', folder, '-c', config, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  await Promise.race([untilOpen(securePort), exited]);
  if (child.exitCode !== null) throw new NotRun('nginx did not start');
  return {
    port,
    securePort,
    pemFile,
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function requireProgram(name: string, args: readonly string[]): Promise<void> {
  try {
    await run(name, args);
  } catch {
    throw new NotRun(`it needs ${name}`);
  }
}

/** The kind of key that a gateway has. */
async function makeCertificate(folder: string): Promise<string> {
  const pemFile = path.join(folder, 'bench.pem');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const what = ['-subj', '/CN=bench.localhost', '-days', '2', '-keyout', pemFile, '-out', pemFile];
  await run('openssl', ['req', '-x509', ...key, ...what]);
  return pemFile;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await delay(20);
  }
}

/** As its manual advises for small files: the file stays open, nothing is written to a log. */
function configOf(at: {
  readonly folder: string;
  readonly pemFile: string;
  readonly port: number;
  readonly securePort: number;
}): string {
  return `
daemon off;
worker_processes 1;
pid ${at.folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=100 inactive=60s;
  open_file_cache_valid 60s;
  types { text/html html; }
  charset utf-8;
  client_body_temp_path ${at.folder}/body;
  proxy_temp_path ${at.folder}/proxy;
  fastcgi_temp_path ${at.folder}/fastcgi;
  uwsgi_temp_path ${at.folder}/uwsgi;
  scgi_temp_path ${at.folder}/scgi;
  server {
    listen 127.0.0.1:${at.port};
    listen 127.0.0.1:${at.securePort} ssl;
    ssl_certificate ${at.pemFile};
    ssl_certificate_key ${at.pemFile};
    ssl_protocols TLSv1.3;
    root ${at.folder};
  }
}
`;
}
