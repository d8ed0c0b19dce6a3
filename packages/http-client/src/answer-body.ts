export interface AnswerBody {
  /** Takes what there is room for; false when the limit is passed. */
  add(chunk: Buffer): boolean
  toBuffer(): Buffer
}

/** What a server sends, up to a limit: an answer without end must not fill the memory. */
export function createAnswerBody(maxBytes: number): AnswerBody {
  const chunks: Buffer[] = []
  let room = maxBytes
  return {
    add(chunk) {
      if (room > 0) chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk)
      room -= chunk.length
      return room >= 0
    },
    toBuffer: () => Buffer.concat(chunks),
  }
}
