/**
 * JSON Schemas and what they are built of. `shape` ties the schema of an object to its interface,
 * so that the two cannot part.
 */

export type Schema = Readonly<Record<string, unknown>>;

type RequiredKey<T> = {
  [K in keyof T]-?: T extends Record<K, T[K]> ? K : never;
}[keyof T];
type OptionalKey<T> = Exclude<keyof T, RequiredKey<T>>;

/** The schema of an object: its required properties, then those that may be missing. No others. */
export function shape<T>(
  required: Readonly<Record<RequiredKey<T>, Schema>>,
  optional: Readonly<Record<OptionalKey<T>, Schema>>,
): Schema {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

/** The schema of `{"<name>": [...], "count"}`: lists are never bare, so that fields can be added. */
export function countedList(name: string, items: Schema): Schema {
  return {
    type: 'object',
    required: [name, 'count'],
    properties: { [name]: list(items), count },
    additionalProperties: false,
  };
}

export const text: Schema = { type: 'string' };
export const count: Schema = { type: 'integer', minimum: 0 };
export const number: Schema = { type: 'number' };
export const boolean: Schema = { type: 'boolean' };
export const hash: Schema = {
  type: 'string',
  pattern: '^[0-9a-f]{64}$',
  description: '64 hex digits',
};
export const cid: Schema = { type: 'string', description: 'CIDv1, base32' };
export const unixTime: Schema = { ...count, description: 'Unix seconds' };
export const counts: Schema = { type: 'object', additionalProperties: count };
