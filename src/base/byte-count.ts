/** Numbers of bytes as people read them. */

const unitNames = ['kB', 'MB', 'GB', 'TB'] as const;

/** "0 bytes", "1 byte", "12.3 kB": decimal units, as disks and networks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  let value = bytes;
  let unit: string = unitNames[0];
  for (const name of unitNames) {
    unit = name;
    value /= 1000;
    if (value < 999.5) break;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
