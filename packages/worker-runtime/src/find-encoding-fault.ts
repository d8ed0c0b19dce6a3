/** Any message may hold any character: another encoding would refuse some, as if the publisher were at fault. */
export function findEncodingFault(encoding: string): string | undefined {
  if (encoding === 'UTF8') return undefined
  return `The database needs UTF8, found ${encoding}: make it with ENCODING 'UTF8' TEMPLATE template0`
}
