/**
 * Places for what is under way, of which a part is kept for this machine: its resolver works on
 * while others in its network ask for as much as they can. Knows nothing of what they are places
 * for.
 */
export class Seats {
  readonly #max: number;
  #taken = 0;
  #takenByOthers = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** What gives the place back (once); undefined when there is none. */
  take(isHere: boolean): (() => void) | undefined {
    if (this.#taken >= this.#max) return undefined;
    if (!isHere && this.#takenByOthers >= Math.ceil(this.#max / 2)) return undefined;
    this.#taken++;
    if (!isHere) this.#takenByOthers++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#taken--;
      if (!isHere) this.#takenByOthers--;
    };
  }
}
