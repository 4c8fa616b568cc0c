/**
 * Everything below the ending of names, ".alt" as a rule (docs/spec/dns.md, "Names"): what exists
 * leads to the gateway, what does not is absent, and none of it is ever asked of another resolver.
 * Whether a name exists, others know.
 */
import { isAltNetError } from '../base/errors.ts';
import { parseRoot } from '../content/dag/root.ts';
import { extendedErrors, rcodes, types } from './codes.ts';
import type { Existence, NameExistence } from './existence.ts';
import type { Query } from './query.ts';
import {
  addressRecords,
  type AddressRecords,
  addressTtlSeconds,
  anyRecord,
  authorityRecord,
  noRecords,
  nothingTtlSeconds,
  type Section,
} from './records.ts';
import { type LocalAnswer, plainAnswer } from './response.ts';
import type { Source } from './sources.ts';

export interface SiteZoneOptions {
  /** The ending of names: "alt". */
  readonly tld: string;
  /** Where names lead: at most one address of each family. */
  readonly ips: readonly string[];
}

/** The host of the gateway's own pages; nobody can register it. */
const gatewayLabel = 'localhost';
/** A CID has more characters than this, a name that is typed fewer. */
const nameCharsMax = 40;

export class SiteZone {
  readonly #existence: Pick<NameExistence, 'find'>;
  readonly #addresses: AddressRecords;
  readonly #authority: Section;
  readonly #any: Section;
  readonly #absent: LocalAnswer;
  readonly #empty: LocalAnswer;

  constructor(existence: Pick<NameExistence, 'find'>, { tld, ips }: SiteZoneOptions) {
    this.#existence = existence;
    this.#addresses = addressRecords(ips);
    this.#authority = authorityRecord(tld);
    this.#any = anyRecord();
    this.#absent = nothing(rcodes.nxDomain, this.#authority);
    this.#empty = nothing(rcodes.noError, this.#authority);
  }

  /** That there is no such name, which resolvers may remember for a moment. */
  get absent(): LocalAnswer {
    return this.#absent;
  }

  /** `query` is about this zone. */
  answer(query: Query, source: Source): LocalAnswer | Promise<LocalAnswer> {
    const below = query.labels.slice(0, -1);
    if (below.length === 0) return this.#apex(query);
    const site = siteOf(below);
    if (site === undefined) return this.#absent;
    if (site === 'here') return this.#present(query);
    const existence = this.#existence.find(site, source);
    return existence instanceof Promise
      ? existence.then((settled) => this.#judged(query, settled))
      : this.#judged(query, existence);
  }

  #judged(query: Query, existence: Existence): LocalAnswer {
    if (existence.state === 'unknown') return unknown(existence.why);
    return existence.state === 'present' ? this.#present(query) : this.#absent;
  }

  /** HTTPS and SVCB records would say no more than the addresses do. */
  #present({ type }: Query): LocalAnswer {
    const records = this.#recordsOf(type);
    return records ? found(records) : this.#empty;
  }

  #recordsOf(type: number): Section | undefined {
    switch (type) {
      case types.a:
        return this.#addresses.v4;
      case types.aaaa:
        return this.#addresses.v6;
      case types.any:
        return this.#any;
      default:
        return undefined;
    }
  }

  #apex({ type }: Query): LocalAnswer {
    if (type === types.soa) return found(this.#authority);
    return type === types.any ? found(this.#any) : this.#empty;
  }
}

/**
 * What the labels before the ending stand for: what the gateway has whoever holds it ('here', a
 * root or the gateway itself), a name to look for (as names are written), or nothing that could
 * exist.
 */
export function siteOf(labels: readonly string[]): string | undefined {
  if (labels.length > 2 || !labels.every(isHostLabel)) return undefined;
  const [last = ''] = labels.slice(-1);
  if (last === gatewayLabel) return labels.length === 1 ? 'here' : undefined;
  // Under a root there is nothing; and a name cannot have its form.
  if (isRootLabel(last)) return labels.length === 1 ? 'here' : undefined;
  return `${labels.join('.')}.alt`;
}

/** By octets: what a browser can ask for, and names can be made of. */
function isHostLabel(label: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label);
}

function isRootLabel(label: string): boolean {
  if (label.length <= nameCharsMax) return false;
  try {
    parseRoot(label);
    return true;
  } catch (error) {
    if (isAltNetError(error, 'BAD_ROOT')) return false;
    throw error;
  }
}

function found(answers: Section): LocalAnswer {
  return {
    kind: 'local',
    rcode: rcodes.noError,
    isAuthoritative: true,
    answers,
    authority: noRecords,
    ttlSeconds: addressTtlSeconds,
  };
}

function nothing(rcode: number, authority: Section): LocalAnswer {
  return {
    kind: 'local',
    rcode,
    isAuthoritative: true,
    answers: noRecords,
    authority,
    ttlSeconds: nothingTtlSeconds,
  };
}

type Reason = Extract<Existence, { state: 'unknown' }>['why'];

const silent = 'too few of the nodes that would know this name answered';
const late = 'the nodes that would know this name have not answered yet; ask again';
const crowded = 'too many names are looked for at once';

const silences: ReadonlyMap<Reason, string> = new Map([
  ['NO_ANSWER', silent],
  ['NO_PEERS', silent],
  ['UNREACHABLE', silent],
  ['TIMEOUT', late],
]);
const crowds: ReadonlySet<Reason> = new Set(['LIMITED', 'BUSY']);

/** That nobody can say, and why, for who asks a person's questions. */
function unknown(why: Reason): LocalAnswer {
  const silence = silences.get(why);
  if (silence !== undefined) return failed(extendedErrors.noReachableAuthority, silence);
  const text = crowds.has(why) ? crowded : 'this name could not be looked up';
  return failed(extendedErrors.networkError, text);
}

function failed(code: number, text: string): LocalAnswer {
  return plainAnswer(rcodes.servFail, { code, text });
}
