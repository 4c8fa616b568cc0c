/** Labels under .alt that other systems use: they are neither registered nor answered for here. */

export const otherSystems: ReadonlySet<string> = new Set(['gns', 'i2p']);
