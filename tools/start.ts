/** `npm start`: runs a node from source. `npm start -- --listen :9001` hands options on. */
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import process from 'node:process';

// The same folder as in tools/launch.sh: either way of starting speeds up the other.
enableCompileCache(path.resolve(import.meta.dirname, '../node_modules/.cache/altnet-compile'));
process.argv.splice(2, 0, 'start');
await import('../src/cli/main.ts');
