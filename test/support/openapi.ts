/**
 * Answers of the API, held against the schemas of the OpenAPI document that the API itself gives.
 * Both are the node's own words: a test says besides what must be in them.
 */
import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: 'path' | 'query';
    readonly required: boolean;
    readonly schema: Readonly<Record<string, unknown>>;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: object }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface GivenAnswer {
  readonly method: string;
  /** As in the document: "/api/check/{name}". */
  readonly path: string;
  readonly status: number;
  /** With or without parameters such as charset. */
  readonly type: string;
  readonly body: unknown;
}

export class DocumentedAnswers {
  readonly document: ApiDocument;
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<string, ValidateFunction>(); // BOUNDED by the document

  constructor(document: ApiDocument) {
    this.document = document;
    this.#ajv = new Ajv2020({ strict: false, validateFormats: false });
    this.#ajv.addSchema(document, 'document');
  }

  /** Fails for an answer that the document does not describe. */
  check({ method, path, status, type, body }: GivenAnswer): void {
    const operation = this.document.paths[path]?.[method.toLowerCase()];
    assert.ok(operation, `${method} ${path} is in the document`);
    const key = operation.responses[status] ? String(status) : 'default';
    assert.ok(status >= 400 || key !== 'default', `${method} ${path} may answer ${status}`);
    const essence = type.split(';')[0] ?? '';
    const content = operation.responses[key]?.content[essence];
    assert.ok(content, `${method} ${path} ${status} may be ${essence}`);
    const steps = ['paths', path, method.toLowerCase(), 'responses', key, 'content', essence];
    const validate = this.#validator([...steps, 'schema']);
    const isValid = validate(body);
    const why = this.#ajv.errorsText(validate.errors);
    assert.ok(isValid, `${method} ${path} ${status}: ${why}\n${JSON.stringify(body)}`);
  }

  #validator(steps: readonly string[]): ValidateFunction {
    const escaped = steps.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1'));
    const pointer = escaped.map(encodeURIComponent).join('/');
    const known = this.#compiled.get(pointer);
    if (known) return known;
    const made = this.#ajv.compile({ $ref: `document#/${pointer}` });
    this.#compiled.set(pointer, made);
    return made;
  }
}
