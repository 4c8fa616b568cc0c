/** A disk worker that dies over whatever it is asked. */
import process from 'node:process';
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', () => process.exit(1));
