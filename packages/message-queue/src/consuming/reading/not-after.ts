/** A message from the future would never be too old, and could be deferred for ever. */
export function notAfter(firstSeen: Date, publishedAt = firstSeen): Date {
  return publishedAt < firstSeen ? publishedAt : firstSeen
}
