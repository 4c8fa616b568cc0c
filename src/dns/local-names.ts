/**
 * Names that every resolver answers by itself (RFC 6761, RFC 7686): asking others would tell them
 * what they must not know, or let them say what is not theirs to say. Pure.
 */
import { rcodes, types } from './codes.ts';
import type { Query } from './query.ts';
import { addressRecords, authorityRecord, noRecords, nothingTtlSeconds } from './records.ts';
import type { LocalAnswer } from './response.ts';

const loopback = addressRecords(['127.0.0.1', '::1']);

/** Undefined for a name that is not one of these. */
export function localAnswer({
  labels,
  type,
}: Pick<Query, 'labels' | 'type'>): LocalAnswer | undefined {
  const [last = ''] = labels.slice(-1);
  if (last === 'invalid' || last === 'onion') return answerWith(rcodes.nxDomain, last);
  if (last !== 'localhost') return undefined;
  const records = type === types.a ? loopback.v4 : type === types.aaaa ? loopback.v6 : undefined;
  return answerWith(rcodes.noError, last, records);
}

function answerWith(rcode: number, zone: string, answers = noRecords): LocalAnswer {
  const authority = answers.count > 0 ? noRecords : authorityRecord(zone);
  return {
    kind: 'local',
    rcode,
    isAuthoritative: true,
    answers,
    authority,
    ttlSeconds: nothingTtlSeconds,
  };
}
