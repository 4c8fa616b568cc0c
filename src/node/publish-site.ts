/**
 * The way of a publish: content is read and announced, its name is moved, and only then do others
 * replace their copies of the version before. Whatever stops it in between, what the name shows is
 * not given up by anybody.
 */
import type { CID } from 'multiformats/cid';
import type { PublishResult, PublishTarInput } from '../api/ports-sites.ts';
import type { CallOptions } from '../api/ports.ts';
import { withDeadline } from '../base/abort.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { parseRoot } from '../content/dag/root.ts';
import type { AddedSite, AddOptions, Replication } from '../content/types.ts';
import type { NamedCertificate } from '../name/certificate-text.ts';
import { parseAddress } from '../name/place.ts';
import { leaveFor } from './leave.ts';
import type { Parts } from './parts.ts';
import { type NameContext, shownRoot, workOptions } from './services-names.ts';

export interface SiteContext extends Omit<NameContext, 'registrants'> {
  readonly siteUrl: (host: string) => string | undefined;
}

export interface Publishing {
  readonly input: PublishTarInput;
  readonly options: CallOptions;
  /** Brings the content here. */
  readonly add: (how: AddOptions) => Promise<AddedSite>;
}

type Publisher = Pick<Parts, 'sites' | 'names' | 'world' | 'registrar' | 'trust' | 'identity'>;

/** So long the network may take to say that a name is somebody else's. */
const lookMs = 10_000;

export async function publishSite(
  parts: Publisher,
  context: SiteContext,
  { input, options, add }: Publishing,
): Promise<PublishResult> {
  const { keep } = input;
  // Both before a long import, not after it.
  const name = input.name === undefined ? undefined : parseAddress(input.name).name;
  const given = input.replaces === undefined ? undefined : parseRoot(input.replaces);
  const certificate = await certificateFor(parts, { ...input, name }, options);
  if (name !== undefined) await requireWritable(parts, { name, certificate }, options);
  const site = await add({ ...options, keep });
  const naming = new Naming(parts, context, { ...options, certificate });
  const named = await naming.show(site, { name, given });
  const isElsewhere = name !== undefined && !parts.names.opensHere(name);
  return resultOf({ ...site, ...named, name, isElsewhere }, context);
}

async function certificateFor(
  parts: Publisher,
  { name, certificate }: Pick<PublishTarInput, 'name' | 'certificate'>,
  options: CallOptions,
): Promise<NamedCertificate | undefined> {
  if (name !== undefined) return leaveFor(parts, { name, certificate }, options);
  if (certificate === undefined) return undefined;
  const why = 'a certificate is for a name; say which';
  throw new AltNetError('BAD_ARGUMENT', { what: 'certificate', why });
}

/** That nobody answers in time is no reason: it may be otherwise once the folder is read. */
async function requireWritable(
  { names, world: { timers } }: Pick<Parts, 'names' | 'world'>,
  {
    name,
    certificate,
  }: {
    readonly name: string;
    readonly certificate: NamedCertificate | undefined;
  },
  { signal }: CallOptions,
): Promise<void> {
  if (!certificate && names.list().some((own) => own.name === name)) return;
  try {
    const limits = { timers, ms: lookMs, what: name, signal };
    await withDeadline(limits, (inTime) =>
      names.requireWritable(name, { certificate, signal: inTime }),
    );
  } catch (error) {
    signal?.throwIfAborted();
    const areSilent = (['TIMEOUT', 'NO_ANSWER', 'NO_PEERS', 'ABORTED'] as const).some((code) =>
      isAltNetError(error, code),
    );
    if (!areSilent) throw error;
  }
}

interface Named {
  readonly replication: Replication;
  /** Undefined without a name. */
  readonly version: number | undefined;
}

interface NamingOptions extends CallOptions {
  readonly certificate: NamedCertificate | undefined;
}

/** What happens to a site that is here: it gets its name, and copies elsewhere. */
class Naming {
  readonly #parts: Pick<Parts, 'sites' | 'names'>;
  readonly #context: SiteContext;
  readonly #options: NamingOptions;

  constructor(parts: Pick<Parts, 'sites' | 'names'>, context: SiteContext, options: NamingOptions) {
    this.#parts = parts;
    this.#context = context;
    this.#options = options;
  }

  async show(
    site: AddedSite,
    { name, given }: { name: string | undefined; given: CID | undefined },
  ): Promise<Named> {
    const { versions } = this.#context;
    const { root } = site;
    const former = name === undefined ? given : versions.target(name);
    await versions.replace(given, root);
    if (name !== undefined && !former) return this.#showFirst(site, name);
    const isShown = given?.equals(root) === true && former?.equals(root) === true;
    const version = name === undefined ? undefined : await this.#point(name, site, isShown);
    const replaces = former && versions.isFree(former) ? former : undefined;
    const { signal, onProgress } = this.#options;
    const replication = await this.#parts.sites.replicate(root, { signal, onProgress, replaces });
    return { version, replication };
  }

  /** The work for a new name takes a while; copies that replace nothing can be made meanwhile. */
  async #showFirst(site: AddedSite, name: string): Promise<Named> {
    const { signal, onProgress } = this.#options;
    const lost = new AbortController();
    const either = signal ? AbortSignal.any([signal, lost.signal]) : lost.signal;
    let isNamed = false;
    const copying = this.#parts.sites.replicate(site.root, {
      signal: either,
      onProgress: (done) => {
        if (isNamed) onProgress?.(done);
      },
    });
    copying.catch(() => undefined); // it is awaited once there is a name
    try {
      const version = await this.#point(name, site, false);
      isNamed = true;
      return { version, replication: await copying };
    } finally {
      lost.abort();
    }
  }

  /** Its version. A name that shows this root already, as the caller knew, is left as it is. */
  async #point(name: string, { root, files, bytes }: AddedSite, isShown: boolean): Promise<number> {
    const { names } = this.#parts;
    const { signal, onProgress, certificate } = this.#options;
    const done = { root: root.toString(), files, bytes, bytesTotal: bytes, peers: 0 };
    const own = names.list().find((each) => each.name === name);
    if (own && isShown && !certificate) return own.version;
    onProgress?.({ phase: 'naming', ...done });
    const onWork: CallOptions['onProgress'] = ({ work }) =>
      onProgress?.({ phase: 'naming', ...done, ...(work && { work }) });
    const work = workOptions({ ...(signal && { signal }), onProgress: onWork });
    const { version } = await this.#context.versions.follow(() =>
      names.register(name, root, { ...work, certificate }),
    );
    this.#context.onNameChanged();
    // Who stops it now stops the copying only, and is to know that.
    onProgress?.({ phase: 'copying', root: done.root, files, bytes: 0, peers: 0 });
    return version;
  }
}

function resultOf(
  site: AddedSite & Named & { readonly name: string | undefined; readonly isElsewhere: boolean },
  { siteUrl }: SiteContext,
): PublishResult {
  const { root, files, bytes, announced, entry, name, version, replication, isElsewhere } = site;
  const host = name === undefined || isElsewhere ? root.toString() : name.replace(/\.alt$/, '');
  const address = siteUrl(host) ?? `http://${host}.alt/`;
  const opened = entry.replace(/^\//, '').split('/').map(encodeURIComponent).join('/');
  return {
    ...shownRoot(root),
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    files,
    bytes,
    replicas: replication.replicas,
    replicasWanted: replication.wanted,
    refused: replication.refused.map((reason) => ({ ...reason })),
    announced,
    url: new URL(opened, address).href,
    ...(isElsewhere && { elsewhere: true as const }),
  };
}
