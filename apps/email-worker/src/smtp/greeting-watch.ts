import { connect, type Socket } from 'node:net'

export interface GreetingWatchOptions {
  host: string
  port: number
  /** Replaced by tests. */
  times?: Partial<typeof defaultTimes>
}

interface Watched {
  socket: Socket
  since: number
}

const defaultTimes = {
  /** For the TCP connection. */
  connectMs: 10_000,
  /** After so long somebody looks whether the server greets others. */
  patienceMs: 10_000,
  scoutEveryMs: 3_000,
  lookEveryMs: 1_000,
}

/**
 * Makes the sockets of a mail server's connections, and ends those that wait in vain. A greeting may take five minutes
 * (RFC 5321, section 4.5.3.2.1), but a server that has hung and is well again often never greets those who came
 * meanwhile. So when one has waited for ten seconds, scouts are sent out; and when the server greets whoever came later,
 * those who came before and still wait are ended, and try again.
 */
export class GreetingWatch {
  readonly #host: string
  readonly #port: number
  readonly #times: typeof defaultTimes
  /** Those from whose server not a byte has come. */
  readonly #silent = new Set<Watched>()
  readonly #scouts = new Set<Watched>()
  /** When the one that came last of those that were greeted came. */
  #greetedSince = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor({ host, port, times }: GreetingWatchOptions) {
    this.#host = host
    this.#port = port
    this.#times = { ...defaultTimes, ...times }
  }

  /**
   * Connects.
   * @throws Error with the fields of nodemailer's
   */
  async connect(): Promise<Socket> {
    const { connectMs, lookEveryMs } = this.#times
    const socket = connect({ host: this.#host, port: this.#port, keepAlive: true, noDelay: true })
    // nodemailer listens when it has taken the socket, which it does not if it is closed before.
    socket.on('error', () => undefined)
    const watched = { socket, since: performance.now() }
    socket.once('close', () => this.#silent.delete(watched))
    await untilConnected(socket, connectMs)
    if (socket.destroyed) return socket
    this.#silent.add(watched)
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref()
    return socket
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const { socket } of this.#scouts) socket.destroy()
  }

  #look(): void {
    for (const watched of this.#silent) {
      if (watched.socket.bytesRead === 0) continue
      this.#silent.delete(watched)
      this.#noteGreeting(watched)
    }
    const hasWaited = ({ socket, since }: Watched) =>
      !socket.connecting && performance.now() - since > this.#times.patienceMs
    const hung = [...this.#silent].filter(hasWaited)
    for (const watched of hung) {
      if (watched.since < this.#greetedSince)
        watched.socket.destroy(new Error('The server greets those who come later'))
      else this.#sendScout()
    }
    for (const scout of this.#scouts) if (hung.length === 0 || hasWaited(scout)) scout.socket.destroy()
    if (this.#silent.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #noteGreeting({ since }: Watched): void {
    this.#greetedSince = Math.max(this.#greetedSince, since)
  }

  #sendScout(): void {
    const last = [...this.#scouts].at(-1)
    if (last !== undefined && performance.now() - last.since < this.#times.scoutEveryMs) return
    const socket = connect(this.#port, this.#host)
    const scout = { socket, since: performance.now() }
    this.#scouts.add(scout)
    socket.once('data', () => {
      this.#noteGreeting(scout)
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.once('close', () => this.#scouts.delete(scout))
    socket.unref()
  }
}

function untilConnected(socket: Socket, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (fields: object, cause?: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(
        Object.assign(new Error(cause?.message ?? 'Connection timeout', { cause }), { command: 'CONN', ...fields }),
      )
    }
    const timer = setTimeout(() => fail({ code: 'ETIMEDOUT', timeoutType: 'CONNECT_TIMEOUT' }), limitMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      fail({ code: error.syscall === 'getaddrinfo' ? 'EDNS' : 'ESOCKET', originalCode: error.code }, error)
    })
  })
}
