/** The endpoints for the node's blocklist (docs/spec/http.md, "API"). */
import type { BlocklistInfo, BlockResult } from './ports-trust.ts';
import { type Route, route } from './route.ts';
import { boolean, count, list, type Schema, shape, text } from './schema.ts';

interface BlockInput {
  what: string;
  note?: string;
}

const whatInput: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 4096,
  description: 'root, name or URL; or a line of the list, such as /ipfs/CID/path',
};
const noteInput: Schema = {
  type: 'string',
  maxLength: 200,
  description: 'for people, kept with the line',
};

const blockResult = shape<BlockResult>({ entry: text, changed: boolean, chunk_count: count }, {});
const blocklistInfo = shape<BlocklistInfo>(
  {
    file: text,
    entries: list(text),
    count,
    bad: list(shape<BlocklistInfo['bad'][number]>({ line: count, why: text }, {})),
    bad_count: count,
    foreign_count: count,
  },
  {},
);

export const blocklistRoutes: readonly Route[] = [
  route<BlockInput>({
    method: 'POST',
    path: '/api/block',
    summary: 'Refuse a root, name or URL from now on, and drop it from the disk',
    from: 'body',
    input: shape<BlockInput>({ what: whatInput }, { note: noteInput }),
    answer: { json: blockResult },
    run: (services, input) => services.block(input),
  }),
  route<{ what: string }>({
    method: 'POST',
    path: '/api/unblock',
    summary: 'Allow a root, name or URL again',
    from: 'body',
    input: shape<{ what: string }>({ what: whatInput }, {}),
    answer: { json: blockResult },
    run: (services, input) => services.unblock(input),
  }),
  route({
    method: 'GET',
    path: '/api/blocklist',
    summary: 'What this node refuses, as its list says',
    answer: { json: blocklistInfo },
    run: (services) => services.blocklist(),
  }),
];
