/** The program `alternate`: the process around runAlternate. Importing it runs it. */
import process from 'node:process';
import { runAlternate } from './alternate.ts';
import { runProcess } from './process.ts';

await runProcess('alternate', (surroundings) => runAlternate(process.argv.slice(2), surroundings));
