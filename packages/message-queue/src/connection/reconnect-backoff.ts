/** For everything that is begun again until the broker is there, in milliseconds: see `backoffMs`. */
export const reconnectBackoff = { first: 100, max: 3_000 }
