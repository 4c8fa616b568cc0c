/** `npm start`: runs a node from source. */
import process from 'node:process';

process.argv.splice(2, 0, 'start');
await import('../src/cli/main.ts');
