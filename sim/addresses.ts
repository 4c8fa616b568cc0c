/** Where simulated nodes stand: public IPv4 addresses in more or less crowded networks. */
import type { SeededRandom } from './random.ts';

/**
 * 'apart': alone in its /24, and in its /16 as well until those are used up: no rule about networks
 * bites. 'hosted': half at home, anywhere; half with hosters, who have a few dozen /16 networks
 * between them, the largest with a tenth of all nodes, and several nodes in many a /24.
 */
export type AddressPlan = 'apart' | 'hosted';

/** From 20.0/16 to 126.255/16: all public. */
const wideNetworks = 107 * 256;
const hostedWides = 64;
const hostedNarrowsEach = 48;
const hostedShare = 0.5;
/** The harmonic sum over the hosters' networks. */
const hostedWeight: number = Array.from({ length: hostedWides }, (_, i) => 1 / (i + 1)).reduce(
  (a, b) => a + b,
);

export class Addresses {
  readonly #plan: AddressPlan;
  readonly #random: SeededRandom;
  readonly #used = new Set<number>(); // BOUNDED by the nodes
  #next = 0;

  constructor(plan: AddressPlan, random: SeededRandom) {
    this.#plan = plan;
    this.#random = random;
  }

  /** One that nobody got before. */
  take(): Uint8Array {
    if (this.#plan === 'apart') return apart(this.#next++);
    for (;;) {
      const ip = this.#random.fraction() < hostedShare ? this.#hosted() : this.#home();
      const number = new DataView(ip.buffer).getUint32(0);
      if (this.#used.has(number)) continue;
      this.#used.add(number);
      return ip;
    }
  }

  #home(): Uint8Array {
    const random = this.#random;
    const host = 1 + random.below(254);
    return address(random.below(wideNetworks), { narrow: random.below(256), host });
  }

  /** The n-th network has 1/n of the first one's nodes. */
  #hosted(): Uint8Array {
    const random = this.#random;
    let left = random.fraction() * hostedWeight;
    let wide = 0;
    while (wide < hostedWides - 1 && left > 1 / (wide + 1)) left -= 1 / ++wide;
    const network = (wide * 401) % wideNetworks; // scattered
    const host = 1 + random.below(254);
    return address(network, { narrow: random.below(hostedNarrowsEach), host });
  }
}

function apart(index: number): Uint8Array {
  return address(index % wideNetworks, { narrow: Math.floor(index / wideNetworks), host: 1 });
}

function address(wide: number, { narrow, host }: { narrow: number; host: number }): Uint8Array {
  const [a, b] = [20 + (wide >> 8), wide & 255];
  // 100.64/10 is not public: its part of the plan is elsewhere.
  return Uint8Array.of(a === 100 && b >> 6 === 1 ? 130 : a, b, narrow, host);
}
