/**
 * Bodies as tables of fields: each kind lists its fields once, with number, type and limits, and
 * gets its encoder and its parser from that list. Knows no kind.
 */
import { type Bytes, utf8 } from '../base/bytes.ts';
import { type Body, type BodyValue, encodeBody } from './body.ts';

/** One field of a body: its number, and what values it may have. */
export interface Field<T> {
  readonly number: number;
  /** The value, or undefined when it breaks a limit. */
  read(value: BodyValue): T | undefined;
  write(value: T): BodyValue;
}

export interface OptionalField<T> extends Field<T> {
  readonly optional: true;
}

/** A field for each property; TypeScript holds optional properties to optional fields. */
export type Layout<T> = {
  readonly [K in keyof T]-?: undefined extends T[K]
    ? OptionalField<Exclude<T[K], undefined>>
    : Field<T[K]>;
};

export interface BodyCodec<T> {
  encode(values: T): Bytes;
  /**
   * The values, or undefined when a field is missing or breaks a limit. Fields with unknown
   * numbers are left aside, so that later versions can add some.
   */
  parse(body: Body): T | undefined;
}

export function bodyCodec<T extends object>(layout: Layout<T>): BodyCodec<T> {
  const columns = Object.entries(layout) as [keyof T, Field<unknown>][];
  return {
    encode(values) {
      const fields = columns.map(([name, field]): [number, BodyValue | undefined] => {
        const value: unknown = values[name];
        return [field.number, value === undefined ? undefined : field.write(value)];
      });
      return encodeBody(new Map(fields));
    },
    parse(body) {
      const values: Partial<Record<keyof T, unknown>> = {};
      for (const [name, field] of columns) {
        const raw = body.get(field.number);
        if (raw === undefined && 'optional' in field) continue;
        const value = raw === undefined ? undefined : field.read(raw);
        if (value === undefined) return undefined;
        values[name] = value;
      }
      return values as T;
    },
  };
}

export function optional<T>(field: Field<T>): OptionalField<T> {
  return { ...field, optional: true };
}

/** A field that is carried as it is, if `accept` says so. */
function plain<T extends BodyValue>(
  number: number,
  accept: (value: BodyValue) => value is T,
): Field<T> {
  return {
    number,
    read: (value) => (accept(value) ? value : undefined),
    write: (value) => value,
  };
}

/** Text of 1 to `bytesMax` bytes of UTF-8, no control characters, and whatever `accept` asks. */
export function textField(
  number: number,
  { bytesMax, accept = () => true }: { bytesMax: number; accept?: (text: string) => boolean },
): Field<string> {
  return plain(
    number,
    (value): value is string =>
      typeof value === 'string' && isPlainText(value, bytesMax) && accept(value),
  );
}

/** Whether `text` is shown as it is read: 1 to `bytesMax` bytes, no control characters. */
export function isPlainText(text: string, bytesMax: number): boolean {
  return text !== '' && utf8(text).length <= bytesMax && !/\p{Cc}/u.test(text);
}

/** Exactly `length` bytes. */
export function bytesField(number: number, { length }: { length: number }): Field<Bytes> {
  return plain(number, (value): value is Bytes => isBytes(value, length, length));
}

/** A whole number from 0 to `max`. */
export function uintField(number: number, { max }: { max: number }): Field<number> {
  return plain(number, (value): value is number => isUint(value, max));
}

export function isUint(value: BodyValue | undefined, max: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= max;
}

/** Up to `countMax` byte strings of 1 to `bytesMax` bytes. */
export function bytesListField(
  number: number,
  { countMax, bytesMax }: { countMax: number; bytesMax: number },
): Field<readonly Bytes[]> {
  return plain(
    number,
    (value): value is readonly Bytes[] =>
      Array.isArray(value) &&
      value.length <= countMax &&
      value.every((item: BodyValue) => isBytes(item, 1, bytesMax)),
  );
}

/** Whether `value` is from `min` to `max` bytes. */
export function isBytes(value: BodyValue | undefined, min: number, max: number): value is Bytes {
  return value instanceof Uint8Array && value.length >= min && value.length <= max;
}

/** Bytes in the record, something richer in the program. */
export function mappedField<T>(
  number: number,
  { parse, encode }: { parse: (bytes: Bytes) => T | undefined; encode: (value: T) => Bytes },
): Field<T> {
  return {
    number,
    read: (value) => (value instanceof Uint8Array ? parse(value) : undefined),
    write: encode,
  };
}
