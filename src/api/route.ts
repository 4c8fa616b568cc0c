/**
 * What an endpoint is: data. The server turns it into a route, the OpenAPI document describes it.
 * It must not know Fastify.
 */
import type { CallOptions, NodeServices } from './ports.ts';
import type { Schema } from './schema.ts';

export type InputPlace = 'none' | 'params' | 'query' | 'body' | 'octets';

/** An endpoint whose input type has been forgotten; the schema guards it at run time. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With ":name" for a parameter. */
  readonly path: string;
  readonly summary: string;
  /** Where the one input comes from. */
  readonly from: InputPlace;
  /** Of the input; absent for 'none' and 'octets'. */
  readonly input: Schema | undefined;
  /** Of what may stand in the query besides an input from 'params'. */
  readonly query?: Schema | undefined;
  readonly answer: AnswerForm;
  /** Answered without a token. */
  readonly open: boolean;
  /** Requests that are worked on at the same time; others are told to try again. */
  readonly atOnceMax: number;
  /** The other form of its body: a tar archive, which is used as it arrives. */
  readonly tar?: TarForm | undefined;
  /**
   * An object is answered as JSON, bytes as they are, an iterable as lines of JSON as they come.
   * Rejects with an AltNetError.
   */
  run(services: NodeServices, input: unknown, options: CallOptions): Answer | Promise<Answer>;
}

export interface TarForm {
  /** Of the query, which takes the place of the JSON. */
  readonly query: Schema;
  readonly atOnceMax: number;
  run(services: NodeServices, upload: TarUpload, options: CallOptions): Promise<Answer>;
}

export interface TarUpload {
  /** The query. */
  readonly input: unknown;
  /** Of the archive, unpacked. */
  readonly body: AsyncIterable<Uint8Array>;
}

export type Answer = object | Uint8Array | AsyncIterable<object>;

export interface AnswerForm {
  readonly status: 200 | 201;
  /** Of the JSON answer. */
  readonly json?: Schema;
  /** Of each line, where the answer can be a stream of lines. */
  readonly lines?: Schema;
  readonly octets?: true;
  /** Progress can be had: lines of {"progress"}, then {"result"} or {"error"}. */
  readonly long?: true;
}

interface RouteInput<I> {
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly from?: InputPlace;
  readonly input?: Schema;
  readonly query?: Schema;
  readonly answer: Omit<AnswerForm, 'status'> & { readonly status?: 201 };
  readonly open?: true;
  readonly atOnceMax?: number;
  readonly tar?: TarForm;
  readonly run: (
    services: NodeServices,
    input: I,
    options: CallOptions,
  ) => Answer | Promise<Answer>;
}

/** Far more than one program asks for, and fewer than there are connections. */
const anyAtOnceMax = 128;
/** Anyone on this machine may ask for these, so that they cost the network only so much. */
const openAtOnceMax = 8;

/** A route whose `run` takes what its schema describes. */
export function route<I = undefined>(definition: RouteInput<I>): Route {
  const { from = 'none', input, answer, open = false, run, ...rest } = definition;
  const { atOnceMax = open ? openAtOnceMax : anyAtOnceMax } = definition;
  return {
    ...rest,
    from,
    input,
    open,
    atOnceMax,
    answer: { status: 200, ...answer },
    run: (services, value, options) => run(services, value as I, options),
  };
}

export function isIterable(answer: Answer): answer is AsyncIterable<object> {
  return Symbol.asyncIterator in answer;
}

/** `{"<name>": [...], "count"}`, the form of every list. */
export function counted(name: string, items: readonly object[]): object {
  return { [name]: items, count: items.length };
}
