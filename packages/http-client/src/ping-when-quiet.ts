import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Http2Rules } from './http2-rules.js'

export interface PingOptions extends Pick<Http2Rules, 'pingMs' | 'pongMs'> {
  session: ClientHttp2Session
  socket: Pick<Socket, 'bytesRead'>
  /** Called when the server has not answered in time. */
  onSilence(): void
}

/**
 * Asks a server that has said nothing for a while whether it is there: a connection that a firewall has forgotten looks
 * open until something is sent. Ends with the session.
 */
export function pingWhenQuiet({ session, socket, pingMs, pongMs, onSilence }: PingOptions): void {
  let bytesBefore = socket.bytesRead
  let late: NodeJS.Timeout | undefined

  function ask(): void {
    late = setTimeout(onSilence, pongMs).unref()
    session.ping(() => clearTimeout(late))
  }

  const timer = setInterval(() => {
    const isQuiet = socket.bytesRead === bytesBefore
    bytesBefore = socket.bytesRead
    if (isQuiet && !session.closed && !session.destroyed) ask()
  }, pingMs).unref()
  session.once('close', () => {
    clearInterval(timer)
    clearTimeout(late)
  })
}
