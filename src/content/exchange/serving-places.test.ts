import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { type Guest, type Place, type PlacesOptions, ServingPlaces } from './serving-places.ts';

interface Trial {
  readonly places: ServingPlaces;
  readonly advance: (ms: number) => void;
  /** Names of those who had to leave, in order. */
  readonly left: string[];
  readonly take: (peer: string, network?: string) => Place | undefined;
}

function trial(options: PlacesOptions): Trial {
  const world = manualWorld();
  const places = new ServingPlaces(options, world.clock);
  const left: string[] = [];
  return {
    places,
    advance: (ms) => world.advance(ms),
    left,
    take(peer, network) {
      const guest: Guest = {
        peer,
        network,
        leave: (isIdle) => void left.push(isIdle ? `${peer} idle` : peer),
      };
      const place = places.take(guest);
      if (place) places.setIdle(place, false);
      return place;
    },
  };
}

test('a peer, a network and all together have so many places', () => {
  const { places, take } = trial({ streamsMax: 6, streamsPerPeerMax: 2, streamsPerNetworkMax: 3 });
  assert.ok(take('a', 'n') && take('a', 'n'));
  assert.equal(take('a', 'n'), undefined);
  assert.equal(places.refusals.peer, 1);
  const third = take('b', 'n');
  assert.ok(third);
  assert.equal(take('c', 'n'), undefined);
  assert.equal(places.refusals.network, 1);
  assert.ok(take('d', 'm') && take('e') && take('f'), 'others, and neighbours');
  assert.equal(take('g'), undefined);
  assert.equal(places.refusals.total, 1);
  places.give(third);
  assert.ok(take('g'));
});

test('who asks nothing makes way, then who takes nothing, and only inside a full network', () => {
  const { places, take, left, advance } = trial({ streamsMax: 3, streamsPerNetworkMax: 2 });
  const [a, b, c] = [take('a', 'n'), take('b', 'n'), take('c', 'm')];
  assert.ok(a && b && c);
  places.setIdle(c, true);
  assert.equal(take('d', 'n'), undefined, 'that of another network is of no use');
  places.setIdle(b, true);
  assert.ok(take('d', 'n'));
  assert.ok(take('e'));
  assert.deepEqual(left, ['b idle', 'c idle']);
  advance(4999);
  places.progressed(a);
  assert.equal(take('f'), undefined);
  advance(1);
  assert.ok(take('f'));
  assert.equal(left.at(-1), 'd', 'the one that has taken nothing for longest');
  assert.deepEqual(
    { ...places.refusals },
    { peer: 0, network: 1, total: 1, idle: 2, stalled: 1, memory: 0 },
  );
});

test('memory is taken from the network that holds most, and counted exactly', () => {
  const { places, take, left } = trial({ memoryBytesMax: 1000 });
  const [a, b, c, reader] = [take('a', 'n'), take('b', 'n'), take('c', 'm'), take('reader')];
  assert.ok(a && b && c && reader);
  assert.ok(places.hold(a, 300) && places.hold(b, 250) && places.hold(c, 400));
  assert.ok(places.hold(reader, 50));
  assert.equal(places.bytes, 1000);
  assert.ok(places.hold(reader, 60));
  assert.deepEqual(left, ['a'], 'the larger one of the larger network');
  assert.equal(places.bytes, 710);
  assert.equal(places.hold(a, 10), false, 'it has left');
  assert.equal(places.hold(c, 2000), false, 'it is told itself');
  assert.equal(places.refusals.memory, 2);
  assert.equal(places.bytes, 710, 'what is refused is not counted');
  for (const place of [b, c, reader]) places.give(place);
  assert.equal(places.bytes, 0);
});
