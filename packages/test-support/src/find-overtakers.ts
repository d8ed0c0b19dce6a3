/**
 * Takes items in the order in which they were sent, and finds those whose place is before that of an earlier one. An item
 * without a place is left out.
 */
export function findOvertakers<T>(inOrder: Iterable<T>, placeOf: (item: T) => number | undefined): T[] {
  const overtakers: T[] = []
  let furthest = Number.NEGATIVE_INFINITY
  for (const item of inOrder) {
    const place = placeOf(item)
    if (place === undefined) continue
    if (place < furthest) overtakers.push(item)
    else furthest = place
  }
  return overtakers
}
