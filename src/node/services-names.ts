/** Names as users see them. */
import type { CID } from 'multiformats/cid';
import type { NameResult, ResolveResult } from '../api/ports-names.ts';
import type { CallOptions, NodeServices } from '../api/ports.ts';
import { toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { parseRoot, rootHex } from '../content/dag/root.ts';
import { keyId } from '../identity/key.ts';
import { endingNames } from '../name/certificate-watch.ts';
import type { RegisteredName, ResolvedName } from '../name/types.ts';
import type { PowProgress } from '../record/pow.ts';
import { parseAddress } from '../name/place.ts';
import { leaveFor } from './leave.ts';
import type { Parts } from './parts.ts';
import type { Registrants } from './registrants.ts';
import { standingName } from './standing-names.ts';
import type { SiteVersions } from './versions.ts';
import { parseAuthor } from './words.ts';

type NameServices = Pick<
  NodeServices,
  'register' | 'update' | 'transfer' | 'release' | 'resolve' | 'names'
>;

export interface NameContext {
  readonly onNameChanged: () => void;
  readonly versions: SiteVersions;
  readonly registrants: Registrants;
}

export function nameServices(
  parts: Parts,
  { onNameChanged, versions, registrants }: NameContext,
): NameServices {
  const { names } = parts;
  const result = (written: RegisteredName): NameResult => ({
    ...nameResult(written),
    ...(!names.opensHere(written.name) && { elsewhere: true }),
  });
  return {
    async register({ name, root: text, owner, certificate: given }, options = {}) {
      const root = parseRoot(text);
      return registrants.register(parseAddress(name).name, owner, async () => {
        const certificate = await leaveFor(parts, { name, certificate: given }, options);
        // A name that stands without it would stay so.
        const standing = certificate
          ? undefined
          : await standingName(parts, { name, root }, options);
        if (standing) return result(standing);
        const registered = await versions.follow(() =>
          names.register(name, root, { ...workOptions(options), certificate }),
        );
        onNameChanged();
        return result(registered);
      });
    },
    async update({ name, root: text }, options = {}) {
      const root = parseRoot(text);
      const standing = await standingName(parts, { name, root }, options);
      if (standing) return result(standing);
      const updated = await versions.follow(() => names.update(name, root, workOptions(options)));
      onNameChanged();
      return result(updated);
    },
    async transfer({ name, author }, options) {
      const offered = await names.transfer(name, parseAuthor(author), workOptions(options));
      return { ...offered, to: toHex(offered.to), toAuthor: toHex(keyId(offered.to)) };
    },
    async release({ name }, options) {
      const released = await versions.follow(() => names.release(name, workOptions(options)));
      onNameChanged();
      await registrants.forget(released.name);
      return { ...released, ok: true };
    },
    async resolve(name, { fresh, signal } = {}) {
      const resolved = await names.resolve(name, { fresh, signal });
      const isForbidden = resolved.registrarsOnly === true && !names.mayTake(name);
      return { ...resolveResult(resolved), ...(isForbidden && { needsCertificate: true }) };
    },
    async names() {
      const own = names.list();
      const ending = new Set(endingNames(own, parts.world.clock).map(({ name }) => name));
      return own.map((each) => {
        const { name, root, owner, version, registered, updated, zone, certifiedUntil } = each;
        const registrant = registrants.of(name);
        return {
          name,
          ...shownRoot(root),
          owner: toHex(owner),
          ...(registrant !== undefined && { registrant }),
          registered_at: registered,
          updated_at: updated,
          version,
          ...(zone && { zone: toHex(zone) }),
          ...(certifiedUntil !== undefined && { certified_until: certifiedUntil }),
          ...(ending.has(name) && { certificate_ending: true }),
        };
      });
    },
  };
}

/** Turns the progress of a proof of work into the one that users see. */
export function workOptions({ signal, onProgress }: CallOptions = {}): {
  signal: AbortSignal | undefined;
  onProgress: ((work: PowProgress) => void) | undefined;
} {
  return {
    signal,
    onProgress: onProgress && ((work) => onProgress({ bytes: 0, files: 0, peers: 0, work })),
  };
}

/** The root that a name shows. Throws what keeps it from being opened. */
export function rootOf(resolved: ResolvedName): CID {
  const { name, state, root, claimants = [], registrarsOnly, asked } = resolved;
  if (root && (state === 'ok' || state === 'new')) return root;
  if (state === 'contested') {
    throw new AltNetError('NAME_CONTESTED', { name, owners: claimants.map(toHex) });
  }
  if (state === 'expired') throw new AltNetError('NAME_EXPIRED', { name });
  if (state === 'revoked') throw new AltNetError('NAME_REVOKED', { name });
  if (state === 'blocked') throw new AltNetError('NAME_BLOCKED', { name });
  const how = registrarsOnly ? { registrarsOnly } : { asked };
  throw new AltNetError('NAME_NOT_FOUND', { name, ...how });
}

export function shownRoot(root: CID): { root: string; cid: string } {
  return { root: rootHex(root), cid: root.toString() };
}

function nameResult({ name, root, version, expires, zone, stored }: RegisteredName): NameResult {
  const where = zone && { zone: toHex(zone) };
  return { name, ...shownRoot(root), version, expires, ...where, stored };
}

function resolveResult(resolved: ResolvedName): ResolveResult {
  const { name, state, root, owner, claimants, version, issued, expires, asked } = resolved;
  const { zone, offeredTo, freeAt, warning, previousOwner, stale, ageSeconds } = resolved;
  const { registrarsOnly } = resolved;
  return {
    name,
    ...(root && shownRoot(root)),
    ...(owner && { owner: toHex(owner) }),
    ...(claimants && { claimants: claimants.map(toHex) }),
    ...(version !== undefined && { version }),
    ...(issued !== undefined && { issued }),
    ...(expires !== undefined && { expires }),
    ...(zone && { zone: toHex(zone) }),
    ...(offeredTo && { offeredTo: toHex(offeredTo) }),
    ...(freeAt !== undefined && { freeAt }),
    ...(registrarsOnly && { registrarsOnly }),
    ...(warning && { warning }),
    ...(previousOwner && { previousOwner: toHex(previousOwner) }),
    ...(stale && { stale }),
    ...(ageSeconds !== undefined && { cached: true, ageSeconds }),
    state,
    asked,
  };
}
