import { Agent } from 'node:https'
import type { TLSSocket } from 'node:tls'

export interface SocketAgentOptions {
  /** Connected already; used first. */
  first: TLSSocket
  /** Makes a connected socket. */
  openSocket(): Promise<TLSSocket>
  maxSockets: number
  /** How long a socket is kept for the next request. */
  idleMs: number
}

/** Node's agent, but with sockets that are connected elsewhere, and an end that can be awaited. */
export class SocketAgent extends Agent {
  /** Resolves when the agent was ended and every socket is closed. */
  readonly ended: Promise<void>
  readonly #openSocket: () => Promise<TLSSocket>
  readonly #sockets = new Set<TLSSocket>()
  #first: TLSSocket | undefined
  #ending = false
  #resolveEnded: () => void = () => {}

  constructor({ first, openSocket, maxSockets, idleMs }: SocketAgentOptions) {
    super({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets, timeout: idleMs })
    this.#openSocket = openSocket
    this.#first = first
    this.#keep(first)
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
  }

  override createConnection(_options: object, callback?: (error: Error | null, socket: TLSSocket) => void) {
    const first = this.#first
    this.#first = undefined
    if (first && !first.destroyed) return first
    this.#openSocket().then(
      (socket) => {
        this.#keep(socket)
        if (this.#ending) socket.destroy()
        callback?.(null, socket)
      },
      (error) => callback?.(error, undefined as never),
    )
    return undefined
  }

  /** Closes every socket, in use or not. */
  end(): void {
    this.#ending = true
    this.destroy()
    for (const socket of this.#sockets) socket.destroy()
    this.#settleEnd()
  }

  #keep(socket: TLSSocket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#settleEnd()
    })
  }

  #settleEnd(): void {
    if (this.#ending && this.#sockets.size === 0) this.#resolveEnded()
  }
}
