/** The program `altnet`: the process around runAltnet. Importing it runs it. */
import process from 'node:process';
import { runAltnet } from './altnet.ts';
import { runProcess } from './process.ts';

await runProcess('altnet', (surroundings) => runAltnet(process.argv.slice(2), surroundings));
