import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SmtpTls } from './parse-smtp-url.js'

export interface GreetingWatchOptions {
  host: string
  port: number
  /** Default `off`. */
  tls?: SmtpTls
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
  readonly #isTls: boolean
  readonly #times: typeof defaultTimes
  /** Those from whose server not a byte has come. */
  readonly #silent = new Set<Watched>()
  readonly #scouts = new Set<Watched>()
  /** All of them until they are closed. */
  readonly #open = new Set<Socket>()
  /** When the one that came last of those that were greeted came. */
  #greetedSince = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor({ host, port, tls = 'off', times }: GreetingWatchOptions) {
    this.#host = host
    this.#port = port
    this.#isTls = tls === 'implicit'
    this.#times = { ...defaultTimes, ...times }
  }

  /**
   * Connects.
   * @param signal ends the connection
   * @throws Error with the fields of nodemailer's
   */
  async connect(signal?: AbortSignal): Promise<Socket> {
    signal?.throwIfAborted()
    const { connectMs, lookEveryMs } = this.#times
    const socket = connect({
      host: this.#host,
      port: this.#port,
      keepAlive: true,
      noDelay: true,
      // This is the limit for each of several addresses but the last; Node's own 250 ms are too short for a far host.
      autoSelectFamilyAttemptTimeout: connectMs / 4,
    })
    this.#open.add(socket)
    const onAbort = () => socket.destroy()
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('close', () => {
      this.#open.delete(socket)
      signal?.removeEventListener('abort', onAbort)
    })
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
    // Those of the pool are closed by it; others are not waited for.
    for (const socket of this.#open) socket.unref()
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
      if (watched.since < this.#greetedSince) watched.socket.destroy(createForgottenError())
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
    const socket = this.#connectScout()
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

  /** Over TLS nothing is heard before a handshake. A scout tells the server nothing, so it does not matter who that is. */
  #connectScout(): Socket {
    const [host, port] = [this.#host, this.#port]
    if (!this.#isTls) return connect(port, host)
    return connectTls({ host, port, rejectUnauthorized: false, ...(isIP(host) === 0 && { servername: host }) })
  }
}

/** As a connection that was reset: the mail goes over another one. */
const createForgottenError = () =>
  Object.assign(new Error('The server greets those who come later'), { code: 'ECONNRESET' })

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
