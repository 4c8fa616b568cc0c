/** The OpenAPI 3.1 document, made from the same table and schemas that the server enforces. */
import { gzipType, tarType } from './media-types.ts';
import { ndjsonType } from './ndjson.ts';
import type { AnswerForm, Route } from './route.ts';
import { errorSchema, progressSchema } from './outputs.ts';
import type { Schema } from './schema.ts';

const jsonType = 'application/json';
const octetsType = 'application/octet-stream';

export function openApiDocument(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    const operations = (paths[path] ??= {});
    operations[route.method.toLowerCase()] = describeRoute(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'AltNet node',
      version: '1',
      description: 'What a running AltNet node does for its owner. Roots and IDs are hexadecimal.',
    },
    security: [{ token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: errorSchema, Progress: progressSchema },
    },
    paths,
  };
}

function describeRoute(route: Route): object {
  const { summary, open, answer } = route;
  return {
    summary,
    operationId: operationId(route),
    ...(open && { security: [] }),
    ...describeInput(route),
    responses: {
      [answer.status]: { description: 'Done', content: describeAnswer(answer) },
      default: {
        description: 'An error: `error` is a sentence for people, `code` one for programs',
        content: { [jsonType]: { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

/** "getCheckName" of GET /api/check/:name. */
function operationId({ method, path }: Route): string {
  const words = path.replace('/api/', '').split(/\W+/);
  const title = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return method.toLowerCase() + title.join('');
}

function describeInput({ from, input, query, tar }: Route): object {
  if (from === 'none') return {};
  if (from === 'params') {
    return { parameters: [...parametersOf(input, 'path'), ...parametersOf(query, 'query')] };
  }
  if (from === 'query') return { parameters: parametersOf(input, 'query') };
  const octets = { schema: { type: 'string', format: 'binary' } };
  const content =
    from === 'body'
      ? { [jsonType]: { schema: input }, ...(tar && { [tarType]: octets, [gzipType]: octets }) }
      : { [octetsType]: octets, 'text/plain': octets };
  return {
    ...(tar && { parameters: parametersOf(tar.query, 'query') }),
    requestBody: { required: true, content },
  };
}

function parametersOf(input: Schema | undefined, place: 'path' | 'query'): object[] {
  const properties = (input?.['properties'] ?? {}) as Record<string, Schema>;
  const required = (input?.['required'] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema,
  }));
}

function describeAnswer({ json, lines, octets, long }: AnswerForm): object {
  const content: Record<string, object> = {};
  if (json !== undefined) content[jsonType] = { schema: json };
  if (octets) content[octetsType] = { schema: { type: 'string', format: 'binary' } };
  const line = long ? { oneOf: longLines(json) } : lines;
  if (line !== undefined) content[ndjsonType] = { schema: line };
  return content;
}

function longLines(result: Schema | undefined): Schema[] {
  return [
    lineOf('progress', { $ref: '#/components/schemas/Progress' }),
    lineOf('result', result ?? {}),
    { $ref: '#/components/schemas/Error' },
  ];
}

function lineOf(name: string, schema: Schema): Schema {
  return { type: 'object', required: [name], properties: { [name]: schema } };
}
