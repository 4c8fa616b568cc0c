/** Labels under .alt that other systems use: nobody registers them here, nothing answers for them. */

export const otherSystems: ReadonlySet<string> = new Set(['gns', 'i2p']);
