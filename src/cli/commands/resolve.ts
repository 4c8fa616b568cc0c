/** `altnet resolve`: what a name points to, who holds it, and whether that is certain. */
import type { ResolveResult } from '../../api/ports-names.ts';
import { AltNetError } from '../../base/errors.ts';
import { requireName } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import {
  countOf,
  formatFields,
  formatMoment,
  formatSeconds,
  newNameLine,
  sanitize,
} from '../format.ts';
import { flagOption } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'any',
  describe(command) {
    command
      .argument('<name>', 'with or without .alt, a name below one, or a key name')
      .option('--fresh', 'ask the network, whatever the node remembers from a moment ago')
      .addHelpText('after', '\nFails for a name that is contested, expired, revoked or not found.');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const name = operand(input, 0);
  requireName(name);
  const services = await context.services();
  terminal.status('resolving ...');
  const fresh = flagOption(input.options, 'fresh');
  const result = await services.resolve(name, { signal, fresh });
  terminal.result(result, resolveLines(result));
  const failure = failureOf(result);
  // What is free may be anybody's a moment later.
  if (isRememberedAsFree(result) && !terminal.json)
    terminal.note(`${howOf(result)}; --fresh asks again`);
  if (failure) throw failure;
}

/** What there is to see; nothing for a name that nobody holds. */
function resolveLines(result: ResolveResult): string[] {
  const { name, state, claimants = [] } = result;
  if (state === 'not-found') return givenUpLines(result);
  return [
    `${sanitize(name)}: ${meanings[state]}${isDenied(result) ? '' : ` (${howOf(result)})`}`,
    ...(state === 'new' ? [newNameLine] : []),
    ...warningLines(result),
    ...formatFields([
      ['root', result.root],
      ['cid', result.cid],
      ['owner', result.owner],
      ['version', result.version],
      ['issued', result.issued === undefined ? undefined : formatMoment(result.issued)],
      ['expires', result.expires === undefined ? undefined : formatMoment(result.expires)],
      ['zone', result.zone],
      ['offered to', result.offeredTo],
      ...claimants.map((claimant) => ['claimed by', claimant] as const),
    ]),
  ];
}

/** Nobody holds it, but it is not to be had either. */
function givenUpLines(result: ResolveResult): string[] {
  const { name, freeAt, previousOwner } = result;
  if (freeAt === undefined) return [];
  return [
    `${sanitize(name)}: given up by its owner, free from ${formatMoment(freeAt)} (${howOf(result)})`,
    ...formatFields([['was held by', previousOwner]]),
  ];
}

/** Where no other line says how old the answer is. */
function isRememberedAsFree({ state, cached, freeAt }: ResolveResult): boolean {
  return state === 'not-found' && cached === true && freeAt === undefined;
}

/** Nobody was asked then. */
function isDenied({ state }: ResolveResult): boolean {
  return state === 'revoked' || state === 'blocked';
}

/** An answer from memory must not look like one of now. */
function howOf({ stale, cached, ageSeconds = 0, asked }: ResolveResult): string {
  const age = `${ageSeconds < 60 ? `${ageSeconds} s` : formatSeconds(ageSeconds)} ago`;
  if (stale === true) return `as it was ${age}; nobody who would know answers now`;
  if (cached === true) return `remembered: ${countOf(asked, 'node')} asked ${age}`;
  return `${countOf(asked, 'node')} asked`;
}

/** What somebody who trusted the name must see before anything else. */
function warningLines({ warning, previousOwner }: ResolveResult): string[] {
  if (warning !== 'owner-changed') return [];
  const before = previousOwner === undefined ? '' : ` (${previousOwner})`;
  return [`WARNING: another author holds it now; the one before did not pass it on${before}`];
}

const meanings: Readonly<Record<Exclude<ResolveResult['state'], 'not-found'>, string>> = {
  ok: 'ok',
  new: 'new, not yet confirmed by a majority',
  contested: 'contested',
  expired: 'expired',
  revoked: 'revoked',
  blocked: 'blocked by this node',
};

function failureOf(result: ResolveResult): AltNetError | undefined {
  const { name, state, claimants = [], registrarsOnly, asked } = result;
  switch (state) {
    case 'ok':
    case 'new':
      return undefined;
    case 'contested':
      return new AltNetError('NAME_CONTESTED', { name, owners: claimants });
    case 'expired':
      return new AltNetError('NAME_EXPIRED', { name });
    case 'revoked':
      return new AltNetError('NAME_REVOKED', { name });
    case 'blocked':
      return new AltNetError('NAME_BLOCKED', { name });
    case 'not-found':
      break;
  }
  const how = registrarsOnly ? { registrarsOnly } : { asked };
  return new AltNetError('NAME_NOT_FOUND', { name, ...how });
}
