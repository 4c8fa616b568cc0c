/** Where the journals of changes are. Knows names of files only. */
import path from 'node:path';

export type ChangeName = 'dns' | 'ca' | 'service';

/** Of all that is the system's; made for the journals, and gone with the last of them. */
export const systemFolder = '/etc/altnet';

export function systemJournal(name: ChangeName): string {
  return `${systemFolder}/setup-${name}.json`;
}

/** Of what is one user's. */
export function userJournal(data: string, name: ChangeName): string {
  return path.join(data, `setup-${name}.json`);
}
