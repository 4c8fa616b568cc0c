/** Prints the path of the Node.js that tools/run.mjs chose, for tools/launch.sh to remember. */
import process from 'node:process';

process.stdout.write(`${process.execPath}\n`);
