/** `altnet doctor`: what is wrong with this node, or would be if it were started, and what to do. */
import path from 'node:path';
import type { Command } from 'commander';
import { systemWorld } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { askBootstraps, type AskOptions, type BootstrapAnswer } from '../../node/ask-bootstraps.ts';
import { readRunFile } from '../../node/runfile.ts';
import { mergeAddresses, parseBootstrapAddress, readBootstrapFile } from '../../node/bootstrap.ts';
import type { CommandContext, CommandDefinition, CommandInput } from '../command.ts';
import { type CheckedFinding, checks, examine } from '../doctor/doctor.ts';
import type { CheckContext, ServicePort } from '../doctor/finding.ts';
import { findNode } from '../doctor/node-state.ts';
import { sanitize } from '../format.ts';
import { dnsDefault, parseEnding } from '../reach-options.ts';
import { findInstalledService } from '../setup/installed-service.ts';
import { LocalSystem } from '../setup/local-system.ts';
import { defaults, storeBudgetBytesDefault } from '../start-options.ts';
import {
  type OptionValues,
  parseAddressOption,
  parseBootstrapOption,
  parseByteCount,
  parseChoice,
  parsePath,
  textOption,
} from '../values.ts';
import { readVersion } from '../version.ts';

export const definition: CommandDefinition = { needs: 'any', describe, run };

interface Service {
  /** The option: "gateway-tls". */
  readonly name: string;
  readonly key: string;
  /** Where a start has it that says nothing; undefined: nowhere. */
  readonly otherwise: string | undefined;
  readonly protocols: ServicePort['protocols'];
}

const services: readonly Service[] = [
  { name: 'listen', key: 'listen', otherwise: defaults.listen, protocols: ['udp', 'tcp'] },
  { name: 'gateway', key: 'gateway', otherwise: defaults.gateway, protocols: ['tcp'] },
  { name: 'gateway-tls', key: 'gatewayTls', otherwise: undefined, protocols: ['tcp'] },
  { name: 'dns', key: 'dns', otherwise: dnsDefault, protocols: ['udp', 'tcp'] },
  { name: 'registrar', key: 'registrar', otherwise: defaults.registrar, protocols: ['tcp'] },
  { name: 'metrics', key: 'metrics', otherwise: defaults.metrics, protocols: ['tcp'] },
];
/** Less than a check has, so that the others' answers are told. */
const askTimeoutMs = 5000;

function describe(command: Command): void {
  for (const { name, otherwise = 'off' } of services) {
    command.option(`--${name} <addr>`, `as for start (${otherwise})`);
  }
  command
    .option('--tld <label>', "as for start (the node's, else alt)")
    .option('--ca-dir <dir>', "as for start (the node's, else <data>/ca)")
    .option('--store-budget <bytes>', 'as for start (1GiB)')
    .addHelpText(
      'after',
      '\nAn empty ADDR leaves a service out. Needs neither a running node nor root, takes at most ten\nseconds, and leaves nothing behind. Fails when one of its checks does; a warning is none.',
    );
}

const nowMs = (): number => systemWorld.clock.unixMs();

async function run(context: CommandContext, { options }: CommandInput): Promise<void> {
  const { terminal, folders, signal } = context;
  const examined = parseExamined(options, context.cwd);
  terminal.status('looking ...');
  const node = await findNode(context);
  const ports = await placedPorts(examined.ports, { node, data: folders.data });
  const budgetBytes = node.state === 'running' ? node.stats.budget : examined.budgetBytes;
  let asking: Promise<readonly BootstrapAnswer[]> | undefined;
  const bootstraps: CheckContext['bootstraps'] = () =>
    (asking ??= ask(folders.data, { ...examined, signal }));
  const version = await readVersion();
  const findings = await examine(
    { ...examined, ports, version, folders, node, budgetBytes, bootstraps, nowMs },
    { signal },
  );
  terminal.list(findings, findings.flatMap(linesOf));
  const failed = findings.filter(({ status }) => status === 'fail').length;
  if (failed > 0) throw new AltNetError('CHECKS_FAILED', { failed });
}

interface Examined {
  readonly ports: readonly ServicePort[];
  readonly budgetBytes: number;
  readonly zone: CheckContext['zone'];
  readonly given: readonly string[];
  /** The profiles to ask in, the likeliest first. */
  readonly networks: AskOptions['networks'];
}

/** Throws USAGE. */
function parseExamined(options: OptionValues, cwd: string): Examined {
  const caDir = textOption(options, 'caDir');
  const budget = textOption(options, 'storeBudget');
  const network = textOption(options, 'network');
  return {
    ports: services.flatMap(
      (service) => servicePort(service, textOption(options, service.key)) ?? [],
    ),
    budgetBytes:
      budget === undefined ? storeBudgetBytesDefault : parseByteCount('--store-budget', budget),
    zone: {
      tld: parseEnding(textOption(options, 'tld')),
      caDir: caDir === undefined ? undefined : parsePath('--ca-dir', caDir, cwd),
    },
    given: parseBootstrapOption('--bootstrap', textOption(options, 'bootstrap') ?? ''),
    networks:
      network === undefined
        ? ['main', 'local']
        : [parseChoice('--network', network, ['main', 'local'])],
  };
}

/** Undefined for a service that is switched off, as start has it: with an empty value. */
function servicePort(
  { name, otherwise, protocols }: Service,
  text: string | undefined,
): ServicePort | undefined {
  const given = text ?? otherwise;
  if (given === undefined || given === '') return undefined;
  const address = parseAddressOption(`--${name}`, given);
  return { service: name, address, protocols, explicit: text !== undefined };
}

/**
 * Where nothing else was said, what a running node says of itself counts, and the unit of a service
 * of the system for what a user sees of that.
 */
async function placedPorts(
  ports: readonly ServicePort[],
  { node, data }: { readonly node: CheckContext['node']; readonly data: string },
): Promise<readonly ServicePort[]> {
  if (node.state === 'running') {
    const running = await runningAddresses(data, node.stats.listen);
    return ports.flatMap((port) => placedBy(port, running));
  }
  const installed = await findInstalledService(new LocalSystem());
  return ports.map((port) => {
    const isOfService = installed?.addresses.get(port.service) === port.address;
    return isOfService ? { ...port, ofService: true } : port;
  });
}

/** By option, where the node is that uses this folder; null: not at all. */
async function runningAddresses(
  data: string,
  listen: string,
): Promise<ReadonlyMap<string, string | null>> {
  const runFile = await readRunFile(data).catch(() => undefined);
  if (!runFile) return new Map();
  const registrar = runFile.api?.replace(/^http:\/\//, '') ?? null;
  return new Map(Object.entries({ ...runFile.services, listen, registrar }));
}

/** None for a service that the node runs without. */
function placedBy(
  port: ServicePort,
  running: ReadonlyMap<string, string | null>,
): readonly ServicePort[] {
  const key = services.find(({ name }) => name === port.service)?.key ?? '';
  const address = port.explicit ? undefined : running.get(key);
  if (address === undefined) return [port];
  return address === null ? [] : [{ ...port, address }];
}

async function ask(
  data: string,
  { given, networks, signal }: Examined & { signal: AbortSignal },
): Promise<readonly BootstrapAnswer[]> {
  const file = await readBootstrapFile(path.join(data, 'bootstrap.txt'));
  const addresses = mergeAddresses(given.map(parseBootstrapAddress), file);
  return askBootstraps(addresses, {
    networks,
    world: systemWorld,
    timeoutMs: askTimeoutMs,
    signal,
  });
}

/** "warn     ports         …", then what to do. */
function linesOf(finding: CheckedFinding): string[] {
  const { check, status, found } = finding;
  const line = `${status.padEnd(statusWidth)}  ${check.padEnd(checkWidth)}  ${sanitize(found)}`;
  if (!('advice' in finding)) return [line];
  return [line, `${' '.repeat(statusWidth + 2)}-> ${sanitize(finding.advice)}`];
}

const statusWidth = 'skipped'.length;
const checkWidth: number = Math.max(...checks.map(({ name }) => name.length));
