/** Where this program is installed: what a service starts, and what sudo is told to run. */
import path from 'node:path';

/** Two levels below the checkout, in the sources and in a bundle. */
export const installationFolder: string = path.resolve(import.meta.dirname, '../..');

/** The launcher, which finds the Node.js that belongs to it; absolute. */
export const launcher: string = path.join(installationFolder, 'bin', 'altnet');
