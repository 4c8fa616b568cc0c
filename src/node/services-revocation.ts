/** Revoking and following revokers, as users see it. */
import type { CallOptions } from '../api/call-options.ts';
import type { RevocationListInfo, RevocationServices } from '../api/ports-trust.ts';
import { type Bytes, parseUtf8, utf8 } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { parseRoot, requireLink, rootHex } from '../content/dag/root.ts';
import { parseAddress, placesOf } from '../name/place.ts';
import type { ResolvedName } from '../name/types.ts';
import {
  hashOfContent,
  hashOfName,
  type Revocation,
  revocationTypes,
} from '../record/revocations.ts';
import type { ListFreshness } from '../revocation/freshness.ts';
import type { Parts } from './parts.ts';

/** What a word stands for: keys of names, and roots as 64 hex digits. */
interface Meant {
  /** As it is shown. */
  readonly name: string;
  readonly keys: readonly Bytes[];
  readonly root: string | undefined;
}

/** A note for each revoked name: the root that was revoked with it. BOUNDED by the own list. */
const rootPrefix = 'revoked-with/';

export function revocationServices(parts: Parts): RevocationServices {
  const { revocations, purge } = parts;
  return {
    async revoke({ what, undo = false }, { signal } = {}) {
      const meant = await meaningOf(parts, { what, undo }, { signal });
      const { name, root } = meant;
      const entries = entriesOf(meant, undo);
      if (meant.keys.length > 0) await noteRoot(parts, meant, undo);
      const before = purge.dropped; // the disk is being cleared while others are told
      const revoked = await revocations.revoke(entries, { signal });
      if (!undo) await purge.run();
      const { changed, stored, waitSeconds } = revoked;
      return {
        name,
        ...(root !== undefined && { root }),
        chunk_count: purge.dropped - before,
        ok: true,
        changed,
        entries: revoked.entries,
        stored,
        ...(waitSeconds > 0 && { wait_seconds: waitSeconds }),
      };
    },

    async revocations() {
      return revocations.freshness().lists.map(shownList);
    },
  };
}

function entriesOf({ keys, root }: Meant, undo: boolean): Revocation[] {
  const { content, name } = revocationTypes;
  const hash = root === undefined ? undefined : requireLink(parseRoot(root)).hash;
  return [
    ...keys.map((key): Revocation => ({ type: name, target: hashOfName(key), undo })),
    ...(hash ? [{ type: content, target: hashOfContent(hash), undo }] : []),
  ];
}

async function meaningOf(
  parts: Parts,
  { what, undo }: { what: string; undo: boolean },
  options: CallOptions,
): Promise<Meant> {
  try {
    const root = rootHex(parseRoot(what));
    return { name: root, keys: [], root };
  } catch (error) {
    if (!isAltNetError(error, 'BAD_ROOT')) throw error;
  }
  const { name, sub, apex } = parseAddress(what);
  if (sub !== undefined) {
    const why = `it has no record of its own; revoke ${apex.name}, or the root that it shows`;
    throw new AltNetError('BAD_ARGUMENT', { what: name, why });
  }
  const places = placesOf(apex, parts.trust.zones());
  const keys = places.map(({ key }) => key);
  if (undo) return { name, keys, root: notedRoot(parts, name) };
  const resolved = await parts.names.resolve(name, { signal: options.signal });
  if (resolved.state === 'not-found') throw new AltNetError('NAME_NOT_FOUND', { name });
  return { name, keys: keysOf(resolved, keys), root: shownRootOf(parts, resolved) };
}

/** In the zone that it resolves in; in all that are looked at where it does not. */
function keysOf({ name, zone }: ResolvedName, all: readonly Bytes[]): readonly Bytes[] {
  if (!zone) return all;
  return placesOf(parseAddress(name).apex, [zone]).map(({ key }) => key);
}

/** A name that is revoked already shows nothing; then what was revoked with it is meant. */
function shownRootOf(parts: Parts, { name, root }: ResolvedName): string | undefined {
  return root ? rootHex(root) : notedRoot(parts, name);
}

function notedRoot({ store }: Pick<Parts, 'store'>, name: string): string | undefined {
  const note = store.notes.get(rootPrefix + name);
  return note && parseUtf8(note);
}

/** So that taking a name back takes its root back, which nobody can look up by then. */
async function noteRoot(
  { store }: Pick<Parts, 'store'>,
  { name, root }: Meant,
  undo: boolean,
): Promise<void> {
  if (undo) await store.notes.removeAll([rootPrefix + name]);
  else if (root !== undefined) await store.notes.put(rootPrefix + name, utf8(root));
}

function shownList(list: ListFreshness): RevocationListInfo {
  const { revoker, inForce, issued, nextUpdate, state, equivocated, lacking } = list;
  return {
    revoker,
    entries: inForce,
    ...(issued !== undefined && { issued }),
    ...(nextUpdate !== undefined && { next_update: nextUpdate }),
    state,
    ...(equivocated && { equivocated }),
    ...(lacking && { lacking }),
  };
}
