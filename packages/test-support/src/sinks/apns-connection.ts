import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { TokenHistory } from './verify-provider-token.js'

/** A GOAWAY that is said when so many streams are in flight. */
export interface ApnsGoaway {
  /** Streams, on a connection that has shown a valid token, whose answers are held back until then. */
  streams: number
  /** So many of them are processed, the earliest; the others are above the last stream that the GOAWAY names. */
  processed: number
  /** Apple's word, in JSON. */
  reason: string
  /** Default 0, NO_ERROR. */
  errorCode?: number
  /** True: those that are processed are answered too. False: the connection is closed instead. Default true. */
  answers?: boolean
}

/** `lose` means that a stream is processed, and its answer lost. */
export type StreamFate = 'serve' | 'lose' | 'ignore'

/** One session, as Apple sees it. */
export interface ApnsConnection {
  /** Counts from 1 the connections that had a request. */
  number: number
  history: TokenHistory
  /** Streams that are open. */
  readonly inFlight: number
  add(stream: ServerHttp2Stream): void
  /** A request with a valid token was posted: now as many streams as the settings say. */
  prove(maxConcurrentStreams: number): void
  /** Changes the settings of a connection that has shown a valid token. */
  resize(maxConcurrentStreams: number): void
  /** Holds a stream back until the GOAWAY is said, if it is for this connection. */
  hold(stream: ServerHttp2Stream, goaway: ApnsGoaway, onGoaway: () => void): Promise<StreamFate>
}

export function createApnsConnection(session: ServerHttp2Session, number: number): ApnsConnection {
  const streams = new Set<ServerHttp2Stream>()
  const held: { id: number; settle(fate: StreamFate): void }[] = []
  let isProven = false

  const resize = (maxConcurrentStreams: number) => {
    if (isProven && !session.destroyed) session.settings({ maxConcurrentStreams })
  }

  function say({ processed, reason, errorCode = constants.NGHTTP2_NO_ERROR, answers = true }: ApnsGoaway): void {
    held.sort((one, other) => one.id - other.id)
    // The stream before the first one that is held has shown the token.
    const lastStreamId = held[processed - 1]?.id ?? Number(held[0]?.id) - 2
    session.goaway(errorCode, lastStreamId, Buffer.from(JSON.stringify({ reason })))
    for (const { id, settle } of held.splice(0)) {
      if (id > lastStreamId) settle('ignore')
      else settle(answers ? 'serve' : 'lose')
    }
  }

  return {
    number,
    history: {},
    get inFlight() {
      return streams.size
    },
    add(stream) {
      streams.add(stream)
      stream.once('close', () => streams.delete(stream))
    },
    prove(maxConcurrentStreams) {
      if (isProven) return
      isProven = true
      resize(maxConcurrentStreams)
    },
    resize,
    hold(stream, goaway, onGoaway) {
      if (!isProven) return Promise.resolve('serve')
      return new Promise((settle) => {
        held.push({ id: Number(stream.id), settle })
        if (held.length < goaway.streams) return
        onGoaway()
        say(goaway)
      })
    },
  }
}
