/**
 * `npm start`: bin/altnet start. `npm start -- --listen :9001` hands options on. This process
 * becomes that one where the system can do so, so that nothing else stays in memory.
 */
import path from 'node:path';
import process from 'node:process';

const words: string[] = ['start', ...process.argv.slice(2)];
if (process.execve && process.platform !== 'win32') {
  const program = path.resolve(import.meta.dirname, '../bin/altnet');
  process.execve(program, [program, ...words], { ...process.env, ALTNET_WITH_PARENT: '1' });
} else {
  // Without a shell: from the sources, in this process.
  process.argv.splice(2, Infinity, ...words);
  await import('../src/cli/main.ts');
}
