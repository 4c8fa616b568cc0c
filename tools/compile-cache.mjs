// Preloaded by test processes (`--import`): what is compiled once, types stripped, is kept for all of
// them and for the next run. Not for the commands in bin/, which keep their own (tools/launch.sh),
// and not where coverage is taken: compiled code from a cache is counted less exactly.
import { enableCompileCache } from 'node:module';
import path from 'node:path';

enableCompileCache(path.resolve(import.meta.dirname, '../node_modules/.cache/altnet-tests'));
