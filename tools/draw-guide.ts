/**
 * `node tools/draw-guide.ts`: draws the two bitmaps of examples/guide, the globe and the icon, from
 * nothing but arithmetic. The pictures are committed: this is here to change them, not to run them.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

const images: string = path.resolve(import.meta.dirname, '../examples/guide/images');

type Point = readonly [x: number, y: number, z: number];
/** Red, green and blue of 0–255, and how much of it covers what is below, 0–1. */
type Paint = readonly [r: number, g: number, b: number, cover: number];

const teal: Paint = [18, 148, 128, 1];
const orange: Paint = [240, 138, 62, 1];
const ink: Paint = [10, 84, 74, 1];
const white: Paint = [255, 255, 255, 1];

/** A square picture of pixels that do not know their background: straight alpha. */
class Canvas {
  readonly size: number;
  readonly #pixels: Float64Array;

  constructor(size: number) {
    this.size = size;
    this.#pixels = new Float64Array(size * size * 4);
  }

  /** Lays `paint` over one pixel; `strength` 0–1 is how much of the pixel the shape covers. */
  blend(x: number, y: number, [r, g, b, cover]: Paint, strength: number): void {
    if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
    const at = (y * this.size + x) * 4;
    const above = cover * strength;
    const below = (this.#pixels[at + 3] ?? 0) * (1 - above);
    const alpha = above + below;
    if (alpha === 0) return;
    for (const [i, colour] of [r, g, b].entries()) {
      this.#pixels[at + i] = (colour * above + (this.#pixels[at + i] ?? 0) * below) / alpha;
    }
    this.#pixels[at + 3] = alpha;
  }

  /** A disc with a soft edge; `blur` is the width of the edge in pixels. */
  disc([cx, cy]: readonly [number, number], radius: number, paint: Paint, blur = 1): void {
    const reach = Math.ceil(radius + blur);
    for (let y = Math.floor(cy - reach); y <= cy + reach; y++) {
      for (let x = Math.floor(cx - reach); x <= cx + reach; x++) {
        const distance = Math.hypot(x + 0.5 - cx, y + 0.5 - cy);
        const strength = Math.min(1, Math.max(0, (radius + blur / 2 - distance) / blur));
        if (strength > 0) this.blend(x, y, paint, strength);
      }
    }
  }

  /** Eight bits a channel, not interlaced. */
  png(): Buffer {
    const stride = this.size * 4 + 1;
    const raw = Buffer.alloc(stride * this.size);
    for (let y = 0; y < this.size; y++) {
      for (let i = 0; i < this.size * 4; i++) {
        const value = this.#pixels[y * this.size * 4 + i] ?? 0;
        raw[y * stride + 1 + i] = Math.round(i % 4 === 3 ? value * 255 : value);
      }
    }
    const header = Buffer.alloc(13);
    header.writeUInt32BE(this.size, 0);
    header.writeUInt32BE(this.size, 4);
    header.set([8, 6, 0, 0, 0], 8);
    return Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      pngChunk('IHDR', header),
      pngChunk('IDAT', deflateSync(raw, { level: 9 })),
      pngChunk('IEND', Buffer.alloc(0)),
    ]);
  }
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** Degrees of latitude and longitude as a point of the unit sphere, seen from a little above. */
function onSphere(latitude: number, longitude: number): Point {
  const tilt = (18 * Math.PI) / 180;
  const [lat, lon] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  const [x, y, z] = [Math.cos(lat) * Math.sin(lon), Math.sin(lat), Math.cos(lat) * Math.cos(lon)];
  return [x, y * Math.cos(tilt) - z * Math.sin(tilt), y * Math.sin(tilt) + z * Math.cos(tilt)];
}

/** The point a fraction of the way along the great circle from `a` to `b`, lifted in the middle. */
function along(a: Point, b: Point, fraction: number, lift: number): Point {
  const angle = Math.acos(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
  const [p, q] = [Math.sin((1 - fraction) * angle), Math.sin(fraction * angle)];
  const height = (1 + lift * Math.sin(Math.PI * fraction)) / Math.sin(angle);
  return [
    (p * a[0] + q * b[0]) * height,
    (p * a[1] + q * b[1]) * height,
    (p * a[2] + q * b[2]) * height,
  ];
}

const fade = ([r, g, b]: Paint, cover: number): Paint => [r, g, b, cover];

function drawGlobe(): Buffer {
  const canvas = new Canvas(720);
  const radius = 292;
  const place = ([x, y]: Point): [number, number] => [360 + x * radius, 360 - y * radius];

  for (let glow = 12; glow > 0; glow--) canvas.disc([360, 360], radius - 4, fade(teal, 0.006), 60);
  const dots = 1500; // laid out on a spiral, so that they stand evenly
  for (let i = 0; i < dots; i++) {
    const latitude = (Math.asin(1 - (2 * (i + 0.5)) / dots) * 180) / Math.PI;
    const point = onSphere(latitude, (i * 137.50776) % 360);
    const near = (point[2] + 1) / 2; // 0 at the far side
    const size = point[2] > 0 ? 1.5 + 1.9 * near : 1.3;
    canvas.disc(place(point), size, fade(teal, point[2] > 0 ? 0.22 + 0.6 * point[2] : 0.09), 1.2);
  }

  const peers = [
    onSphere(52, -38),
    onSphere(34, 34),
    onSphere(8, -8),
    onSphere(-14, 44),
    onSphere(-6, -52),
    onSphere(58, 18),
    onSphere(-32, -4),
  ];
  const pairs = [[0, 2], [2, 1], [1, 3], [4, 2], [0, 5], [5, 1], [2, 6], [6, 3], [4, 0]] as const; // prettier-ignore
  for (const [from, to] of pairs) {
    const [a, b] = [peers[from], peers[to]];
    if (!a || !b) continue;
    for (let step = 0; step <= 600; step++) {
      canvas.disc(place(along(a, b, step / 600, 0.1)), 1.1, fade(orange, 0.3), 1.2);
    }
  }
  for (const peer of peers) {
    canvas.disc(place(peer), 15, fade(orange, 0.22), 12);
    canvas.disc(place(peer), 7.5, orange, 1.4);
    canvas.disc(place(peer), 3, white, 1.4);
  }
  return canvas.png();
}

/** Three peers in a ring: one alone is off, the ring holds. */
function drawIcon(): Buffer {
  const canvas = new Canvas(128);
  canvas.disc([64, 64], 62, ink, 1.4);
  for (let step = 0; step < 720; step++) {
    const angle = (step * Math.PI) / 360;
    canvas.disc(
      [64 + 34 * Math.cos(angle), 64 + 34 * Math.sin(angle)],
      3.2,
      [99, 212, 189, 0.6],
      1.2,
    );
  }
  for (const [degrees, paint] of [
    [-90, orange],
    [30, white],
    [150, white],
  ] as const) {
    const angle = (degrees * Math.PI) / 180;
    const spot = [64 + 34 * Math.cos(angle), 64 + 34 * Math.sin(angle)] as const;
    canvas.disc(spot, 17, ink, 1.4);
    canvas.disc(spot, 13, paint, 1.4);
  }
  return canvas.png();
}

writeFileSync(path.join(images, 'globe.png'), drawGlobe());
writeFileSync(path.join(images, 'icon.png'), drawIcon());
