/**
 * HTTPS: a server that shows each client the certificate of the site it names, and speaks HTTP/2 or
 * HTTP/1.1 with it (docs/spec/http.md, "HTTPS"). What is answered is the responder's business.
 */
import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type SecureServerOptions,
  type ServerHttp2Stream,
} from 'node:http2';
import type { SecureContext } from 'node:tls';
import type { Timers } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { ClosingServer } from './listener.ts';

/** Who vouches for sites. */
export interface Certificates {
  /** What is shown for this host; undefined for one that nobody here may vouch for. */
  contextFor(servername: string): SecureContext | undefined;
  /** A new one for this host and its key, as PEM; undefined likewise. */
  pairFor(host: string): { readonly cert: string; readonly key: string } | undefined;
}

export interface SecureDeps {
  readonly certificates: Certificates;
  readonly respond: (request: IncomingMessage, response: ServerResponse) => void;
  readonly log: Logger;
  readonly timers: Timers;
}

export interface SecureOptions {
  /** Who names no host, as some resolvers of DNS over HTTPS do not, is shown this one's. */
  readonly ownHost: string;
  /** Limits that HTTP/1.1 has with and without TLS. */
  readonly http: ServerOptions;
  /** A connection, or a stream of one, on which nothing moves for so long is closed. */
  readonly idleTimeoutMs: number;
}

const second = 1000;
/** Long before what is made for three months ends. */
const renewalMs = 24 * 3600 * second;
const tlsVersions = { minVersion: 'TLSv1.2' } as const;

/** Node.js has the methods and forgets them in its types. */
type SecureServer = Http2SecureServer & ClosingServer;

/**
 * What one client may have under way, and how often it may do what costs us more than itself:
 * opening and resetting streams, settings and pings, frames that make no sense.
 */
const http2Limits = {
  settings: {
    maxConcurrentStreams: 100, // what the standard asks for at least (RFC 9113, §6.5.2)
    maxHeaderListSize: 16 * 1024,
    enablePush: false,
  },
  maxHeaderListPairs: 128,
  maxSettings: 32,
  maxOutstandingPings: 10,
  maxOutstandingSettings: 10,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  streamResetBurst: 200,
  streamResetRate: 20,
  maxSessionMemory: 10, // MB
  unknownProtocolTimeout: 10 * second,
} as const;

export function makeSecureServer(
  { certificates, respond, log, timers }: SecureDeps,
  { ownHost, http, idleTimeoutMs }: SecureOptions,
): SecureServer {
  const options: SecureServerOptions = {
    ...http,
    ...http2Limits,
    ...tlsVersions,
    allowHTTP1: true,
    handshakeTimeout: 10 * second,
    // Who names a foreign host is shown no certificate: its connection ends. Without an error
    // Node.js would show the gateway's own.
    SNICallback: (servername, done) => {
      const context = contextOf(servername);
      if (context) done(null, context);
      else done(new Error('not a host of ours'));
    },
  };
  const contextOf = (servername: string): SecureContext | undefined => {
    try {
      return certificates.contextFor(servername);
    } catch (error) {
      log.error('the gateway could not make a certificate', { why: reasonOf(error) });
      return undefined;
    }
  };
  const server = createSecureServer(
    { ...options, ...certificates.pairFor(ownHost) },
    (request, response) => {
      // For HTTP/2 these are of classes that do the same under the same names.
      respond(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    },
  );
  server.setTimeout(idleTimeoutMs);
  server.on('stream', (stream) => endInTime(stream, timers, idleTimeoutMs));
  const renew = (): void => {
    const pair = certificates.pairFor(ownHost);
    if (pair) server.setSecureContext({ ...tlsVersions, ...pair });
    cancelRenewal = timers.after(renewalMs, renew);
  };
  let cancelRenewal = timers.after(renewalMs, renew);
  server.on('close', () => cancelRenewal());
  // A session that breaks a limit is closed by Node.js; a handshake that fails is the client's.
  server.on('sessionError', () => undefined);
  return server as SecureServer;
}

/**
 * A body is never waited for: with the answer the stream is over. And since a session lives on its
 * pings, each stream has its own time: of what waits in it, some must be taken.
 */
function endInTime(stream: ServerHttp2Stream, timers: Timers, idleTimeoutMs: number): void {
  let waitedBytes = 0;
  const look = (): void => {
    const waitingBytes = stream.writableLength;
    if (waitingBytes > 0 && waitingBytes === waitedBytes) stream.close(constants.NGHTTP2_CANCEL);
    waitedBytes = waitingBytes;
    cancel = timers.after(idleTimeoutMs, look);
  };
  let cancel = timers.after(idleTimeoutMs, look);
  stream.once('close', () => cancel());
  stream.once('finish', () => {
    // The frame that ends the answer goes out after this. A stream that is reset before it has
    // failed, as Firefox sees it.
    if (!stream.endAfterHeaders) setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  });
}
