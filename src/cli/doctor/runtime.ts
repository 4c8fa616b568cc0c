/** Whether this Node.js can run the program. */
import process from 'node:process';
import { type Check, fail, type Finding, ok } from './finding.ts';

/** As package.json says in `engines`: below, types are not stripped as this program needs it. */
const versionMin = { major: 24, minor: 15 } as const;

export const runtime: Check = {
  name: 'runtime',
  run: async ({ version }) => [judgeRuntime(process.versions.node, version)],
};

/** `node`: "24.21.0". */
export function judgeRuntime(node: string, version: string): Finding {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const found = `altnet ${version} on Node.js ${node}, ${process.platform} ${process.arch}`;
  const isUneven = major % 2 === 1; // never maintained for long, and not tested with
  const isOld =
    major < versionMin.major || (major === versionMin.major && minor < versionMin.minor);
  if (!isOld && !isUneven) return ok(found);
  const wanted = `${versionMin.major}.${versionMin.minor}`;
  return fail(
    found,
    `run it with Node.js ${wanted} or newer of an even version; ./bin/altnet of a checkout brings its own`,
  );
}
