/** Where the services of the node on a data folder are reached from this machine. */
import type { HostPort } from '../../base/address.ts';
import { requireHostPort } from '../../node/bind.ts';
import { readRunFile, type RunningServices } from '../../node/runfile.ts';

/**
 * As given, else where the service runs, else where it would. An address of all networks is reached
 * by loopback. Throws BAD_ADDRESS.
 */
export async function runningAt(
  data: string,
  service: keyof RunningServices,
  { address, otherwise }: { readonly address: string | undefined; readonly otherwise: string },
): Promise<HostPort> {
  const found = address ?? (await runningServices(data))?.[service] ?? otherwise;
  const { host, port } = requireHostPort(found);
  if (host === '0.0.0.0' || host === 'localhost') return { host: '127.0.0.1', port };
  return host === '::' ? { host: '::1', port } : { host, port };
}

/** Undefined when no node has left word. */
export async function runningServices(data: string): Promise<RunningServices | undefined> {
  const runFile = await readRunFile(data).catch(() => undefined);
  return runFile?.services;
}
