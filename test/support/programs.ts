/** Programs of the system that some tests need and not every machine has. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** In one line, that a program is not there; false where it is. */
export function programMissing(name: string): string | false {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  const isThere = folders.some((folder) => {
    try {
      accessSync(path.join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return isThere ? false : `this needs the program ${name}`;
}
