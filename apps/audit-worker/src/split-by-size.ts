export interface SplitOptions<T> {
  sizeOf(item: T): number
  maxSize: number
}

/** Consecutive parts that are at most `maxSize` large, or hold a single item that is larger. Nothing gives no part. */
export function splitBySize<T>(items: readonly T[], { sizeOf, maxSize }: SplitOptions<T>): T[][] {
  const parts: T[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const item of items) {
    size += sizeOf(item)
    const part = parts.at(-1)
    if (part && size <= maxSize) {
      part.push(item)
    } else {
      parts.push([item])
      size = sizeOf(item)
    }
  }
  return parts
}
