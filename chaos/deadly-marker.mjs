// @ts-check

/** In the body of a message that is deadly. */
export const deadlyMarker = 'this message is deadly'
