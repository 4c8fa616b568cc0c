/** Media types by file name. The content never decides: what is served as text stays text. */
import { mimes } from 'mrmime';

const bytesType = 'application/octet-stream';
const textType = 'text/plain; charset=utf-8';

/** Files that by custom have no ending and hold text. */
const plainNames: ReadonlySet<string> = new Set([
  'authors',
  'changelog',
  'cname',
  'contributing',
  'copying',
  'license',
  'makefile',
  'notice',
  'readme',
]);

export const htmlType = 'text/html';

export function mediaTypeOf(fileName: string): string {
  const name = fileName.toLowerCase();
  if (!name.includes('.')) return plainNames.has(name) ? textType : bytesType;
  const ending = name.slice(name.lastIndexOf('.') + 1);
  const type = (Object.hasOwn(mimes, ending) ? mimes[ending] : undefined) ?? bytesType;
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}
