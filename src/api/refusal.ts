/** Errors whose status follows from HTTP rather than from their code (docs/spec/http.md, "API"). */
import { AltNetError, isAltNetError } from '../base/errors.ts';

export class Refusal extends Error {
  readonly status: number;
  readonly reason: AltNetError;

  constructor(status: number, reason: AltNetError) {
    super(reason.message);
    this.status = status;
    this.reason = reason;
  }
}

/** `what` is a part of a request: "the Host header". */
export function refuse(status: number, what: string, why: string): Refusal {
  return new Refusal(status, new AltNetError('BAD_ARGUMENT', { what, why }));
}

/** What the framework found wrong with a request, in our words; undefined for any other error. */
export function parseRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (isAltNetError(error) || !(error instanceof Error)) return undefined;
  const { statusCode, message } = error as Error & { statusCode?: unknown };
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  return refuse(statusCode, 'the request', message.slice(0, 500));
}
