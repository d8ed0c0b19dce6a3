// @ts-check

/**
 * @template T
 * @param {readonly T[]} items
 * @param {number} size of a group; the last may have fewer
 */
export function inGroups(items, size) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, group) =>
    items.slice(group * size, (group + 1) * size),
  )
}
