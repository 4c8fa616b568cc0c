/** Passes a record on, once: to contacts of the table, and to some of those who are connected. */
import type { Background } from '../content/background.ts';
import type { AnnounceStreams } from './announce-streams.ts';
import type { TakenRecord } from './intake.ts';
import type { ListNetwork } from './ports.ts';

export interface PassOnDeps {
  readonly network: Pick<ListNetwork, 'announce'>;
  /** Left out: nobody is told over connections. */
  readonly streams: AnnounceStreams | undefined;
  readonly background: Background;
  readonly signal: AbortSignal;
}

export class PassOn {
  readonly #deps: PassOnDeps;
  #records = 0;
  #told = 0;

  constructor(deps: PassOnDeps) {
    this.#deps = deps;
  }

  /** Since the start: records, and how many nodes heard of them over UDP. */
  get counts(): { readonly passedOn: number; readonly told: number } {
    return { passedOn: this.#records, told: this.#told };
  }

  /** What is taken is newer than all before, so none is passed on twice. */
  pass({ record, from }: TakenRecord): void {
    const { network, streams, background, signal } = this.#deps;
    if (signal.aborted) return;
    this.#records++;
    const tell = async (): Promise<void> => {
      this.#told += await network.announce(record, { except: from, signal });
    };
    background.add(tell());
    if (streams) background.add(streams.send(record, { except: from, signal }));
  }
}
