/**
 * Sites as blocks and archives (docs/spec/http.md, "Blocks"): for those who do not want to trust
 * the gateway and check every block themselves. What is asked is read here; which blocks it means
 * is the content module's business.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { CID } from 'multiformats/cid';
import { isAltNetError } from '../base/errors.ts';
import type { DagReader, DagScope, OpenedDag } from '../content/types.ts';
import { formatCar } from './car.ts';
import { formatPlace, type SiteRequest } from './file-answers.ts';
import { tryParseRoot } from './host.ts';
import { formatPath, type SitePath } from './path.ts';
import { problems } from './problem.ts';
import {
  needsBytes,
  type Representation,
  sendBytes,
  type Sending,
  sendProblem,
  sendStream,
  sendWhole,
} from './send.ts';

type Format = 'raw' | 'car';

interface Asked {
  readonly format: Format;
  readonly scope: DagScope['scope'];
  readonly bytes: EntityBytes | undefined;
}

/** As the request has them: from the end where negative, `to` inclusive or '*' for the end. */
interface EntityBytes {
  readonly from: number;
  readonly to: number | '*';
}

const noBytes = new Uint8Array(0);
const rawType = 'application/vnd.ipld.raw';
const carType = 'application/vnd.ipld.car';
const types: Readonly<Record<Format, string>> = {
  raw: rawType,
  car: `${carType}; version=1; order=dfs; dups=n`,
};

/** Whether a request is for blocks at all; any other `format` is the site's own business. */
export function asksForBlocks({ headers }: IncomingMessage, { query }: SitePath): boolean {
  if (query.includes('format=') && /[?&]format=(?:raw|car)(?:&|$)/.test(query)) return true;
  return acceptedFormat(headers.accept) !== undefined;
}

function acceptedFormat(accept: string | undefined): Format | undefined {
  if (accept?.includes('application/vnd.ipld.') !== true) return undefined;
  if (accept.includes(carType)) return 'car';
  return accept.includes(rawType) ? 'raw' : undefined;
}

/**
 * `/ipfs/ROOT/path` under the gateway's own host, as programs ask that check what they get: blocks
 * have no origin, so they need no host of their own.
 */
export function findBlocksPath(
  request: IncomingMessage,
  path: SitePath,
): { readonly root: CID; readonly path: SitePath } | undefined {
  const [first, second = '', ...segments] = path.segments;
  if (first !== 'ipfs' || !asksForBlocks(request, path)) return undefined;
  const root = second === probe ? probeCid : tryParseRoot(second);
  return root && { root, path: { ...path, segments } };
}

/** The CID of nothing: who asks for it wants to know whether blocks are to be had here at all. */
const probe = 'bafkqaaa';
const probeCid: CID = CID.parse(probe);
const probeDag: OpenedDag = {
  cid: probeCid,
  bytes: noBytes,
  fileBytes: 0,
  // oxlint-disable-next-line require-yield
  async *blocks() {},
};

/** Only what `asksForBlocks`. Rejects like DagReader. */
export async function sendBlocks(
  asked: SiteRequest,
  dags: DagReader,
  sending: Sending,
): Promise<void> {
  const wanted = parseAsked(asked.request, asked.path);
  if (typeof wanted === 'string') {
    sendProblem(asked, problems.badFormat(wanted));
    return;
  }
  const { signal } = sending;
  const dag = asked.root.equals(probeCid) ? probeDag : await openDag(asked, dags, signal);
  if (!dag) {
    sendProblem(asked, problems.noPath(formatPath({ ...asked.path, query: '' })));
    return;
  }
  if (wanted.format === 'raw') {
    const shown = { ...shownAs(asked, dag, wanted), size: dag.bytes.length };
    await sendWhole(asked, shown, dag.bytes, sending);
    return;
  }
  const shown = shownAs(asked, dag, wanted);
  if (!needsBytes(asked, shown)) {
    sendBytes(asked, shown, noBytes);
    return;
  }
  const archive = formatCar(dag.cid, dag.blocks(scopeOf(wanted, dag), { signal }));
  await sendStream(asked, shown, archive, sending);
}

async function openDag(
  { root, path }: SiteRequest,
  dags: DagReader,
  signal: AbortSignal,
): Promise<OpenedDag | undefined> {
  try {
    return await dags.openDag(root, path.segments.join('/'), { signal });
  } catch (error) {
    if (isAltNetError(error, 'CONTENT_NO_PATH')) return undefined;
    throw error;
  }
}

/** Why it cannot be understood, as a text. The query outweighs what is said in Accept. */
function parseAsked({ headers }: IncomingMessage, { query }: SitePath): Asked | string {
  const parameters = new URLSearchParams(query);
  const named = parameters.get('format');
  const byName = named === 'raw' || named === 'car' ? named : undefined;
  const format = byName ?? acceptedFormat(headers.accept) ?? 'raw';
  const version = parameters.get('car-version') ?? versionIn(headers.accept) ?? '1';
  if (format === 'car' && version !== '1') return `CAR version ${version}; there is only version 1`;
  const range = parameters.get('entity-bytes');
  const bytes = range === null ? undefined : parseEntityBytes(range);
  if (range !== null && bytes === undefined)
    return `entity-bytes=${range}; write FROM:TO or FROM:*`;
  const scope = parameters.get('dag-scope') ?? (bytes ? 'entity' : 'all');
  if (scope !== 'block' && scope !== 'entity' && scope !== 'all') {
    return `dag-scope=${scope}; there are block, entity and all`;
  }
  return { format, scope: bytes ? 'entity' : scope, bytes };
}

function versionIn(accept = ''): string | undefined {
  return /application\/vnd\.ipld\.car[^,]*;\s*version=(\d+)/.exec(accept)?.[1];
}

function parseEntityBytes(text: string): EntityBytes | undefined {
  const [, from, to] = /^(-?\d{1,15}):(\*|-?\d{1,15})$/.exec(text) ?? [];
  if (from === undefined || to === undefined) return undefined;
  return { from: Number(from), to: to === '*' ? '*' : Number(to) };
}

/** What lies outside of the file is left out; where nothing is left, its first block tells why. */
function scopeOf({ scope, bytes }: Asked, { fileBytes }: OpenedDag): DagScope {
  if (bytes === undefined || fileBytes === undefined) return { scope };
  const from = Math.max(bytes.from < 0 ? fileBytes + bytes.from : bytes.from, 0);
  const last = bytes.to === '*' ? fileBytes - 1 : bytes.to < 0 ? fileBytes + bytes.to : bytes.to;
  const to = Math.min(last + 1, fileBytes);
  return from < to ? { scope, range: { from, to } } : { scope: 'block' };
}

function shownAs(
  { root, path, cacheControl, request }: SiteRequest,
  { cid }: OpenedDag,
  { format, scope, bytes }: Asked,
): Representation {
  const name = cid.toString();
  const place = formatPlace(root, path.segments.join('/'));
  const what = `${place}\n${scope}\n${bytes ? `${bytes.from}:${bytes.to}` : ''}`;
  const ending = format === 'car' ? 'car' : 'bin';
  return {
    size: undefined,
    type: types[format],
    etag: format === 'raw' ? `"${name}.raw"` : `"${name}.car.${shortHash(what)}"`,
    cacheControl,
    place,
    headers: {
      'content-disposition': `attachment; filename="${name}.${ending}"`,
      vary: 'Accept',
      ...(!path.query.includes('format=') && { 'content-location': locationOf(request, format) }),
    },
  };
}

/** Where the same is to be had without Accept, for whoever keeps the answer. */
function locationOf({ url = '/' }: IncomingMessage, format: Format): string {
  return `${url}${url.includes('?') ? '&' : '?'}format=${format}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
