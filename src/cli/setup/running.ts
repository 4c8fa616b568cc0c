/**
 * Where the services of a node are reached from this machine: of the node that uses a data folder,
 * and where none does, of the service of the system.
 */
import type { HostPort } from '../../base/address.ts';
import { requireHostPort } from '../../node/bind.ts';
import { readRunFile, type RunningServices } from '../../node/runfile.ts';
import { findInstalledService, type InstalledService } from './installed-service.ts';
import { stateFolder } from './service-unit.ts';
import type { System } from './system.ts';

export interface RunningPlace {
  readonly system: System;
  /** The data folder. */
  readonly data: string;
}

/**
 * As given, else where the service runs, else where it would. An address of all networks is reached
 * by loopback. Throws BAD_ADDRESS.
 */
export async function runningAt(
  { system, data }: RunningPlace,
  service: keyof RunningServices,
  { address, otherwise }: { readonly address: string | undefined; readonly otherwise: string },
): Promise<HostPort> {
  const known = async (): Promise<RunningServices | undefined> =>
    (await runningServices(data)) ?? (await systemServices(system));
  return reachedFrom(address ?? (await known())?.[service] ?? otherwise);
}

/** Throws BAD_ADDRESS. */
export function reachedFrom(address: string): HostPort {
  const { host, port } = requireHostPort(address);
  if (host === '0.0.0.0' || host === 'localhost') return { host: '127.0.0.1', port };
  return host === '::' ? { host: '::1', port } : { host, port };
}

/** Undefined when no node has left word. */
export async function runningServices(data: string): Promise<RunningServices | undefined> {
  const runFile = await readRunFile(data).catch(() => undefined);
  return runFile?.services;
}

/**
 * Of the service of the system: by its own word where that may be read, else by its unit. Undefined
 * where there is none.
 */
export async function systemServices(system: System): Promise<RunningServices | undefined> {
  const installed = await findInstalledService(system);
  if (!installed) return undefined;
  return (await runningServices(system.outside(stateFolder))) ?? servicesOf(installed);
}

function servicesOf({ addresses }: InstalledService): RunningServices {
  const at = (option: string): string | null => addresses.get(option) ?? null;
  return {
    gateway: at('gateway'),
    gatewayTls: at('gateway-tls'),
    dns: at('dns'),
    metrics: at('metrics'),
  };
}
