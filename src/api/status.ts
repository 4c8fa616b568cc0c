/**
 * How an error looks over HTTP: the one table from error codes to statuses, and the JSON form of an
 * error in both directions. It knows nothing of routes.
 */
import { AltNetError, type ErrorCode, type ErrorDetails, errorCodes } from '../base/errors.ts';

/** A code without a line here does not compile. */
export const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  ABORTED: 499, // the caller has gone; nobody reads it
  TIMEOUT: 504,
  BUSY: 503,
  BAD_ARGUMENT: 400,
  INTERNAL: 500,
  BAD_ADDRESS: 400,
  PORT_TAKEN: 500,
  BIND_FAILED: 500,
  KEY_DAMAGED: 500,
  KEY_EXPOSED: 500,
  KEY_WRONG_KIND: 500,
  BAD_KEY_STRING: 400,
  CA_UNUSABLE: 500,
  STORE_LOCKED: 500,
  STORE_DAMAGED: 500,
  STORE_TOO_NEW: 500,
  DISK_FULL: 507,
  STORE_FULL: 507,
  UNREACHABLE: 502,
  PEER_REFUSED: 502,
  WRONG_PEER: 502,
  NO_PEERS: 503,
  BAD_NAME: 400,
  NAME_TAKEN: 409,
  NAME_NOT_FOUND: 404,
  NAME_CONTESTED: 409,
  NAME_EXPIRED: 410,
  NAME_REVOKED: 410,
  NAME_BLOCKED: 451,
  NAME_NOT_YOURS: 403,
  NO_ANSWER: 504,
  BAD_ROOT: 400,
  PATH_MISSING: 400,
  PATH_UNREADABLE: 400,
  PATH_UNSUPPORTED: 400,
  FOLDER_EMPTY: 400,
  NO_PROVIDERS: 502,
  CONTENT_UNAVAILABLE: 502,
  CONTENT_BAD: 502,
  CONTENT_REVOKED: 410,
  CONTENT_BLOCKED: 451,
  CONTENT_NO_PATH: 404,
  NOT_PUBLISHED: 404,
  VALUE_TOO_BIG: 413,
  BAD_URL: 400,
  URL_BLOCKED: 451,
  LINK_NOT_FOUND: 404,
  LINK_LIMIT: 409,
  LINK_UNUSABLE: 502,
  DOWNLOAD_FAILED: 502,
  RECORD_REFUSED: 502,
  LIST_UNREADABLE: 500,
  CERTIFICATE_BAD: 400,
  USAGE: 400,
  NO_NODE: 503,
  CHECKS_FAILED: 500, // of the command line only
  SETUP_NEEDS_ROOT: 500,
  SETUP_EDITED: 500,
  SETUP_FAILED: 500,
  UNAUTHORIZED: 401,
};

/** The body of every answer that is not a success. */
export interface ErrorBody {
  /** A sentence for people. */
  error: string;
  code: ErrorCode;
  /** What the sentence was made of. */
  details: Readonly<Record<string, unknown>>;
}

export function encodeError(error: AltNetError): ErrorBody {
  return { error: error.message, code: error.code, details: { ...error.details } };
}

/** The error that `encodeError` was given; undefined when `body` is not one of this program's. */
export function decodeError(body: unknown): AltNetError | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { code, details } = body as Partial<Record<keyof ErrorBody, unknown>>;
  const known = errorCodes.find((name) => name === code);
  if (known === undefined || typeof details !== 'object' || details === null) return undefined;
  try {
    return new AltNetError(known, details as ErrorDetails<typeof known>);
  } catch {
    return undefined; // details of another version, which this one's sentence cannot be made of
  }
}
